package authenticatortest

import (
	"crypto"
	"testing"

	"regain/conformance/jose"
	"regain/conformance/wallet/wallettest"
)

// Party is somebody with a DID.
type Party struct {
	DID  string
	Name string // of the key, after the # of a kid
	key  crypto.Signer
}

// NewParty makes a party with a did:web, or, when the DID is empty, with a did:jwk.
func NewParty(t testing.TB, did, alg string) Party {
	t.Helper()
	key, err := jose.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	p := Party{DID: did, Name: "key-1", key: key}
	if did == "" {
		p.DID, p.Name = "did:jwk:"+wallettest.Encode([]byte(wallettest.ToJSON(t, p.JWK(t)))), "0"
	}
	return p
}

// JWK returns the members of the public key.
func (p Party) JWK(t testing.TB) map[string]any {
	t.Helper()
	var members map[string]any
	wallettest.FromJSON(t, []byte(wallettest.ToJSON(t, jose.JWK{Key: p.key.Public()})), &members)
	return members
}

// KID is the absolute DID URL of the key.
func (p Party) KID() string { return p.DID + "#" + p.Name }

// Document is the party's DID document, with the origin linked when it is not empty.
func (p Party) Document(t testing.TB, origin string) map[string]any {
	t.Helper()
	document := map[string]any{
		"@context": []string{"https://www.w3.org/ns/did/v1"}, "id": p.DID,
		"verificationMethod": []any{map[string]any{"id": p.KID(), "controller": p.DID, "type": "JsonWebKey2020", "publicKeyJwk": p.JWK(t)}},
		"authentication":     []string{p.KID()}, "assertionMethod": []string{p.KID()},
	}
	if origin != "" {
		document["service"] = []any{map[string]any{"id": p.DID + "#linkeddomains", "type": "LinkedDomains",
			"serviceEndpoint": map[string]any{"origins": []string{origin}}}}
	}
	return document
}

// Sign writes a compact JWS with these members in its header, and alg.
func (p Party) Sign(t testing.TB, header map[string]any, claims any) string {
	t.Helper()
	compact, err := jose.Sign(p.key, header, claims)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// JWT signs with the header that JWT VCs have.
func (p Party) JWT(t testing.TB, claims any) string {
	t.Helper()
	return p.Sign(t, map[string]any{"typ": "JWT", "kid": p.KID()}, claims)
}
