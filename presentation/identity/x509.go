package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const maxChain = 4

// X509Hash makes an identity for the prefix x509_hash, the hash of its certificate (OpenID4VP 1.0 §5.9.3). HAIP 1.0 §5
// allows no other prefix for signed requests.
//
// The key is on P-256 and may be in an HSM. The chain has the leaf first, each certificate followed by its issuer,
// without the trust anchor. X509Hash returns an error for everything that a wallet would refuse without telling us: a
// self-signed leaf or an anchor in the chain (HAIP 1.0 §5), a key other than the leaf's, a leaf that is a CA or may not
// sign, and certificates that are not valid at now.
func X509Hash(key crypto.Signer, chain []*x509.Certificate, now time.Time) (*Identity, error) {
	if err := checkCertified(key, chain, now); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(chain[0].Raw)
	return certified(&Identity{prefix: X509HashOf, clientID: string(X509HashOf) + ":" + encode(hash[:])}, key, chain)
}

// X509SANDNS makes an identity for the prefix x509_san_dns, a DNS name in its certificate. The host of the response URI
// must be that name (OpenID4VP 1.0 §5.9.3). Key and chain are as for [X509Hash].
//
// The name must be exactly one of the certificate's DNS names, in lower case and without a wildcard: wallets compare it
// with the host of the response URI, which their URL parsers convert to lower case.
func X509SANDNS(name string, key crypto.Signer, chain []*x509.Certificate, now time.Time) (*Identity, error) {
	if err := checkCertified(key, chain, now); err != nil {
		return nil, err
	}
	if !isDNSName(name) {
		return nil, fmt.Errorf("client_id %q: it is no DNS name in small letters, such as recover.example.org", name)
	}
	if !slices.Contains(chain[0].DNSNames, name) {
		return nil, fmt.Errorf("client_id %q: the certificate of request_signing lacks the DNS name; it has %q", name, chain[0].DNSNames)
	}
	return certified(&Identity{prefix: X509SANDNSOf, clientID: string(X509SANDNSOf) + ":" + name, host: name}, key, chain)
}

func certified(i *Identity, key crypto.Signer, chain []*x509.Certificate) (*Identity, error) {
	i.from, i.to = validity(chain)
	return i.signing(key, map[string]any{"x5c": encodeChain(chain)})
}

// isDNSName reports whether text is a host name (RFC 1123 §2.1) in lower case.
func isDNSName(text string) bool {
	const longest, label = 253, 63
	for part := range strings.SplitSeq(text, ".") {
		odd := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' }
		if part == "" || len(part) > label || part[0] == '-' || part[len(part)-1] == '-' || strings.ContainsFunc(part, odd) {
			return false
		}
	}
	return len(text) <= longest
}

// encodeChain returns x5c, in standard base64 (RFC 7515 §4.1.6).
func encodeChain(chain []*x509.Certificate) []string {
	x5c := make([]string, 0, len(chain))
	for _, c := range chain {
		x5c = append(x5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return x5c
}

func validity(chain []*x509.Certificate) (from, to time.Time) {
	from, to = chain[0].NotBefore, chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if c.NotAfter.Before(to) {
			to = c.NotAfter
		}
	}
	return from, to
}

func checkCertified(key crypto.Signer, chain []*x509.Certificate, now time.Time) error {
	if err := checkChain(chain, now); err != nil {
		return fmt.Errorf("request_signing: %w", err)
	}
	if err := checkLeaf(chain[0], key); err != nil {
		return fmt.Errorf("request_signing: %w", err)
	}
	return nil
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
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return fmt.Errorf("certificate %d is valid from %s to %s only", i,
				c.NotBefore.UTC().Format(time.DateTime), c.NotAfter.UTC().Format(time.DateTime))
		}
	}
	return nil
}

func checkLeaf(leaf *x509.Certificate, key crypto.Signer) error {
	if err := checkKey(key); err != nil {
		return err
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(key.Public()) {
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
