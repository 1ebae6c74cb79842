package target

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/conformance/wallet/issuance"
)

// What our wallet is to the suite's issuer.
const (
	applicantID   = "regain-wallet"
	applicantCode = "123456" // the transaction code that the suite knows and tells nobody
	copies        = 3
)

// identify makes our wallet's identity, and adds to values what the suite's issuer has to know of it.
func (c *configuration) identify() *issuance.Identity {
	key := c.key()
	public := jose.JSONWebKey{Key: key.Public(), KeyID: applicantID, Use: "sig", Algorithm: string(jose.ES256)}
	c.values["our_wallet"] = map[string]any{
		"client_id": applicantID, "redirect_uri": "https://wallet.example.org/callback", "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}},
	}
	c.values["our_attester"] = map[string]any{"issuer": walletProvider, "trust_anchor": string(encodeCertificate(c.attesters.certificate))}
	c.values["issuance_keys"] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.key(), KeyID: "server", Use: "sig", Algorithm: string(jose.ES256)}}}
	return &issuance.Identity{ClientID: applicantID, Key: key, KeyID: applicantID, Attest: c.attest}
}

// attest is what the wallet's provider says of a key of the wallet (OpenID4VCI 1.0 Appendix E).
func (c *configuration) attest(_ context.Context, instance *ecdsa.PublicKey) (string, error) {
	options := (&jose.SignerOptions{}).WithType("oauth-client-attestation+jwt").WithHeader("x5c", [][]byte{c.attester.certificate.Raw})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: c.attester.key}, options)
	if err != nil {
		return "", fmt.Errorf("attest the wallet: %w", err)
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(map[string]any{
		"iss": walletProvider, "sub": applicantID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"cnf": map[string]any{"jwk": jose.JSONWebKey{Key: instance}},
	}).Serialize()
}
