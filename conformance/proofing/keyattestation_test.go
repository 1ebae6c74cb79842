package proofing_test

import (
	"crypto/ecdsa"
	"net/http"
	"slices"
	"testing"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/proofing"
)

// attested is a key proof, and the key attestation that stands in its header; a test breaks either.
type attested struct {
	b                *bench
	attester, holder *ecdsa.PrivateKey
	options          map[string]any // of the attestation
	claims, proof    map[string]any
	header           any // instead of the attestation, if not nil
}

func setUpAttested(t *testing.T) (b *bench, attester *ecdsa.PrivateKey) {
	t.Helper()
	attester = newKey(t)
	b = setUpWith(t, func(c *proofing.Config) {
		c.KeyAttesters = jose.JWKSet{Keys: []jose.JWK{{Key: attester.Public(), KeyID: "a"}}}
	})
	return b, attester
}

func newAttested(t *testing.T, b *bench, attester *ecdsa.PrivateKey) *attested {
	t.Helper()
	a := &attested{b: b, attester: attester, holder: newKey(t)}
	_, a.proof = b.proof(a.holder)
	a.options = map[string]any{"typ": "key-attestation+jwt", "kid": "a"}
	a.claims = map[string]any{
		"iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(), "nonce": a.proof["nonce"],
		"attested_keys": []jose.JWK{{Key: newKey(t).Public()}, {Key: a.holder.Public()}},
	}
	return a
}

func (a *attested) ask(access string) (int, map[string]any) {
	header := a.header
	if header == nil {
		header = sign(a.b.t, a.attester, a.options, a.claims)
	}
	options, _ := a.b.proof(a.holder)
	options["key_attestation"] = header
	return a.b.ask(access, credentialBody(sign(a.b.t, a.holder, options, a.proof)))
}

