package jwe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
)

// Key opens what a verifier encrypted to the wallet. It is made for one request: the verifier
// sees a key that nobody can follow from one request to the next.
type Key struct {
	private *ecdsa.PrivateKey
	kid     string
}

// NewKey makes a key.
func NewKey(random io.Reader) (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("making a key for request objects: %w", err)
	}
	id := make([]byte, 12)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("reading randomness: %w", err)
	}
	return &Key{private: private, kid: base64.RawURLEncoding.EncodeToString(id)}, nil
}

// Public is the key as wallet_metadata publishes it.
func (k *Key) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: &k.private.PublicKey, KeyID: k.kid, Algorithm: string(jose.ECDH_ES), Use: "enc"}
}

// IsEncrypted reports whether the text has the five parts of a compact JWE.
func IsEncrypted(compact string) bool { return strings.Count(compact, ".") == 4 }

// Open decrypts a compact JWE to this key.
func (k *Key) Open(compact string) ([]byte, error) {
	sealed, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES},
		[]jose.ContentEncryption{jose.A128GCM, jose.A192GCM, jose.A256GCM})
	if err != nil {
		return nil, errors.New("it is not a JWE of an accepted algorithm")
	}
	if sealed.Header.KeyID != "" && sealed.Header.KeyID != k.kid {
		return nil, errors.New("it is encrypted to a key that was not offered")
	}
	plain, err := sealed.Decrypt(k.private)
	if err != nil {
		return nil, errors.New("it cannot be decrypted")
	}
	return plain, nil
}
