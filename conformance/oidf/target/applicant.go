package target

import (
	"context"
	"crypto/ecdsa"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet/issuance"
)

// What our wallet is to the suite's issuer.
const (
	applicantID   = "regain-wallet"
	applicantCode = "123456" // the transaction code that the suite knows and does not tell
	copies        = 3
)

// identify makes our wallet's identity, and adds to values what the suite's issuer has to know of it.
func (c *configuration) identify() *issuance.Identity {
	key := c.key()
	public := jose.JWK{Key: key.Public(), KeyID: applicantID, Use: "sig", Algorithm: jose.ES256}
	c.values["our_wallet"] = map[string]any{
		"client_id": applicantID, "redirect_uri": "https://wallet.example.org/callback", "jwks": jose.JWKSet{Keys: []jose.JWK{public}},
	}
	c.values["our_attester"] = map[string]any{"issuer": walletProvider, "trust_anchor": string(encodeCertificate(c.attesters.certificate))}
	c.values["issuance_keys"] = jose.JWKSet{Keys: []jose.JWK{{Key: c.key(), KeyID: "server", Use: "sig", Algorithm: jose.ES256}}}
	return &issuance.Identity{ClientID: applicantID, Key: key, KeyID: applicantID, Attest: c.attest}
}

// attest is what the wallet's provider says of a key of the wallet (OpenID4VCI 1.0 Appendix E).
func (c *configuration) attest(_ context.Context, instance *ecdsa.PublicKey) (string, error) {
	now := time.Now()
	header := map[string]any{"typ": "oauth-client-attestation+jwt", "x5c": [][]byte{c.attester.certificate.Raw}}
	return jose.Sign(c.attester.key, header, map[string]any{
		"iss": walletProvider, "sub": applicantID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"cnf": map[string]any{"jwk": jose.JWK{Key: instance}},
	})
}
