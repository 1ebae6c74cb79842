// Package jwe encrypts what the credential endpoint hears and says, on top of TLS (OpenID4VCI 1.0 §10): requests are
// encrypted to a key of the issuer's, responses to a key in the request. Both take ECDH-ES on P-256 with AES-GCM and
// nothing else.
package jwe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/proofing/jws"
)

var (
	// ErrRequest means that a request cannot be decrypted, or is not encrypted as the metadata says.
	ErrRequest = errors.New("unacceptable encrypted request")
	// ErrParameters means that a response cannot be encrypted as the request asks.
	ErrParameters = errors.New("unacceptable encryption parameters")
)

// Encodings are the content encryptions, for requests and responses.
func Encodings() []string { return []string{string(jose.A256GCM), string(jose.A128GCM)} }

// Algorithms are the key agreements.
func Algorithms() []string { return []string{string(jose.ECDH_ES)} }

// Compressions are what responses can be compressed with.
func Compressions() []string { return []string{string(jose.DEFLATE)} }

// Key decrypts requests.
type Key struct {
	private *ecdsa.PrivateKey
	public  jose.JSONWebKey
}

// NewKey makes a key.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key for encrypted requests: %w", err)
	}
	return &Key{private: private, public: jose.JSONWebKey{
		Key: private.Public(), KeyID: "requests", Use: "enc", Algorithm: string(jose.ECDH_ES),
	}}, nil
}

// Set is the public key, for the metadata.
func (k *Key) Set() jose.JSONWebKeySet { return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.public}} }

// Open decrypts a request. Its header must say which key it is for, and must not say that it is compressed: what a few
// bytes may swell to is known only afterwards.
func (k *Key) Open(compact string) ([]byte, error) {
	header, _, _ := strings.Cut(compact, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	var names struct {
		Zip json.RawMessage `json:"zip"`
	}
	if err != nil || json.Unmarshal(raw, &names) != nil || names.Zip != nil {
		return nil, fmt.Errorf("%w: its header is malformed, or it is compressed", ErrRequest)
	}
	sealed, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM, jose.A128GCM})
	if err != nil {
		return nil, fmt.Errorf("%w: it is no JWE of the kind that the metadata names", ErrRequest)
	}
	if sealed.Header.KeyID != k.public.KeyID {
		return nil, fmt.Errorf("%w: it is for another key", ErrRequest)
	}
	plain, err := sealed.Decrypt(k.private)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be decrypted", ErrRequest)
	}
	return plain, nil
}

// Parameters is credential_response_encryption: how the wallet wants the response (§8.2).
type Parameters struct {
	JWK      jose.JSONWebKey `json:"jwk"`
	Encoding string          `json:"enc"`
	Zip      *string         `json:"zip"`
}

// Check says what is wrong with the parameters.
func (p Parameters) Check() error {
	switch {
	case p.JWK.Algorithm != string(jose.ECDH_ES):
		return fmt.Errorf("%w: the alg of the jwk is not ECDH-ES", ErrParameters)
	case !jws.PublicP256(&p.JWK):
		return fmt.Errorf("%w: the jwk is no public P-256 key", ErrParameters)
	case p.JWK.Use != "" && p.JWK.Use != "enc":
		return fmt.Errorf("%w: the jwk is for something else", ErrParameters)
	case !slices.Contains(Encodings(), p.Encoding):
		return fmt.Errorf("%w: the enc is not supported", ErrParameters)
	case p.Zip != nil && !slices.Contains(Compressions(), *p.Zip):
		return fmt.Errorf("%w: the zip is not supported", ErrParameters)
	}
	return nil
}

// Seal encrypts a response.
func (p Parameters) Seal(plain []byte) (string, error) {
	if err := p.Check(); err != nil {
		return "", err
	}
	options := (&jose.EncrypterOptions{}).WithContentType("json")
	if p.Zip != nil {
		options.Compression = jose.CompressionAlgorithm(*p.Zip)
	}
	to := jose.Recipient{Algorithm: jose.ECDH_ES, Key: p.JWK.Key, KeyID: p.JWK.KeyID}
	encrypter, err := jose.NewEncrypter(jose.ContentEncryption(p.Encoding), to, options)
	if err != nil {
		return "", fmt.Errorf("preparing an encrypted response: %w", err)
	}
	sealed, err := encrypter.Encrypt(plain)
	if err != nil {
		return "", fmt.Errorf("encrypting a response: %w", err)
	}
	return sealed.CompactSerialize()
}
