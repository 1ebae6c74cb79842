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

// FuzzDocument holds that what reads as a document is of the DID that was asked for.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"id":"did:web:issuer.example","verificationMethod":[{"id":"#a","publicKeyJwk":{}}],"authentication":["#a",{"id":"#b"}],"service":[{"type":"LinkedDomains","serviceEndpoint":["a",{"origins":["b"]}]}]}`))
	id := parse(f, "did:web:issuer.example")
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := newResolver(t, page(raw)).Resolve(t.Context(), id)
		if err == nil && document.ID() != id || err != nil && document != nil {
			t.Errorf("%s: %v", raw, err)
		}
	})
}
