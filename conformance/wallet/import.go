package wallet

import (
	"crypto/ecdsa"
	"fmt"

	"regain/conformance/wallet/address"
)

// Imported is a credential that reaches the wallet by another way than an offer, with its key.
type Imported struct {
	Format     string            // dc+sd-jwt or mso_mdoc
	Credential string            // as a credential response would hold it: the SD-JWT, or the base64url IssuerSigned
	Key        *ecdsa.PrivateKey // the holder's; nil for an SD-JWT VC that is bound to no holder
	Name       string            // what to call it; its type when empty

	// Of the issuer, where it compares faces: its identifier, and two endpoints of its metadata.
	Issuer, NonceURL, FaceCheckURL string
}

// Import checks a credential as Add does, and keeps it.
func (w *Wallet) Import(i Imported) (Credential, error) {
	var holder *ecdsa.PublicKey
	if i.Key != nil {
		holder = &i.Key.PublicKey
	}
	for _, endpoint := range []string{i.NonceURL, i.FaceCheckURL} {
		if endpoint == "" {
			continue
		}
		if err := address.CheckEndpoint(endpoint); err != nil {
			return Credential{}, fmt.Errorf("checking an endpoint: %w", err)
		}
	}
	c, err := w.check.inspect(i.Format, i.Credential, "", holder)
	if err != nil {
		return Credential{}, fmt.Errorf("checking the credential: %w", err)
	}
	if i.Name != "" {
		c.Name = i.Name
	}
	w.held.Put(&holding{Credential: c, key: i.Key, issuer: i.Issuer, nonceURL: i.NonceURL, faceCheckURL: i.FaceCheckURL})
	return c, nil
}
