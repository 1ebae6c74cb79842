// Package keys holds the keys that the OpenID provider signs with and publishes at its jwks_uri, and mints JWTs with
// them. Every JWT of ours names its kind in the `typ` header, so that one can never pass for another (RFC 8725 §3.11).
package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Signer signs JWTs with one ES256 key and knows the JWK Set that verifiers need.
type Signer struct {
	key    *ecdsa.PrivateKey
	signer jose.OpaqueSigner // over key
	kid    string
	jwks   []byte
}

// NewSigner refuses keys that are not on P-256.
func NewSigner(key *ecdsa.PrivateKey) (*Signer, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return nil, errors.New("signing key: an EC key on P-256 is required")
	}
	public := jose.JSONWebKey{Key: key.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing key: thumbprint: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	if err != nil {
		return nil, fmt.Errorf("signing key: encode JWK set: %w", err)
	}
	return &Signer{key: key, signer: cryptosigner.Opaque(key), kid: public.KeyID, jwks: jwks}, nil
}

// Generate makes a P-256 key.
func Generate(random io.Reader) (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), random)
}

// ParsePEM reads a P-256 private key in PKCS #8 or SEC 1 form.
func ParsePEM(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block: expected an EC private key, e.g. of `openssl ecparam -name prime256v1 -genkey -noout`")
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse private key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("private key is a %T: an EC key on P-256 is required", parsed)
	}
	return key, nil
}

// JWKS returns the published JWK Set (RFC 7517 §5), encoded once.
func (s *Signer) JWKS() []byte { return s.jwks }

// KeyID returns the `kid` of the signing key: its RFC 7638 thumbprint.
func (s *Signer) KeyID() string { return s.kid }

// Key returns the signing key, for adapters that mint JWTs of their own kind with it.
func (s *Signer) Key() *ecdsa.PrivateKey { return s.key }

// Mint signs claims, which must marshal to a JSON object, as a compact JWT of kind typ.
func (s *Signer) Mint(typ string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode %s claims: %w", typ, err)
	}
	header, err := json.Marshal(header{Algorithm: jose.ES256, KeyID: s.kid, Type: typ})
	if err != nil {
		return "", fmt.Errorf("encode %s header: %w", typ, err)
	}
	// RFC 7515 §7.1, put together here: making a jose.Signer for each token costs half as much as the signature.
	token := base64.RawURLEncoding.AppendEncode(nil, header)
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), payload)
	signature, err := s.signer.SignPayload(token, jose.ES256)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return string(base64.RawURLEncoding.AppendEncode(append(token, '.'), signature)), nil
}

// header is the JOSE header of every JWT of ours.
type header struct {
	Algorithm jose.SignatureAlgorithm `json:"alg"`
	KeyID     string                  `json:"kid"`
	Type      string                  `json:"typ"`
}
