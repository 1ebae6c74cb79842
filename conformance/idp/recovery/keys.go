package recovery

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"regain/conformance/jose"
)

// Key ids in the published set.
const (
	signingKeyID    = "sig"
	encryptionKeyID = "enc"
)

// keys are the client's own: one proves to Regain who asks, the other opens recovery tokens.
type keys struct {
	signing    *ecdsa.PrivateKey
	encryption *ecdsa.PrivateKey
	public     []byte // JSON Web Key Set
}

func newKeys(random io.Reader) (keys, error) {
	signing, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return keys{}, fmt.Errorf("make signing key: %w", err)
	}
	encryption, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return keys{}, fmt.Errorf("make encryption key: %w", err)
	}
	k := keys{signing: signing, encryption: encryption}
	k.public, err = json.Marshal(jose.JWKSet{Keys: []jose.JWK{
		{Key: signing.Public(), KeyID: signingKeyID, Use: "sig", Algorithm: jose.ES256},
		{Key: encryption.Public(), KeyID: encryptionKeyID, Use: "enc", Algorithm: jose.ECDHES},
	}})
	if err != nil {
		return keys{}, fmt.Errorf("encode public keys: %w", err)
	}
	return k, nil
}

// assertion proves to Regain that the client asks (private_key_jwt).
func (c *Client) assertion() (string, error) {
	id, err := c.config.Token()
	if err != nil {
		return "", err
	}
	claims := jose.ClientAssertion(c.config.ClientID, c.config.Issuer, id, c.config.Clock())
	signed, err := jose.Sign(c.keys.signing, map[string]any{"typ": "JWT", "kid": signingKeyID}, claims)
	if err != nil {
		return "", fmt.Errorf("sign client assertion: %w", err)
	}
	return signed, nil
}

// JWKS returns the public keys to register at Regain, as a JSON Web Key Set: "sig" (ES256) and "enc" (ECDH-ES).
func (c *Client) JWKS() []byte { return slices.Clone(c.keys.public) }
