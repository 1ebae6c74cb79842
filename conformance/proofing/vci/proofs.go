package vci

import (
	"encoding/json"
	"slices"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/nonce"
	"regain/conformance/proofing/web"
)

// keyProofs verifies that wallets hold the keys that credentials are to be bound to.
type keyProofs struct {
	baseURL   string
	nonces    *nonce.Book
	attesters jose.JWKSet // none if keys need no attestation
	clock     func() time.Time
}

// check verifies the key proofs (OpenID4VCI 1.0 Appendix F.1, F.4) and returns to whom to issue: to those who
// signed a proof, and then to the keys that were attested along with them, as far as the batch goes. All proofs carry
// the same nonce, which is spent when everything else is right; each has a key of its own. client is who got the access
// token.
func (k keyProofs) check(configuration string, shown map[string]json.RawMessage, client string) ([]credential.Holder, error) {
	proofs, err := k.readAll(shown)
	if err != nil {
		return nil, err
	}
	var spent string
	var holders, more []credential.Holder
	for i, proof := range proofs {
		shown, err := k.checkOne(configuration, proof, client)
		if err != nil {
			return nil, err
		}
		if i > 0 && shown.nonce != spent {
			return nil, web.Refuse("invalid_nonce", "the proofs carry different nonces")
		}
		if slices.ContainsFunc(holders, shown.by.Same) {
			return nil, web.Refuse("invalid_proof", "two proofs have the same key")
		}
		spent, holders, more = shown.nonce, append(holders, shown.by), append(more, shown.attested...)
	}
	if !k.nonces.Spend(spent, k.clock()) {
		return nil, web.Refuse("invalid_nonce", "the nonce is not known, expired or used")
	}
	for _, one := range more {
		if len(holders) < maxBatch && !slices.ContainsFunc(holders, one.Same) {
			holders = append(holders, one)
		}
	}
	return holders, nil
}

// readAll wants proofs of one type (OpenID4VCI 1.0 §8.2), and of the only type that is taken here.
func (keyProofs) readAll(shown map[string]json.RawMessage) ([]string, error) {
	raw, found := shown["jwt"]
	if !found || len(shown) != 1 {
		return nil, web.Refuse("invalid_proof", "proofs of type jwt are required, and no others")
	}
	var proofs []string
	if err := json.Unmarshal(raw, &proofs); err != nil || len(proofs) == 0 {
		return nil, web.Refuse("invalid_proof", "proofs of type jwt are a list of at least one string")
	}
	if len(proofs) > maxBatch {
		return nil, web.Refuse("invalid_credential_request", "too many proofs")
	}
	return proofs, nil
}

// proofClaims are the claims of a key proof (OpenID4VCI 1.0 Appendix F.1).
type proofClaims struct {
	Issuer   *string `json:"iss"`
	Audience any     `json:"aud"`
	Issued   int64   `json:"iat"`
	Nonce    string  `json:"nonce"`
}

// proven is what a key proof shows.
type proven struct {
	by       credential.Holder
	attested []credential.Holder // by the key attestation in its header, where those are asked for
	nonce    string
}

const proofType = "openid4vci-proof+jwt"

// readProof finds the key of a proof. The header names it in exactly one way (OpenID4VCI 1.0 Appendix F.1); a kid or
// x5c beside the jwk could mean another key.
func readProof(proof string) (jose.Token, credential.Holder, error) {
	parsed, err := jose.ParseTyped(proof, proofType)
	if err != nil {
		return parsed, credential.Holder{}, web.Refuse("invalid_proof", "not an openid4vci-proof+jwt signed with ES256")
	}
	if !jose.IsP256(parsed.Key) || parsed.KeyID != "" || parsed.Has("x5c") {
		return parsed, credential.Holder{}, web.Refuse("invalid_proof", "the header must name its key by a public P-256 jwk and nothing else")
	}
	return parsed, credential.Holder{Key: *parsed.Key}, nil
}

// readDIDProof is readProof where the credential is to be bound to a DID: then the kid is a DID URL.
func readDIDProof(proof string) (jose.Token, credential.Holder, error) {
	parsed, err := jose.ParseTyped(proof, proofType)
	if err != nil {
		return parsed, credential.Holder{}, web.Refuse("invalid_proof", "not an openid4vci-proof+jwt signed with ES256K, ES256 or EdDSA")
	}
	if parsed.Key != nil || parsed.Has("x5c") {
		return parsed, credential.Holder{}, web.Refuse("invalid_proof", "the header must name its key by a kid and nothing else")
	}
	id, key, err := did.Holder(parsed.KeyID)
	if err != nil {
		return parsed, credential.Holder{}, web.Refuse("invalid_proof", "kid: "+err.Error())
	}
	return parsed, credential.Holder{Key: jose.JWK{Key: key}, DID: id}, nil
}

func (k keyProofs) checkOne(configuration, proof, client string) (proven, error) {
	none, read := proven{}, readProof
	if configuration == credential.JWTID {
		read = readDIDProof
	}
	parsed, holder, err := read(proof)
	if err != nil {
		return none, err
	}
	var claims proofClaims
	if err := parsed.Open(holder.Key.Key, &claims); err != nil {
		return none, web.Refuse("invalid_proof", "signature or claims cannot be verified")
	}
	switch {
	case claims.Issuer != nil && client == "":
		return none, web.Refuse("invalid_proof", "iss must be absent after anonymous access")
	case claims.Issuer != nil && *claims.Issuer != client:
		return none, web.Refuse("invalid_proof", "iss is another client than the access token's")
	case claims.Audience != k.baseURL:
		return none, web.Refuse("invalid_proof", "aud is not this credential issuer")
	case !jose.Fresh(claims.Issued, k.clock(), nonce.Life):
		return none, web.Refuse("invalid_proof", "iat is too far from now")
	case claims.Nonce == "":
		return none, web.Refuse("invalid_proof", "the nonce is missing")
	}
	shown := proven{by: holder, nonce: claims.Nonce}
	if !k.attests() {
		return shown, nil
	}
	attested, err := k.checkAttestation(parsed, holder.Key, shown.nonce)
	if err != nil || holder.DID != "" { // of no other key is it known whose DID it belongs to
		return shown, err
	}
	for _, key := range attested {
		shown.attested = append(shown.attested, credential.Holder{Key: key})
	}
	return shown, nil
}
