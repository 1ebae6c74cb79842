package did_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"regain/verifier/did"
	"regain/verifier/verifiertest"
)

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func parseURL(t testing.TB, text string) did.URL {
	t.Helper()
	url, err := did.ParseURL(text, did.DID{})
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestParse(t *testing.T) {
	for _, text := range []string{"did:web:example.com", "did:web:example.com%3A3000:user:alice", "did:jwk:e30", "did:a1:A-._:b", "did:x:::a", "did:x:%00"} {
		id, err := did.Parse(text)
		if err != nil || id.String() != text {
			t.Errorf("%s: got %s, %v", text, id.String(), err)
		}
		if id.Method() != strings.Split(text, ":")[1] {
			t.Errorf("%s: method is %s", text, id.Method())
		}
	}
	for _, text := range []string{
		"", "did", "did:", "did:web", "did:web:", "did::a", "DID:web:a", "did:Web:a", "did:w-b:a", "did:web:a:", "did:web:a/b", "did:web:a?b", "did:web:a#b",
		"did:web:a b", "did:web:a;b", "did:web:%", "did:web:%4", "did:web:%4g", "did:web:ä", " did:web:a", "did:web:a\n", "urn:web:a", "did:web:" + strings.Repeat("a", 4096),
	} {
		if id, err := did.Parse(text); !errors.Is(err, did.ErrMalformed) || id != (did.DID{}) {
			t.Errorf("%.40q: got %s, %v", text, id.String(), err)
		}
	}
	if (did.DID{}).String() != "" {
		t.Error("no DID has a text")
	}
}

func TestParseURL(t *testing.T) {
	base := parse(t, "did:web:example.com")
	for text, want := range map[string][2]string{
		"#key-1":                        {"did:web:example.com", "key-1"},
		"did:web:example.com#key-1":     {"did:web:example.com", "key-1"},
		"did:web:other.example#a/b?c=d": {"did:web:other.example", "a/b?c=d"},
	} {
		url, err := did.ParseURL(text, base)
		if err != nil || url.DID.String() != want[0] || url.Fragment != want[1] {
			t.Errorf("%s: got %s, %s, %v", text, url.DID.String(), url.Fragment, err)
		}
	}
	for _, text := range []string{
		"", "#", "key-1", "did:web:example.com", "did:web:example.com#", "#a#b", "#a b", "#a%20b", "#ä", "/a#b", "did:web:example.com/a#b", "did:web:example.com?a#b",
		"https://example.com#a", "#" + strings.Repeat("a", 257),
	} {
		if _, err := did.ParseURL(text, base); !errors.Is(err, did.ErrMalformed) {
			t.Errorf("%.40q: got %v", text, err)
		}
	}
	if _, err := did.ParseURL("#key-1", did.DID{}); !errors.Is(err, did.ErrMalformed) {
		t.Errorf("relative to nothing: %v", err)
	}
}

func TestIdentifiersRedactThemselves(t *testing.T) {
	identity := verifiertest.NewJWKIdentity(t, "ES256K")
	url := parseURL(t, identity.KeyID)
	document, err := newResolver(t, nothing{}).Resolve(t.Context(), url.DID)
	if err != nil {
		t.Fatal(err)
	}
	type wrapped struct {
		ID  did.DID
		URL did.URL
		Doc *did.Document
	}
	all := wrapped{url.DID, url, document}
	encoded, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %v %+v %#v %s %q", all, all, all, url.DID, url, document, url.DID, url) + string(encoded) +
		url.DID.LogValue().String() + url.LogValue().String() + document.LogValue().String()
	if strings.Contains(text, identity.DID[len("did:jwk:"):]) || strings.Contains(text, identity.JWK(t)["x"].(string)) || !strings.Contains(text, "did:jwk[redacted]") {
		t.Errorf("got %s", text)
	}
}
