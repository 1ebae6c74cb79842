package identity_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"regain/presentation/identity"
)

func TestDID(t *testing.T) {
	key := newKey(t)
	for _, did := range []string{"did:web:recover.example.org", "did:web:localhost%3A8400:verifier", "did:jwk:eyJrdHkiOiJFQyJ9", "did:example:123"} {
		who, err := identity.DID(did, "key-1", hsm{key})
		must(t, who, err)
		if header := signed(t, who, key.Public()); header["kid"] != did+"#key-1" || len(header) != 3 {
			t.Errorf("%s: header %v", did, header)
		}
		if who.ClientID("https://r.example/") != "decentralized_identifier:"+did || who.Prefix() != identity.DIDOf {
			t.Errorf("%s: %s", did, who.ClientID(""))
		}
		if who.CheckResponseURI("https://anywhere.example/") != nil || !who.NotAfter().IsZero() || who.Usable(noon.AddDate(100, 0, 0)) != nil {
			t.Errorf("%s is bound to a place or a time", did)
		}
	}
	for name, row := range map[string]struct{ did, keyID string }{
		"nothing":         {"", "key-1"},
		"a URL":           {"https://recover.example.org", "key-1"},
		"no method":       {"did::recover", "key-1"},
		"capital letters": {"did:Web:recover.example.org", "key-1"},
		"DID in capitals": {"DID:web:recover.example.org", "key-1"},
		"nothing more":    {"did:web:", "key-1"},
		"an open end":     {"did:web:recover.example.org:", "key-1"},
		"two parts":       {"did:web", "key-1"},
		"a DID URL":       {"did:web:recover.example.org#key-1", "key-1"},
		"a path":          {"did:web:recover.example.org/path", "key-1"},
		"a query":         {"did:web:recover.example.org?x", "key-1"},
		"a space":         {"did:web:recover example", "key-1"},
		"a quote":         {`did:web:recover"`, "key-1"},
		"the prefix too":  {"decentralized_identifier:did:web:recover.example.org", "key-1"},
		"too long":        {"did:web:" + strings.Repeat("a", 600), "key-1"},
		"no fragment":     {"did:web:recover.example.org", ""},
		"a # too many":    {"did:web:recover.example.org", "#key-1"},
		"a whole DID URL": {"did:web:recover.example.org", "did:web:recover.example.org#key-1"},
	} {
		if who, err := identity.DID(row.did, row.keyID, key); err == nil || who != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if who, err := identity.DID("did:web:recover.example.org", "key-1", nil); err == nil || who != nil {
		t.Error("without a key: accepted")
	}
}

func TestPreRegistered(t *testing.T) {
	key := newKey(t)
	for _, clientID := range []string{"regain", "https://recover.example.org", "urn:regain:verifier", "x509_hash", "my_x509_hash:x", "s6BhdRkqt3"} {
		who, err := identity.PreRegistered(clientID, "", key)
		must(t, who, err)
		if header := signed(t, who, key.Public()); header["kid"] != nil || len(header) != 2 {
			t.Errorf("%s: header %v", clientID, header)
		}
		if who.ClientID("https://r.example/") != clientID || who.Prefix() != identity.None {
			t.Errorf("%s became %s", clientID, who.ClientID(""))
		}
	}
	who, err := identity.PreRegistered("regain", "key-1", key)
	must(t, who, err)
	if header := signed(t, who, key.Public()); header["kid"] != "key-1" {
		t.Errorf("header %v", header)
	}
	// A wallet would take these for something else (§5.9.2), or could not read them.
	for _, clientID := range []string{
		"x509_hash:x", "x509_san_dns:x", "redirect_uri:https://x", "decentralized_identifier:did:x:y", "verifier_attestation:x", "openid_federation:https://x",
		"origin:https://x", "", "with space", "with\nbreak", `with"quote`, `with\slash`, "wíth accent", strings.Repeat("x", 600),
	} {
		if who, err := identity.PreRegistered(clientID, "", key); err == nil || who != nil {
			t.Errorf("%q: accepted", clientID)
		}
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, edwards, err)
	if who, err := identity.PreRegistered("regain", "", edwards); err == nil || who != nil {
		t.Error("a key for another algorithm: accepted")
	}
}

// Those without a key sign nothing, neither alone nor with others.
func TestWhoSignsNothing(t *testing.T) {
	registered, err := identity.PreRegistered("regain", "key-1", nil)
	must(t, registered, err)
	redirect := identity.RedirectURI()
	const uri = "https://recover.example.org/r"
	if redirect.Prefix() != identity.RedirectURIOf || redirect.ClientID(uri) != "redirect_uri:"+uri || registered.ClientID(uri) != "regain" {
		t.Errorf("%s, %s", redirect.ClientID(uri), registered.ClientID(uri))
	}
	for _, who := range []*identity.Identity{registered, redirect} {
		object, err := who.Sign([]byte("{}"))
		if err == nil || object != nil || who.Signs() {
			t.Errorf("%s signs: %s", who.ClientID(uri), object)
		}
		if one, err := who.SignOneOf("e30", nil); err == nil || one != (identity.Signature{}) {
			t.Errorf("%s signs with others: %v", who.ClientID(uri), one)
		}
		if who.CheckResponseURI(uri) != nil || who.Usable(noon.Add(time.Hour)) != nil || !who.NotAfter().IsZero() {
			t.Errorf("%s is bound to a place or a time", who.ClientID(uri))
		}
	}
}
