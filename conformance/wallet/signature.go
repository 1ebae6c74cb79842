package wallet

import (
	"crypto/ecdsa"

	"regain/conformance/jose"
)

// sign writes a compact JWS by a holder key. With withKey the public key stands in the header.
func sign(key *ecdsa.PrivateKey, typ string, withKey bool, claims any) (string, error) {
	header := map[string]any{"typ": typ}
	if withKey {
		header["jwk"] = jose.JWK{Key: key.Public()}
	}
	return jose.Sign(key, header, claims)
}
