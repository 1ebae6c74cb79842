package proofing

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// errToken means that a JWT from outside is not what it has to be.
var errToken = errors.New("unacceptable JWT")

// envelope is a JWS that was taken apart: its one header is known to say ES256 and the expected typ. Nothing in it is
// to be believed before open.
type envelope struct {
	signed *jose.JSONWebSignature
	header jose.Header
}

// parseJWS reads a compact JWS with alg ES256 and the media type in typ (RFC 8725 §3.1, §3.11).
func parseJWS(compact, mediaType string) (envelope, error) {
	if strings.Count(compact, ".") != 2 {
		return envelope{}, fmt.Errorf("%w: not a compact JWS", errToken)
	}
	signed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return envelope{}, fmt.Errorf("%w: %w", errToken, err)
	}
	e := envelope{signed: signed, header: signed.Signatures[0].Protected}
	if found, _ := e.header.ExtraHeaders[jose.HeaderType].(string); found != mediaType {
		return envelope{}, fmt.Errorf("%w: typ is not %s", errToken, mediaType)
	}
	return e, nil
}

// open verifies the signature and decodes the claims into a struct. Names that occur twice are refused.
func (e envelope) open(key, claims any) error {
	payload, err := e.signed.Verify(key)
	if err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	if err := json.Unmarshal(payload, claims); err != nil {
		return fmt.Errorf("%w: claims: %w", errToken, err)
	}
	return nil
}

// publicP256 reports whether the key is a public key on P-256, and nothing but that.
func publicP256(key *jose.JSONWebKey) bool {
	if key == nil || !key.Valid() || !key.IsPublic() {
		return false
	}
	return isP256(key.Key)
}

// decodeJSON reads one JSON value and nothing after it. Names that occur twice are refused.
func decodeJSON(data []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(to); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// fresh reports whether iat is neither further back than age nor more than a minute ahead.
func fresh(iat int64, now time.Time, age time.Duration) bool {
	return iat >= now.Add(-age).Unix() && iat <= now.Add(time.Minute).Unix()
}

func isP256(key any) bool {
	public, ok := key.(*ecdsa.PublicKey)
	return ok && public.Curve == elliptic.P256()
}

func hasCertificates(header jose.Header) bool {
	_, err := header.Certificates(x509.VerifyOptions{})
	return !errors.Is(err, jose.ErrMissingX5cHeader)
}

// certifiedBy reports whether the x5c header is a chain below the anchor that begins with exactly this leaf.
func certifiedBy(header jose.Header, anchor, leaf *x509.Certificate, now time.Time) bool {
	roots := x509.NewCertPool()
	roots.AddCert(anchor)
	chains, err := header.Certificates(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil && len(chains) > 0 && chains[0][0].Equal(leaf)
}