// Each row starts from a good attestation and breaks one thing.
func TestKeyAttestationsThatAreRefused(t *testing.T) {
	b, attester := setUpAttested(t)
	access := b.access("ada.lindqvist")
	for name, row := range map[string]struct {
		change func(a *attested)
		code   string
	}{
		"none":             {func(a *attested) { a.header = "" }, "invalid_proof"},
		"no text":          {func(a *attested) { a.header = map[string]any{"iat": 1} }, "invalid_proof"},
		"typ":              {func(a *attested) { a.options = map[string]any{"typ": "JWT"} }, "invalid_proof"},
		"a stranger's":     {func(a *attested) { a.attester = newKey(t) }, "invalid_proof"},
		"the holder's own": {func(a *attested) { a.attester = a.holder }, "invalid_proof"},
		"another kid":      {func(a *attested) { a.options["kid"] = "b" }, "invalid_proof"},
		"no iat":           {func(a *attested) { delete(a.claims, "iat") }, "invalid_proof"},
		"iat ahead":        {func(a *attested) { a.claims["iat"] = b.now.Add(time.Hour).Unix() }, "invalid_proof"},
		"no exp":           {func(a *attested) { delete(a.claims, "exp") }, "invalid_proof"},
		"expired":          {func(a *attested) { a.claims["exp"] = b.now.Unix() }, "invalid_proof"},
		"no keys":          {func(a *attested) { delete(a.claims, "attested_keys") }, "invalid_proof"},
		"other keys":       {func(a *attested) { a.claims["attested_keys"] = []jose.JWK{{Key: newKey(t).Public()}} }, "invalid_proof"},
		"a private key":    {func(a *attested) { a.claims["attested_keys"] = []jose.JWK{{Key: a.holder}} }, "invalid_proof"},
		"a private key too": {func(a *attested) {
			a.claims["attested_keys"] = []jose.JWK{{Key: a.holder.Public()}, {Key: newKey(t)}}
		}, "invalid_proof"},
		"keys of no kind": {func(a *attested) { a.claims["attested_keys"] = []any{map[string]any{"kty": "none"}} }, "invalid_proof"},
		"no nonce":        {func(a *attested) { delete(a.claims, "nonce") }, "invalid_nonce"},
		"another nonce":   {func(a *attested) { a.claims["nonce"] = b.nonce() }, "invalid_nonce"},
		"too many keys": {func(a *attested) {
			a.claims["attested_keys"] = slices.Repeat([]jose.JWK{{Key: a.holder.Public()}}, 51)
		}, "invalid_proof"},
	} {
		a := newAttested(t, b, attester)
		row.change(a)
		if status, answer := a.ask(access); status != http.StatusBadRequest || answer["error"] != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

// Keys that are attested along with the one that signs get credentials of their own (OpenID4VCI 1.0 Appendix F.1).
func TestAttestedKeys(t *testing.T) {
	b, attester := setUpAttested(t)
	for _, name := range []string{proofing.ConfigurationID, proofing.LicenceID} {
		proof, _ := b.metadata("/.well-known/openid-credential-issuer")["credential_configurations_supported"].(map[string]any)[name].(map[string]any)
		types, _ := proof["proof_types_supported"].(map[string]any)
		if jwt, _ := types["jwt"].(map[string]any); jwt["key_attestations_required"] == nil {
			t.Errorf("%s: the metadata says nothing of attestations: %v", name, types)
		}
	}
	access := b.access("ada.lindqvist")
	if status, answer := newAttested(t, b, attester).ask(access); status != http.StatusOK || len(list(answer["credentials"])) != 2 {
		t.Errorf("%d %v", status, answer["error"])
	}
	many := newAttested(t, b, attester)
	keys := []jose.JWK{{Key: many.holder.Public()}}
	for range 10 {
		keys = append(keys, jose.JWK{Key: newKey(t).Public()})
	}
	many.claims["attested_keys"] = keys
	if status, answer := many.ask(b.access("ada.lindqvist")); status != http.StatusOK || len(list(answer["credentials"])) != 5 {
		t.Errorf("eleven keys: %d %v, %d credentials", status, answer["error"], len(list(answer["credentials"])))
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// Where attestations are not asked for, one in the header changes nothing.
func TestAnAttestationThatNobodyAskedFor(t *testing.T) {
	b := setUp(t)
	a := newAttested(t, b, newKey(t))
	if status, answer := a.ask(b.access("ada.lindqvist")); status != http.StatusOK || len(list(answer["credentials"])) != 1 {
		t.Errorf("%d %v", status, answer["error"])
	}
}

// The key of a DID is attested like any other; the keys beside it are of nobody's DID.
func TestAttestedDIDs(t *testing.T) {
	b, attester := setUpAttested(t)
	access := b.accessTo(proofing.JWTID)
	for name, row := range map[string]struct {
		holder did.Identity
		names  func(own jose.JWK) []jose.JWK
		want   int // credentials
	}{
		"its own key and another": {newHolder(t, did.JWK, "ES256"), func(own jose.JWK) []jose.JWK { return []jose.JWK{{Key: newKey(t).Public()}, own} }, 1},
		"another key":             {newHolder(t, did.JWK, "ES256"), func(jose.JWK) []jose.JWK { return []jose.JWK{{Key: newKey(t).Public()}} }, 0},
		"of another curve":        {newHolder(t, did.JWK, "EdDSA"), func(own jose.JWK) []jose.JWK { return []jose.JWK{own} }, 0},
	} {
		a := newAttested(t, b, attester)
		a.claims["attested_keys"] = row.names(jose.JWK{Key: row.holder.Public()})
		proof := b.didProof(row.holder, a.claims["nonce"].(string), map[string]any{"key_attestation": sign(t, attester, a.options, a.claims)}, nil)
		status, answer := b.ask(access, vcBody(proof))
		if list, _ := answer["credentials"].([]any); len(list) != row.want || (status == http.StatusOK) != (row.want > 0) {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}
