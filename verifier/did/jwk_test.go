package did_test

import (
	"errors"
	"strings"
	"testing"

	"regain/verifier/did"
	"regain/verifier/verifiertest"
)

// The examples of the did:jwk specification.
const (
	specJWK = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
	specEnc = "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5yZngtRkctSUswOCJ9"
)

func TestResolveJWKOfTheSpecification(t *testing.T) {
	document, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, specJWK))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := document.Key(parseURL(t, specJWK+"#0"), did.AssertionMethod); err != nil {
		t.Error(err)
	}
	if _, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, specEnc)); !errors.Is(err, did.ErrMalformed) {
		t.Errorf("X25519: %v", err)
	}
}

func TestResolveJWKRefuses(t *testing.T) {
	signer := verifiertest.NewSigner(t, "ES256K")
	of := func(change func(jwk map[string]any)) string {
		jwk := signer.JWK(t)
		change(jwk)
		return verifiertest.Encode(verifiertest.JSON(t, jwk))
	}
	for name, row := range map[string]struct {
		id  string
		why string
	}{
		"private key":   {of(func(jwk map[string]any) { jwk["d"] = jwk["x"] }), "a private key: it has the member d"},
		"another curve": {of(func(jwk map[string]any) { jwk["crv"] = "P-384" }), "a kind of key that is not used here"},
		"off the curve": {of(func(jwk map[string]any) { jwk["x"] = jwk["y"] }), "it is not on its curve"},
		"name that repeats": {verifiertest.Encode([]byte(`{"kty":"EC","kty":"EC","crv":"secp256k1","x":"` + signer.JWK(t)["x"].(string) +
			`","y":"` + signer.JWK(t)["y"].(string) + `"}`)), "a name stands twice"},
		"deep":             {of(func(jwk map[string]any) { jwk["x5c"] = []any{[]any{[]any{[]any{}}}} }), "nested too deep"},
		"a list":           {verifiertest.Encode([]byte(`[]`)), "not strict JSON: not an object"},
		"no JSON":          {verifiertest.Encode([]byte(`x`)), "no value at byte 0"},
		"something behind": {verifiertest.Encode([]byte(`{} {}`)), "something follows the value"},
		"not base64url":    {"a.b", "not base64url in its canonical form"},
		"other base64url":  {strings.NewReplacer("-", ".", "_", ".").Replace(of(func(jwk map[string]any) { jwk["kid"] = "???~~~" })), "not base64url in its canonical form"},
		"other last bits":  {"e31", "not base64url in its canonical form"},
	} {
		if document, err := newResolver(t, nothing{}).Resolve(t.Context(), did.DID{}); err == nil || !strings.Contains(err.Error(), "its method is not jwk, ion or web") || document != nil {
			t.Fatal("no DID resolves")
		}
		parsed := parse(t, "did:jwk:"+row.id)
		if document, err := newResolver(t, nothing{}).Resolve(t.Context(), parsed); !errors.Is(err, did.ErrMalformed) || !strings.Contains(err.Error(), row.why) || document != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// It has a key, and none that signs.
	enc := parse(t, "did:jwk:"+of(func(jwk map[string]any) { jwk["use"] = "enc" }))
	document, err := newResolver(t, nothing{}).Resolve(t.Context(), enc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := document.Key(did.URL{DID: enc, Fragment: "0"}, did.Authentication); !errors.Is(err, did.ErrNoKey) {
		t.Errorf("use enc: %v", err)
	}
	sig := parse(t, "did:jwk:"+of(func(jwk map[string]any) { jwk["use"], jwk["kid"] = "sig", "mine" }))
	if document, err = newResolver(t, nothing{}).Resolve(t.Context(), sig); err != nil {
		t.Fatal(err)
	}
	if _, err := document.Key(did.URL{DID: sig, Fragment: "mine"}, did.Authentication); !errors.Is(err, did.ErrNoKey) {
		t.Errorf("its kid: %v", err)
	}
	if _, err := document.Key(did.URL{DID: sig, Fragment: "0"}, did.Authentication); err != nil {
		t.Errorf("use sig: %v", err)
	}
}
