package sdjwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"regain/verifier/internal/strict"
)

// Thumbprint is the RFC 7638 SHA-256 thumbprint of a key in base64url.
type Thumbprint string

// holder is the key of `cnf`. The zero holder means that the issuer bound the credential to nobody.
type holder struct {
	key        *ecdsa.PublicKey
	thumbprint Thumbprint
}

// readHolder reads `cnf.jwk` (RFC 7800 §3.2): a public P-256 key and no other way to name one.
func readHolder(payload map[string]any) (holder, error) {
	value, present := payload["cnf"]
	if !present {
		return holder{}, nil
	}
	cnf, _ := value.(map[string]any)
	for name := range cnf {
		if name != "jwk" && name != "kid" {
			return holder{}, fmt.Errorf("%w: cnf names the key in more than one way", ErrMalformed)
		}
	}
	jwk, ok := cnf["jwk"].(map[string]any)
	if !ok {
		return holder{}, fmt.Errorf("%w: cnf without jwk", ErrMalformed)
	}
	if _, private := jwk["d"]; private || jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
		return holder{}, fmt.Errorf("%w: cnf.jwk is no public P-256 key", ErrMalformed)
	}
	if alg, present := jwk["alg"]; present && alg != string(jose.ES256) {
		return holder{}, fmt.Errorf("%w: cnf.jwk is for another algorithm", ErrMalformed)
	}
	if use, present := jwk["use"]; present && use != "sig" {
		return holder{}, fmt.Errorf("%w: cnf.jwk is for another use", ErrMalformed)
	}
	point := []byte{4} // uncompressed (SEC 1 §2.3.3)
	for _, name := range []string{"x", "y"} {
		text, _ := jwk[name].(string)
		coordinate, err := strict.Base64(text)
		if err != nil || len(coordinate) != 32 { // RFC 7518 §6.2.1.2: full size, leading zeros included
			return holder{}, fmt.Errorf("%w: cnf.jwk has no valid %s", ErrMalformed, name)
		}
		point = append(point, coordinate...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return holder{}, fmt.Errorf("%w: cnf.jwk is not on the curve", ErrMalformed)
	}
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return holder{}, fmt.Errorf("%w: cnf.jwk: %w", ErrMalformed, err)
	}
	return holder{key: key, thumbprint: Thumbprint(base64.RawURLEncoding.EncodeToString(sum))}, nil
}
