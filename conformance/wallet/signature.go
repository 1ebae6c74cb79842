package wallet

import (
	"crypto/ecdsa"
	"fmt"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// sign writes a compact JWS by a holder key. With withKey the public key stands in the header.
func sign(key *ecdsa.PrivateKey, typ string, withKey bool, claims any) (string, error) {
	options := (&jose.SignerOptions{EmbedJWK: withKey}).WithType(jose.ContentType(typ))
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("making a signer for %s: %w", typ, err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding %s: %w", typ, err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing %s: %w", typ, err)
	}
	return jws.CompactSerialize()
}
