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
	for name, row := range map[string]struct{ did, keyID, why string }{
		"nothing":         {"", "key-1", "it is not a DID"},
		"a URL":           {"https://recover.example.org", "key-1", "it is not a DID"},
		"no method":       {"did::recover", "key-1", "it is not a DID"},
		"capital letters": {"did:Web:recover.example.org", "key-1", "it is not a DID"},
		"DID in capitals": {"DID:web:recover.example.org", "key-1", "it is not a DID"},
		"nothing more":    {"did:web:", "key-1", "it is not a DID"},
		"an open end":     {"did:web:recover.example.org:", "key-1", "it is not a DID"},
		"two parts":       {"did:web", "key-1", "it is not a DID"},
		"a DID URL":       {"did:web:recover.example.org#key-1", "key-1", "it is not a DID"},
		"a path":          {"did:web:recover.example.org/path", "key-1", "it is not a DID"},
		"a query":         {"did:web:recover.example.org?x", "key-1", "it is not a DID"},
		"a space":         {"did:web:recover example", "key-1", "it is not a DID"},
		"a quote":         {`did:web:recover"`, "key-1", "it is not a DID"},
		"the prefix too":  {"decentralized_identifier:did:web:recover.example.org", "key-1", "it is not a DID"},
		"too long":        {"did:web:" + strings.Repeat("a", 600), "key-1", "it is not a DID"},
		"no fragment":     {"did:web:recover.example.org", "", "name the fragment"},
		"a # too many":    {"did:web:recover.example.org", "#key-1", "name the fragment"},
		"a whole DID URL": {"did:web:recover.example.org", "did:web:recover.example.org#key-1", "name the fragment"},
	} {
		if who, err := identity.DID(row.did, row.keyID, key); err == nil || !strings.Contains(err.Error(), row.why) || who != nil {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
	}
	for did, ok := range map[string]bool{ // the first and the last of what may stand there, and what stands beside it
		"did:az09:a": true, "did:`:a": false, "did:{:a": false, "did:/:a": false, "did:A:a": false, "did:a-b:a": false,
		"did:x:azAZ09.-_:%3A": true, "did:x:`": false, "did:x:{": false, "did:x:@": false, "did:x:[": false, "did:x:/": false, "did:x:;": false,
		"did:x:" + strings.Repeat("a", 512): true, "did:x:" + strings.Repeat("a", 513): false,
	} {
		if _, err := identity.DID(did, "key-1", key); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "it is not a DID") {
			t.Errorf("%.20s: %v", did, err)
		}
	}
	if who, err := identity.DID("did:web:recover.example.org", "key-1", nil); err == nil || !strings.Contains(err.Error(), "there is no key") || who != nil {
		t.Errorf("without a key: %v", err)
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
	const registered, prefix = "give the one that the wallet's maker registered", "a registered one must not begin with "
	for clientID, why := range map[string]string{
		"x509_hash:x": prefix + "x509_hash:", "x509_san_dns:x": prefix + "x509_san_dns:", "redirect_uri:https://x": prefix + "redirect_uri:",
		"decentralized_identifier:did:x:y": prefix + "decentralized_identifier:", "verifier_attestation:x": prefix + "verifier_attestation:",
		"openid_federation:https://x": prefix + "openid_federation:", "origin:https://x": prefix + "origin:",
		"": registered, "with space": registered, "with\nbreak": registered, `with"quote`: registered, `with\slash`: registered, "wíth accent": registered,
		"with\x7f": registered, strings.Repeat("x", 513): registered,
	} {
		if who, err := identity.PreRegistered(clientID, "", key); err == nil || !strings.Contains(err.Error(), why) || who != nil {
			t.Errorf("%.20q: got %v, want %q", clientID, err, why)
		}
	}
	for _, clientID := range []string{"!~", strings.Repeat("x", 512)} {
		if _, err := identity.PreRegistered(clientID, "", key); err != nil {
			t.Errorf("%.20q: %v", clientID, err)
		}
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, edwards, err)
	if who, err := identity.PreRegistered("regain", "", edwards); err == nil || !strings.Contains(err.Error(), "its key is not on P-256") || who != nil {
		t.Errorf("a key for another algorithm: %v", err)
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
