package did_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"regain/conformance/did"
)

// encode makes a long form of a state, with all hashes right.
func encode(t testing.TB, state map[string]any) string {
	t.Helper()
	suffix := state["suffixData"].(map[string]any)
	delta, err := did.Hash(state["delta"])
	if err != nil {
		t.Fatal(err)
	}
	suffix["deltaHash"] = delta
	return assemble(t, state)
}

// assemble makes a long form of a state whatever its deltaHash.
func assemble(t testing.TB, state map[string]any) string {
	t.Helper()
	short, err := did.Hash(state["suffixData"])
	if err != nil {
		t.Fatal(err)
	}
	raw, err := did.Canonical(state)
	if err != nil {
		t.Fatal(err)
	}
	return "did:ion:" + short + ":" + base64.RawURLEncoding.EncodeToString(raw)
}

func patch(state map[string]any) map[string]any {
	return state["delta"].(map[string]any)["patches"].([]any)[0].(map[string]any)
}

func firstKey(state map[string]any) map[string]any {
	return patch(state)["document"].(map[string]any)["publicKeys"].([]any)[0].(map[string]any)
}

func TestResolveIONRefuses(t *testing.T) {
	for name, spoil := range map[string]func(state map[string]any){
		"two patches": func(s map[string]any) {
			s["delta"].(map[string]any)["patches"] = []any{patch(s), patch(s)}
		},
		"no patch":          func(s map[string]any) { s["delta"].(map[string]any)["patches"] = []any{} },
		"another action":    func(s map[string]any) { patch(s)["action"] = "add-public-keys" },
		"a key without id":  func(s map[string]any) { delete(firstKey(s), "id") },
		"a key's long id":   func(s map[string]any) { firstKey(s)["id"] = strings.Repeat("a", 51) },
		"a key's odd id":    func(s map[string]any) { firstKey(s)["id"] = "a#b" },
		"a key of no type":  func(s map[string]any) { delete(firstKey(s), "type") },
		"a key with no JWK": func(s map[string]any) { delete(firstKey(s), "publicKeyJwk") },
		"a key twice": func(s map[string]any) {
			d := patch(s)["document"].(map[string]any)
			d["publicKeys"] = []any{firstKey(s), firstKey(s)}
		},
		"keys that are a text": func(s map[string]any) { patch(s)["document"].(map[string]any)["publicKeys"] = "x" },
		"a domain that is a number": func(s map[string]any) {
			patch(s)["document"].(map[string]any)["services"] = []any{map[string]any{"id": "a", "type": "LinkedDomains", "serviceEndpoint": 1}}
		},
	} {
		state := decode(t, vector(t, "sidetree-long-form.txt"))
		spoil(state)
		if _, err := offline().Resolve(t.Context(), encode(t, state)); !errors.Is(err, did.ErrDocument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is broken here is that the DID vouches for its document.
func TestResolveIONHoldsTheHashes(t *testing.T) {
	long := vector(t, "sidetree-long-form.txt")
	parts := strings.Split(long, ":")
	raw, err := base64.RawURLEncoding.DecodeString(parts[3])
	if err != nil {
		t.Fatal(err)
	}
	spelled := func(text string) string {
		return "did:ion:" + parts[2] + ":" + base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	another := decode(t, long)
	firstKey(another)["id"] = "another"
	shadow := decode(t, long)
	shadow["Delta"] = another["delta"]
	for name, text := range map[string]string{
		"written with a space":    spelled(strings.Replace(string(raw), ":", ": ", 1)),
		"the DID of another":      strings.Replace(long, parts[2], "EiA"+parts[2][3:], 1),
		"another delta":           assemble(t, another),
		"a name twice":            spelled(strings.Replace(string(raw), "{", `{"delta":{},`, 1)),
		"something after the end": spelled(string(raw) + "{}"),
		"no JSON":                 spelled("x"),
		"a list":                  spelled("[]"),
		"null":                    spelled("null"),
		"padded":                  long + "=",
		"a line break":            long + "\n",
		"no suffix data":          spelled(`{"delta":{}}`),
		"one part too many":       long + ":e30",
	} {
		if _, err := offline().Resolve(t.Context(), text); !errors.Is(err, did.ErrDocument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A delta beside the delta is no harm, as long as nobody reads it.
	document, err := offline().Resolve(t.Context(), assemble(t, shadow))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := document.Key("publicKeyModel1Id"); err != nil {
		t.Error(err)
	}
}

func TestIONServices(t *testing.T) {
	state := decode(t, vector(t, "sidetree-long-form.txt"))
	patch(state)["document"].(map[string]any)["services"] = []any{
		map[string]any{"id": "a", "type": "LinkedDomains", "serviceEndpoint": "https://a.example"},
		map[string]any{"id": "b", "type": "LinkedDomains", "serviceEndpoint": map[string]any{"origins": []any{"https://b.example", "https://c.example"}}},
		map[string]any{"id": "c", "type": "IdentityHub", "serviceEndpoint": []any{"https://hub.example"}},
	}
	firstKey(state)["purposes"] = []any{"authentication", "assertionMethod"}
	document, err := offline().Resolve(t.Context(), encode(t, state))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(document.Domains, " "); got != "https://a.example https://b.example https://c.example" {
		t.Errorf("its domains are %s", got)
	}
	if !document.Asserts("publicKeyModel1Id") {
		t.Error("its key is not for assertions")
	}
}

// The DIDs of Ed25519 in the profile's test vectors are not those of Sidetree: kid stands after x in
// their JWKs, and their hashes are over that.
func TestTheProfilesOtherDIDsDoNotResolve(t *testing.T) {
	if _, err := verify(t, vector(t, "../../jose/testdata/profile-request-object.jwt")); !errors.Is(err, did.ErrDocument) {
		t.Errorf("got %v", err)
	}
}

// FuzzResolveION holds that nothing resolves but what is its own hash.
func FuzzResolveION(f *testing.F) {
	long := vector(f, "sidetree-long-form.txt")
	f.Add(long)
	state := decode(f, long)
	firstKey(state)["purposes"] = "x"
	f.Add(encode(f, state))
	f.Add("did:ion:a:b")
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "did:ion:") {
			text = "did:ion:" + text
		}
		document, err := offline().Resolve(t.Context(), text)
		if err != nil {
			return
		}
		if document.ID != text || encode(t, decode(t, text)) != text {
			t.Errorf("%q resolves and is not its own hash", text)
		}
	})
}
