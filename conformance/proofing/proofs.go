package proofing

import (
	"crypto/ecdsa"
	"encoding/json"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/proofing/jws"
)

// checkProofs verifies the key proofs (OpenID4VCI 1.0 Appendix F.1, F.4) and returns the holder's keys: those that signed
// a proof, and then those that were attested along with them, as far as the batch goes. All proofs carry the same nonce,
// which is spent when everything else is right; each has a key of its own. client is who got the access token.
func (s *Server) checkProofs(shown map[string]json.RawMessage, client string) ([]jose.JSONWebKey, error) {
	proofs, err := s.readProofs(shown)
	if err != nil {
		return nil, err
	}
	var nonce string
	var keys, more []jose.JSONWebKey
	for i, proof := range proofs {
		shown, err := s.checkProof(proof, client)
		if err != nil {
			return nil, err
		}
		if i > 0 && shown.nonce != nonce {
			return nil, refuse("invalid_nonce", "the proofs carry different nonces")
		}
		if contains(keys, shown.key) {
			return nil, refuse("invalid_proof", "two proofs have the same key")
		}
		nonce, keys, more = shown.nonce, append(keys, shown.key), append(more, shown.attested...)
	}
	if !s.nonces.Spend(nonce, s.config.Clock()) {
		return nil, refuse("invalid_nonce", "the nonce is not known, expired or used")
	}
	for _, key := range more {
		if len(keys) < s.limits.batch && !contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func contains(keys []jose.JSONWebKey, wanted jose.JSONWebKey) bool {
	return slices.ContainsFunc(keys, func(key jose.JSONWebKey) bool {
		public, ok := key.Key.(*ecdsa.PublicKey)
		return ok && public.Equal(wanted.Key)
	})
}

// readProofs wants proofs of one type (§8.2), and of the only type that is taken here.
func (s *Server) readProofs(shown map[string]json.RawMessage) ([]string, error) {
	raw, found := shown["jwt"]
	if !found || len(shown) != 1 {
		return nil, refuse("invalid_proof", "proofs of type jwt are required, and no others")
	}
	var proofs []string
	if err := json.Unmarshal(raw, &proofs); err != nil || len(proofs) == 0 {
		return nil, refuse("invalid_proof", "proofs of type jwt are a list of at least one string")
	}
	if len(proofs) > s.limits.batch {
		return nil, refuse("invalid_credential_request", "too many proofs")
	}
	return proofs, nil
}

// proofClaims are the claims of a key proof (Appendix F.1).
type proofClaims struct {
	Issuer   *string `json:"iss"`
	Audience any     `json:"aud"`
	Issued   int64   `json:"iat"`
	Nonce    string  `json:"nonce"`
}

// proven is what a key proof shows.
type proven struct {
	key      jose.JSONWebKey
	attested []jose.JSONWebKey // by the key attestation in its header, where those are asked for
	nonce    string
}

func (s *Server) checkProof(proof, client string) (proven, error) {
	none := proven{}
	parsed, err := jws.Parse(proof, "openid4vci-proof+jwt")
	if err != nil {
		return none, refuse("invalid_proof", "not an openid4vci-proof+jwt signed with ES256")
	}
	// The header names its key in exactly one way (Appendix F.1); a kid or x5c beside the jwk could mean another key.
	if !jws.PublicP256(parsed.Header.JSONWebKey) || parsed.Header.KeyID != "" || parsed.HasCertificates() {
		return none, refuse("invalid_proof", "the header must name its key by a public P-256 jwk and nothing else")
	}
	var claims proofClaims
	if err := parsed.Open(parsed.Header.JSONWebKey.Key, &claims); err != nil {
		return none, refuse("invalid_proof", "signature or claims cannot be verified")
	}
	switch {
	case claims.Issuer != nil && client == "":
		return none, refuse("invalid_proof", "iss must be absent after anonymous access")
	case claims.Issuer != nil && *claims.Issuer != client:
		return none, refuse("invalid_proof", "iss is another client than the access token's")
	case claims.Audience != s.config.BaseURL:
		return none, refuse("invalid_proof", "aud is not this credential issuer")
	case !jws.Fresh(claims.Issued, s.config.Clock(), shortLife):
		return none, refuse("invalid_proof", "iat is too far from now")
	case claims.Nonce == "":
		return none, refuse("invalid_proof", "the nonce is missing")
	}
	shown := proven{key: *parsed.Header.JSONWebKey, nonce: claims.Nonce}
	if !s.attests() {
		return shown, nil
	}
	shown.attested, err = s.checkAttestation(parsed, shown.key, shown.nonce)
	return shown, err
}
