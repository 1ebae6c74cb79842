package issuance

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"

	"regain/conformance/jose"
)

// embedding is the header of a JWS that brings its key along.
func embedding(key *ecdsa.PrivateKey, typ string) map[string]any {
	return map[string]any{"typ": typ, "jwk": jose.JWK{Key: key.Public()}}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
