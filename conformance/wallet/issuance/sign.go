package issuance

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// joseHeader is what a JWS says about itself, but for the algorithm and the key's name.
type joseHeader map[jose.HeaderKey]any

// embedding is the header of a JWS that brings its key along.
func embedding(key *ecdsa.PrivateKey, typ string) joseHeader {
	return joseHeader{"typ": typ, "jwk": jose.JSONWebKey{Key: &key.PublicKey}}
}

// sign writes a compact JWS with ES256. A key that has a name is named in the header.
func sign(key jose.JSONWebKey, h joseHeader, claims map[string]any) (string, error) {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{ExtraHeaders: h})
	if err != nil {
		return "", fmt.Errorf("making a signer of %v: %w", h["typ"], err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding %v: %w", h["typ"], err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing %v: %w", h["typ"], err)
	}
	return jws.CompactSerialize()
}

func named(key *ecdsa.PrivateKey, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: kid}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
