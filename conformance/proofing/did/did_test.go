package did_test

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"regain/conformance/proofing/did"
	"regain/conformance/proofing/did/didtest"
	"regain/conformance/proofing/jws"
)

// The example of Sidetree v1.0.0, and that of did:jwk.
//
//go:embed testdata/sidetree-long-form.txt
var published string

const publishedJWK = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"

func TestPublishedDIDs(t *testing.T) {
	for id, name := range map[string]string{strings.TrimSpace(published): "publicKeyModel1Id", publishedJWK: "0"} {
		if found, err := did.KeyOf(id + "#" + name); err != nil || found.DID != id || found.Key == nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := did.KeyOf(id + "#another"); !errors.Is(err, did.ErrUnusable) {
			t.Errorf("another name: %v", err)
		}
		if err := did.Check(id); err != nil {
			t.Error(err)
		}
	}
}

// holders have every kind of key under either method.
func holders(t testing.TB) map[string]didtest.Holder {
	all := map[string]didtest.Holder{}
	for _, alg := range []string{"ES256K", "ES256", "EdDSA"} {
		all["did:jwk "+alg], all["did:ion "+alg] = didtest.JWK(t, alg), didtest.ION(t, alg)
	}
	return all
}

// What a holder signs is verified with the key of their DID, and with no other.
func TestSignatures(t *testing.T) {
	everybody := holders(t)
	for name, h := range everybody {
		compact := h.Sign(t, map[string]any{"typ": "JWT"}, map[string]any{"iss": "x"})
		for whose, other := range everybody {
			found, err := did.KeyOf(other.KID())
			if err != nil {
				t.Fatalf("%s: %v", whose, err)
			}
			parsed, err := jws.ParseWith(compact, "JWT", did.Algorithms()...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := parsed.Open(found.Key, &struct{}{}); (err == nil) != (name == whose) {
				t.Errorf("%s with the key of %s: %v", name, whose, err)
			}
		}
	}
}

// Each row is a key on secp256k1 and a signature that is almost one.
func TestSignaturesThatAreNone(t *testing.T) {
	h := didtest.JWK(t, "ES256K")
	found, err := did.KeyOf(h.KID())
	if err != nil {
		t.Fatal(err)
	}
	compact := h.Sign(t, map[string]any{"typ": "JWT"}, nil)
	signed, text, _ := cutLast(compact)
	signature, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"nothing": nil, "half": signature[:32], "longer": append(signature[:64:64], 0), "zeros": make([]byte, 64),
		"r beyond the order": append([]byte(strings.Repeat("\xff", 32)), signature[32:]...),
		"s beyond the order": append(signature[:32:32], []byte(strings.Repeat("\xff", 32))...),
		"the other way":      append(signature[32:64:64], signature[:32]...),
	} {
		parsed, err := jws.ParseWith(signed+"."+base64.RawURLEncoding.EncodeToString(broken), "JWT", did.Algorithms()...)
		if err == nil {
			err = parsed.Open(found.Key, &struct{}{})
		}
		if !errors.Is(err, jws.Err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func cutLast(compact string) (before, after string, found bool) {
	at := strings.LastIndexByte(compact, '.')
	return compact[:at], compact[at+1:], at > 0
}

// Each row changes one thing about a key that is right.
func TestKeysThatAreNone(t *testing.T) {
	for name, row := range map[string]struct {
		alg    string
		change map[string]any
	}{
		"private":          {"ES256", map[string]any{"d": "AAAA"}},
		"another curve":    {"ES256", map[string]any{"crv": "P-384"}},
		"not on the curve": {"ES256", map[string]any{"y": strings.Repeat("A", 43)}},
		"nor on that":      {"ES256K", map[string]any{"y": strings.Repeat("A", 43)}},
		"short":            {"ES256K", map[string]any{"x": "AAAA"}},
		"padded":           {"EdDSA", map[string]any{"x": strings.Repeat("A", 43) + "="}},
		"secret":           {"EdDSA", map[string]any{"kty": "oct"}},
		"no coordinate":    {"ES256", map[string]any{"y": ""}},
		"for encryption":   {"ES256", map[string]any{"use": "enc"}},
	} {
		h := didtest.JWK(t, row.alg)
		maps.Copy(h.JWK, row.change)
		id := "did:jwk:" + base64.RawURLEncoding.EncodeToString([]byte(text(t, h.JWK)))
		if _, err := did.KeyOf(id + "#0"); !errors.Is(err, did.ErrUnusable) || did.Check(id) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each row changes one thing about a long form; the hashes are right all the same.
func TestLongFormsThatAreNone(t *testing.T) {
	key := func(delta map[string]any) map[string]any { return keys(delta)[0].(map[string]any) }
	for name, change := range map[string]func(delta map[string]any){
		"two patches":        func(d map[string]any) { d["patches"] = append(patches(d), patches(d)...) },
		"another action":     func(d map[string]any) { patches(d)[0].(map[string]any)["action"] = "ietf-json-patch" },
		"no patch":           func(d map[string]any) { d["patches"] = []any{} },
		"a key of no name":   func(d map[string]any) { key(d)["id"] = "" },
		"one name for two":   func(d map[string]any) { document(d)["publicKeys"] = append(keys(d), keys(d)...) },
		"another purpose":    func(d map[string]any) { key(d)["purposes"] = []any{"assertionMethod"} },
		"a key of no kind":   func(d map[string]any) { key(d)["publicKeyJwk"] = map[string]any{} },
		"too long":           func(d map[string]any) { d["updateCommitment"] = strings.Repeat("a", 1000) },
		"beyond ASCII":       func(d map[string]any) { key(d)["type"] = "schlüssel" },
		"purposes of a kind": func(d map[string]any) { key(d)["purposes"] = "authentication" },
	} {
		h := didtest.ION(t, "ES256K")
		delta := didtest.State(h.JWK)
		change(delta)
		if _, err := did.KeyOf(didtest.LongForm(t, delta) + "#key-1"); !errors.Is(err, did.ErrUnusable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func patches(delta map[string]any) []any { return delta["patches"].([]any) }

func document(delta map[string]any) map[string]any {
	return patches(delta)[0].(map[string]any)["document"].(map[string]any)
}

func keys(delta map[string]any) []any { return document(delta)["publicKeys"].([]any) }

// A state that was changed, or written another way, is not the DID's.
func TestStatesOfOthers(t *testing.T) {
	h, other := didtest.ION(t, "ES256"), didtest.ION(t, "ES256")
	parts, others := strings.Split(h.DID, ":"), strings.Split(other.DID, ":")
	raw, err := base64.RawURLEncoding.DecodeString(parts[3])
	if err != nil {
		t.Fatal(err)
	}
	state := string(raw)
	with := func(state string) string {
		return strings.Join(parts[:3], ":") + ":" + base64.RawURLEncoding.EncodeToString([]byte(state))
	}
	for name, id := range map[string]string{
		"another's":         strings.Join(parts[:3], ":") + ":" + others[3],
		"another key":       with(strings.Replace(state, `"x":"`, `"x":"A`, 1)),
		"another hash":      with(strings.Replace(state, `"deltaHash":"E`, `"deltaHash":"F`, 1)),
		"a space":           with(strings.Replace(state, `,`, `, `, 1)),
		"escaped":           with(strings.Replace(state, `"key-1"`, `"key\u002d1"`, 1)),
		"a delta twice":     with(strings.Replace(state, `{"delta"`, `{"delta":{},"delta"`, 1)),
		"the other order":   with(`{"suffixData":` + state[strings.Index(state, `"suffixData":`)+len(`"suffixData":`):len(state)-1] + `,` + state[1:strings.Index(state, `,"suffixData"`)] + `}`),
		"something after":   with(state + "{}"),
		"the short form":    strings.Join(parts[:3], ":"),
		"an empty state":    strings.Join(parts[:3], ":") + ":",
		"padded":            h.DID + "=",
		"of a test network": "did:ion:test:" + parts[2] + ":" + parts[3],
		"another method":    "did:web:wallet.example",
		"too long":          "did:jwk:" + strings.Repeat("A", 5000),
		"no DID":            "x",
		"nothing":           "",
	} {
		if _, err := did.KeyOf(id + "#key-1"); !errors.Is(err, did.ErrUnusable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := did.KeyOf(h.DID); !errors.Is(err, did.ErrUnusable) {
		t.Errorf("a DID without a key: %v", err)
	}
}

// A holder's DID is a name of a person.
func TestHoldersAreNotPrinted(t *testing.T) {
	found, err := did.KeyOf(publishedJWK + "#0")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "holder", found)
	all := fmt.Sprintf("%v %+v %#v %s %x ", found, found, found, found, found) + text(t, found) + log.String()
	if strings.Contains(all, "eyJ") || strings.Contains(all, "6579") || strings.Count(all, "redacted") != 7 {
		t.Error(all)
	}
}

func text(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A long form that is taken is the one spelling of its state.
func FuzzKeyOf(f *testing.F) {
	for _, h := range holders(f) {
		f.Add(h.KID())
	}
	f.Add(strings.TrimSpace(published) + "#publicKeyModel1Id")
	f.Fuzz(func(t *testing.T, url string) {
		found, err := did.KeyOf(url)
		if err != nil {
			if !errors.Is(err, did.ErrUnusable) {
				t.Errorf("%v", err)
			}
			return
		}
		if id, _, _ := strings.Cut(url, "#"); found.DID != id || found.Key == nil || did.Check(id) != nil {
			t.Error("a key of another DID")
		}
	})
}
