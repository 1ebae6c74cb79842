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
	const none, method, identifier = "not a DID", "its method name is empty or has invalid characters", "its identifier is empty or has invalid characters"
	for text, why := range map[string]string{
		"": none, "did": none, "did:": none, "did:web": none, "DID:web:a": none, " did:web:a": none, "urn:web:a": none, "did:web:" + strings.Repeat("a", 4096-7): none,
		"did::a": method, "did:Web:a": method, "did:w-b:a": method, "did:w b:a": method,
		"did:web:": identifier, "did:web:a:": identifier, "did:web:a/b": identifier, "did:web:a?b": identifier, "did:web:a#b": identifier, "did:web:a b": identifier,
		"did:web:a;b": identifier, "did:web:%": identifier, "did:web:%4": identifier, "did:web:%4g": identifier, "did:web:ä": identifier, "did:web:a\n": identifier,
	} {
		if id, err := did.Parse(text); !errors.Is(err, did.ErrMalformed) || !strings.Contains(err.Error(), why) || id != (did.DID{}) {
			t.Errorf("%.40q: got %s, %v, want %q", text, id.String(), err, why)
		}
	}
	if _, err := did.Parse("did:web:" + strings.Repeat("a", 4096-8)); err != nil {
		t.Errorf("as long as it may be: %v", err)
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
	const fragment, path = "not a DID URL with a fragment", "its identifier is empty or has invalid characters"
	for text, why := range map[string]string{
		"": fragment, "#": fragment, "key-1": fragment, "did:web:example.com": fragment, "did:web:example.com#": fragment, "#a#b": fragment, "#a b": fragment,
		"#a%20b": fragment, "#ä": fragment, "#" + strings.Repeat("a", 257): fragment,
		"/a#b": "not a DID", "https://example.com#a": "not a DID", "did:web:example.com/a#b": path, "did:web:example.com?a#b": path,
	} {
		if url, err := did.ParseURL(text, base); !errors.Is(err, did.ErrMalformed) || !strings.Contains(err.Error(), why) || url != (did.URL{}) {
			t.Errorf("%.40q: got %v, want %q", text, err, why)
		}
	}
	if url, err := did.ParseURL("#"+strings.Repeat("a", 256), base); err != nil || len(url.Fragment) != 256 {
		t.Errorf("as long as it may be: %v", err)
	}
	if _, err := did.ParseURL("#key-1", did.DID{}); !errors.Is(err, did.ErrMalformed) || !strings.Contains(err.Error(), "relative DID URL without a base") {
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
	if said := fmt.Sprint(url.DID, url, document, did.DID{}); said != "did:jwk[redacted] did:jwk[redacted]#[redacted] did-document[redacted] did[none]" {
		t.Errorf("printed as %s", said)
	}
	text := fmt.Sprintf("%v %+v %#v %v %+v %#v %s %q", all, all, all, url.DID, url, document, url.DID, url) + string(encoded) +
		url.DID.LogValue().String() + url.LogValue().String() + document.LogValue().String()
	if strings.Contains(text, identity.DID[len("did:jwk:"):]) || strings.Contains(text, identity.JWK(t)["x"].(string)) || !strings.Contains(text, "did:jwk[redacted]") {
		t.Errorf("got %s", text)
	}
}
