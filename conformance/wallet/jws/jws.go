// Package jws reads signed JWTs: what a header claims, and whether the signature bears it out.
//
// Who may sign is never the JWS's own affair. A caller says which type it expects and either
// brings the key or the anchors that the certificates have to lead to; there is no way to get a
// payload out of here without having it verified, but for OpenUnsigned, whose name says so.
package jws

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/chain"
)

// Algorithms are the signatures the wallet accepts from issuers and verifiers; HAIP 1.0 §7 makes
// ES256 the one everybody has.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.RS256, jose.EdDSA}
}

var (
	errNotSigned = errors.New("it is not a signed JWT of an accepted algorithm")
	errSignature = errors.New("its signature is not by the key of its certificate")
	errKey       = errors.New("its signature is not by the key of its signer")
)

// Header is the part of a protected header that the wallet reads itself.
type Header struct {
	Type      string          `json:"typ"`
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	X5C       []string        `json:"x5c"`
	JWT       string          `json:"jwt"`           // a verifier attestation, OpenID4VP 1.0 §12
	ClientID  string          `json:"client_id"`     // of a signature among several, Appendix A.3.2
	Info      json.RawMessage `json:"verifier_info"` // likewise
}

// ReadHeader decodes the protected header of a compact JWS, which nobody has verified yet.
func ReadHeader(compact string) (Header, error) {
	segment, _, _ := strings.Cut(compact, ".")
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return Header{}, errors.New("its header is not base64url")
	}
	var h Header
	if err := json.Unmarshal(raw, &h); err != nil {
		return Header{}, errors.New("its header is not the JSON expected")
	}
	return h, nil
}

// Chained says how a JWS has to be signed that carries its certificates in x5c.
type Chained struct {
	Type    string
	Anchors *x509.CertPool // nil: any certificate, so the signature proves integrity only
	Now     time.Time
}

// Verify checks a compact JWS: its typ, its certificate chain, and its signature by the leaf's key.
func (want Chained) Verify(compact string) ([]byte, chain.Chain, error) {
	signed, err := jose.ParseSignedCompact(compact, Algorithms())
	if err != nil { // go-jose's error quotes the header, which is a stranger's text
		return nil, nil, errNotSigned
	}
	header, err := ReadHeader(compact)
	if err != nil {
		return nil, nil, err
	}
	if header.Type != want.Type {
		return nil, nil, fmt.Errorf("its typ is not %s", want.Type)
	}
	signer, err := header.certificates()
	if err != nil {
		return nil, nil, fmt.Errorf("reading x5c: %w", err)
	}
	if err := signer.Trusted(want.Anchors, want.Now); err != nil {
		return nil, nil, fmt.Errorf("judging x5c: %w", err)
	}
	payload, err := signed.Verify(signer.Leaf().PublicKey)
	if err != nil {
		return nil, nil, errSignature
	}
	return payload, signer, nil
}

// VerifyKey checks a compact JWS of the type against one public key.
func VerifyKey(compact, typ string, key any) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(compact, Algorithms())
	if err != nil {
		return nil, errNotSigned
	}
	header, err := ReadHeader(compact)
	if err != nil {
		return nil, err
	}
	if header.Type != typ {
		return nil, fmt.Errorf("its typ is not %s", typ)
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return nil, errKey
	}
	return payload, nil
}

// OpenUnsigned returns the payload of a JWT that says itself that nobody signed it: alg is none
// and the signature is empty (RFC 7519 §6.1).
func OpenUnsigned(compact string) ([]byte, Header, error) {
	header, err := ReadHeader(compact)
	if err != nil {
		return nil, Header{}, err
	}
	segments := strings.Split(compact, ".")
	if len(segments) != 3 || segments[2] != "" || header.Algorithm != "none" {
		return nil, Header{}, errors.New("it is not an unsigned JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(segments[1])
	if err != nil {
		return nil, Header{}, errors.New("its payload is not base64url")
	}
	return payload, header, nil
}

func (h Header) certificates() (chain.Chain, error) {
	var ders [][]byte
	for _, entry := range h.X5C {
		der, err := base64.StdEncoding.DecodeString(entry)
		if err != nil {
			return nil, errors.New("it is not base64")
		}
		ders = append(ders, der)
	}
	return chain.Parse(ders)
}
