package vci

import (
	"crypto/ecdsa"
	"slices"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/web"
)

// maxAttested is how many keys an attestation may name: each costs a comparison.
const maxAttested = 50

// keyAttestation are the claims of a key attestation (OpenID4VCI 1.0 Appendix D.1).
type keyAttestation struct {
	Issued  int64      `json:"iat"`
	Expires int64      `json:"exp"`
	Nonce   string     `json:"nonce"`
	Keys    []jose.JWK `json:"attested_keys"`
}

// attests reports whether keys have to be attested.
func (k keyProofs) attests() bool { return len(k.attesters.Keys) > 0 }

// checkAttestation verifies the key attestation in a proof's header, and returns the keys that it names. The key of the
// proof has to be one of them (OpenID4VCI 1.0 Appendix D.1), and the nonce the proof's own (Appendix F.1): an older
// attestation may be of keys that have left their storage since. What kind of storage it is, is for the verifier to
// weigh.
func (k keyProofs) checkAttestation(proof jose.Token, key jose.JWK, nonce string) ([]jose.JWK, error) {
	parsed, err := jose.ParseTyped(proof.KeyAttestation, "key-attestation+jwt")
	if err != nil {
		return nil, web.Refuse("invalid_proof", "the proof has no key-attestation+jwt signed with ES256 in its header")
	}
	claims, found := k.openAttestation(parsed)
	now := k.clock()
	switch {
	case !found:
		return nil, web.Refuse("invalid_proof", "nobody who is trusted signed the key attestation")
	case claims.Issued <= 0 || claims.Issued > now.Add(time.Minute).Unix() || claims.Expires <= now.Unix():
		return nil, web.Refuse("invalid_proof", "the key attestation is not of now")
	case len(claims.Keys) > maxAttested || !contains(claims.Keys, key):
		return nil, web.Refuse("invalid_proof", "the key attestation is about other keys than the proof's")
	case claims.Nonce != nonce:
		return nil, web.Refuse("invalid_nonce", "the key attestation carries another nonce than the proof")
	}
	for _, attested := range claims.Keys {
		if !jose.IsP256(&attested) {
			return nil, web.Refuse("invalid_proof", "an attested key is no public P-256 key")
		}
	}
	return claims.Keys, nil
}

func (k keyProofs) openAttestation(parsed jose.Token) (claims keyAttestation, found bool) {
	for _, signer := range k.attesters.Usable(parsed.KeyID) {
		claims = keyAttestation{}
		if parsed.Open(signer, &claims) == nil {
			return claims, true
		}
	}
	return keyAttestation{}, false
}

func contains(keys []jose.JWK, wanted jose.JWK) bool {
	return slices.ContainsFunc(keys, func(key jose.JWK) bool {
		public, ok := key.Key.(*ecdsa.PublicKey)
		return ok && public.Equal(wanted.Key)
	})
}
