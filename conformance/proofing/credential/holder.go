package credential

import (
	"crypto/ecdsa"
	"fmt"

	"regain/conformance/jose"
)

// Holder is what a credential is bound to: a key, and for a JWT VC the DID that the key is of.
type Holder struct {
	Key jose.JWK // public; on P-256 but for a DID
	DID string   // "" but for a JWT VC
}

// Format keeps a DID, which is a name of a person, out of every verb of fmt.
func (Holder) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// Same reports whether two credentials would have one holder.
func (h Holder) Same(other Holder) bool {
	if h.DID != "" || other.DID != "" {
		return h.DID == other.DID
	}
	public, ok := h.Key.Key.(*ecdsa.PublicKey)
	return ok && public.Equal(other.Key.Key)
}

// Confirmation is the claim cnf of an SD-JWT VC (RFC 7800 §3.2).
type Confirmation struct {
	Key jose.JWK `json:"jwk"`
}

// Confirm keeps the key and drops what else a wallet wrote into its JWK.
func Confirm(key jose.JWK) Confirmation { return Confirmation{Key: jose.JWK{Key: key.Key}} }
