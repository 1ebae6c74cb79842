package did_test

import (
	"encoding/json"
	"strings"
	"testing"

	"regain/verifier/did"
	"regain/verifier/verifiertest"
)

// FuzzParse holds that a DID, and a URL, is what was written and nothing else.
func FuzzParse(f *testing.F) {
	f.Add("did:web:example.com%3A3000:user:alice#key-1")
	f.Add("#0")
	f.Add(specJWK + "#0")
	base := parse(f, "did:web:base.example")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := did.Parse(text); err == nil && id.String() != text {
			t.Errorf("%q became %q", text, id.String())
		}
		url, err := did.ParseURL(text, base)
		if err != nil {
			return
		}
		whole := url.DID.String() + "#" + url.Fragment
		if whole != text && (url.DID != base || "#"+url.Fragment != text) {
			t.Errorf("%q became %q", text, whole)
		}
		if again, err := did.ParseURL(whole, did.DID{}); err != nil || again != url {
			t.Errorf("%q is not read again: %v", whole, err)
		}
		if at, err := did.Address(url.DID); err == nil && (!strings.HasPrefix(at, "https://") || strings.ContainsAny(at, "%?#@\\") || strings.Contains(at+"/", "/../")) {
			t.Errorf("%q is at %q", whole, at)
		}
	})
}

// FuzzResolveJWK holds that a did:jwk has the key that its text says, or does not resolve.
func FuzzResolveJWK(f *testing.F) {
	for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
		f.Add(verifiertest.JSON(f, verifiertest.NewSigner(f, algorithm).JWK(f)))
	}
	f.Fuzz(func(t *testing.T, jwk []byte) {
		id, err := did.Parse("did:jwk:" + verifiertest.Encode(jwk))
		if err != nil {
			return
		}
		document, err := newResolver(t, nothing{}).Resolve(t.Context(), id)
		if err != nil {
			return
		}
		var says map[string]any
		if err := json.Unmarshal(jwk, &says); err != nil {
			t.Fatal(err)
		}
		_, private := says["d"]
		_, err = document.Key(did.URL{DID: id, Fragment: "0"}, did.Authentication)
		if private || (err == nil) != (says["use"] != "enc") {
			t.Errorf("%s resolves: %v", jwk, err)
		}
	})
}

// FuzzDocument holds that what reads as a document is of the DID that was asked for, and that a key is found for no
// purpose but those under which it is listed.
func FuzzDocument(f *testing.F) {
	const jwk = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	const method = `{"id":"#a","type":"JsonWebKey2020","controller":"did:web:issuer.example","publicKeyJwk":` + jwk + `}`
	f.Add([]byte(`{"id":"did:web:issuer.example","verificationMethod":[` + method + `],"authentication":["#a"],"assertionMethod":[]}`))
	f.Add([]byte(`{"id":"did:web:issuer.example","assertionMethod":[` + method + `],"service":[{"type":"LinkedDomains","serviceEndpoint":"https://a.example"}]}`))
	f.Add([]byte(`{"id":"did:web:issuer.example","verificationMethod":[` + method + `],"authentication":["did:web:issuer.example#a"],"assertionMethod":["did:web:other.example#a"]}`))
	f.Add([]byte(`{"id":"did:web:issuer.example","verificationMethod":[{"id":"#a","publicKeyJwk":{}}],"authentication":["#a",{"id":"#b"}],"service":[{"type":"LinkedDomains","serviceEndpoint":["a",{"origins":["b"]}]}]}`))
	id := parse(f, "did:web:issuer.example")
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := newResolver(t, page(raw)).Resolve(t.Context(), id)
		if err != nil {
			if document != nil {
				t.Errorf("%s: a document beside %v", raw, err)
			}
			return
		}
		if document.ID() != id {
			t.Errorf("%s: of %s", raw, document.ID().String())
		}
		var says map[string]any
		if err := json.Unmarshal(raw, &says); err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []did.Purpose{did.Authentication, did.AssertionMethod} {
			if list, _ := says[string(purpose)].([]any); len(list) > 0 {
				continue
			}
			if key, err := document.Key(did.URL{DID: id, Fragment: "a"}, purpose); err == nil {
				t.Errorf("%s: %v, although nothing is listed under %s", raw, key, purpose)
			}
		}
	})
}
