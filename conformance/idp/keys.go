package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Key ids in the published set.
const (
	signingKeyID    = "sig"
	encryptionKeyID = "enc"
)

// keys are the client's own: one proves to Regain who asks, the other opens recovery tokens.
type keys struct {
	signer     jose.Signer
	encryption *ecdsa.PrivateKey
	public     []byte // JSON Web Key Set
}

func newKeys(random *dice) (keys, error) {
	signing, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return keys{}, fmt.Errorf("make signing key: %w", err)
	}
	encryption, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return keys{}, fmt.Errorf("make encryption key: %w", err)
	}
	k := keys{encryption: encryption}
	k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: signing, KeyID: signingKeyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return keys{}, fmt.Errorf("make signer: %w", err)
	}
	k.public, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: signing.Public(), KeyID: signingKeyID, Use: "sig", Algorithm: string(jose.ES256)},
		{Key: encryption.Public(), KeyID: encryptionKeyID, Use: "enc", Algorithm: string(jose.ECDH_ES)},
	}})
	if err != nil {
		return keys{}, fmt.Errorf("encode public keys: %w", err)
	}
	return k, nil
}

// assertion proves to Regain that the client asks (private_key_jwt, RFC 7523 §3). The audience is the issuer, never an
// endpoint: an endpoint that lies about itself must not get one that is good elsewhere.
func (s *Server) assertion() (string, error) {
	id, err := s.random.token()
	if err != nil {
		return "", err
	}
	now := s.cfg.Clock()
	signed, err := jwt.Signed(s.keys.signer).Claims(jwt.Claims{
		Issuer: s.cfg.ClientID, Subject: s.cfg.ClientID, Audience: jwt.Audience{s.cfg.RegainIssuer}, ID: id,
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign client assertion: %w", err)
	}
	return signed, nil
}
