package presentation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

const (
	requestType = "oauth-authz-req+jwt" // the typ of a request object (RFC 9101 §10.8, OpenID4VP 1.0 §5)
	prefix      = "x509_hash:"
	maxChain    = 4
)

// ContentType is that of a request object on the wire.
const ContentType = "application/" + requestType

// Signer signs request objects with ES256 as the owner of an X.509 certificate. It is safe for
// concurrent use, if its key is.
type Signer struct {
	clientID string
	key      jose.OpaqueSigner
	chain    []*x509.Certificate
	header   string // the protected header, encoded once: x5c makes it two kilobytes
	opening  []byte // the first members of every payload, encoded once
}

// NewSigner is [NewSignerAt] by the system's clock.
func NewSigner(key crypto.Signer, chain []*x509.Certificate) (*Signer, error) {
	return NewSignerAt(key, chain, time.Now())
}

// NewSignerAt makes a signer from a P-256 key, which may live in an HSM, and the chain of its
// certificate: the leaf first, each next one the issuer of the one before, without the trust anchor.
// What a wallet would silently refuse is refused here: a self-signed leaf or an anchor in the chain
// (HAIP 1.0 §5), another key than the leaf's, a leaf that is a CA or not for signatures, and
// certificates that are not valid at now.
func NewSignerAt(key crypto.Signer, chain []*x509.Certificate, now time.Time) (*Signer, error) {
	if err := checkChain(chain, now); err != nil {
		return nil, fmt.Errorf("request signing certificate: %w", err)
	}
	if err := checkLeaf(chain[0], key); err != nil {
		return nil, fmt.Errorf("request signing certificate: %w", err)
	}
	hash := sha256.Sum256(chain[0].Raw)
	s := &Signer{clientID: prefix + encode(hash[:]), key: cryptosigner.Opaque(key), chain: slices.Clone(chain)}
	x5c := make([]string, 0, len(chain))
	for _, c := range chain {
		x5c = append(x5c, base64.StdEncoding.EncodeToString(c.Raw)) // standard base64: RFC 7515 §4.1.6
	}
	header, err := json.Marshal(struct {
		Algorithm string   `json:"alg"`
		Type      string   `json:"typ"`
		Chain     []string `json:"x5c"`
	}{string(jose.ES256), requestType, x5c})
	if err != nil {
		return nil, fmt.Errorf("encoding the request header: %w", err)
	}
	s.header, s.opening = encode(header), opening(s.clientID)
	return s, nil
}

// ClientID is our client_id with its prefix: x509_hash: and the base64url SHA-256 of the leaf
// (OpenID4VP 1.0 §5.9.3). It is also the audience of every presentation (§14.10).
func (s *Signer) ClientID() string { return s.clientID }

// NotAfter is when the first certificate of the chain expires, and with it the signer.
func (s *Signer) NotAfter() time.Time {
	end := s.chain[0].NotAfter
	for _, c := range s.chain[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

func checkChain(chain []*x509.Certificate, now time.Time) error {
	if len(chain) == 0 || len(chain) > maxChain {
		return fmt.Errorf("the chain has %d certificates, want 1 to %d", len(chain), maxChain)
	}
	for i, c := range chain {
		if c == nil {
			return fmt.Errorf("certificate %d is missing", i)
		}
		if bytes.Equal(c.RawIssuer, c.RawSubject) {
			return fmt.Errorf("certificate %d is self-issued: leave the trust anchor out, and do not sign with it", i)
		}
		if i > 0 {
			if err := chain[i-1].CheckSignatureFrom(c); err != nil {
				return fmt.Errorf("certificate %d did not issue certificate %d: %w", i, i-1, err)
			}
		}
	}
	return validAt(chain, now)
}

func validAt(chain []*x509.Certificate, now time.Time) error {
	for i, c := range chain {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return fmt.Errorf("certificate %d is valid from %s to %s only", i,
				c.NotBefore.UTC().Format(time.DateTime), c.NotAfter.UTC().Format(time.DateTime))
		}
	}
	return nil
}

func checkLeaf(leaf *x509.Certificate, key crypto.Signer) error {
	if key == nil {
		return errors.New("there is no key")
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return errors.New("its key is not on P-256, which ES256 needs")
	}
	if !public.Equal(key.Public()) {
		return errors.New("its key is not the one given")
	}
	if leaf.IsCA {
		return errors.New("it is a CA; sign with a certificate of its own")
	}
	// A certificate without the extension may be used for everything (RFC 5280 §4.2.1.3).
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errors.New("its key usage lacks digitalSignature")
	}
	return nil
}
