package publickey_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
)

func set(t testing.TB, keys ...any) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func x5c(certificates ...[]byte) []string {
	list := make([]string, len(certificates))
	for i, der := range certificates {
		list[i] = base64.StdEncoding.EncodeToString(der)
	}
	return list
}

// One key that is not understood leaves the others usable (RFC 7517 §5).
func TestParseSetPassesOver(t *testing.T) {
	good := with(with(ec(t, elliptic.P256()), "kid", "good"), "use", "sig")
	giant := publickeytest.Certificate(t, publickeytest.RSA(65_536, usual))
	authority := publickeytest.RSA(2048, usual)
	certified := with(publickeytest.JWK(authority), "x5c", x5c(publickeytest.Certificate(t, authority)))
	for name, row := range map[string]struct {
		other any
		kind  error
	}{
		"Ed448":                   {with(edwards(t), "crv", "Ed448"), publickey.ErrKind},
		"X25519":                  {with(edwards(t), "crv", "X25519"), publickey.ErrKind},
		"secp256k1":               {koblitz(t), publickey.ErrKind},
		"brainpool":               {with(ec(t, elliptic.P256()), "crv", "BP-256"), publickey.ErrKind},
		"ML-DSA":                  {map[string]any{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"}, publickey.ErrKind},
		"a kty of tomorrow":       {map[string]any{"kty": "LWE"}, publickey.ErrKind},
		"no object":               {"key", publickey.ErrMalformed},
		"kid no text":             {with(good, "kid", 7), publickey.ErrMalformed},
		"a giant":                 {publickeytest.JWK(publickeytest.RSA(720_000, usual)), publickey.ErrBounds},
		"a private key":           {with(good, "d", "AA"), publickey.ErrPrivate},
		"x5c no base64":           {with(good, "x5c", []string{"?"}), publickey.ErrMalformed},
		"x5c no certificate":      {with(good, "x5c", []string{"AAAA"}), publickey.ErrMalformed},
		"x5c empty":               {with(good, "x5c", []string{}), publickey.ErrMalformed},
		"x5c of another key":      {with(good, "x5c", x5c(publickeytest.Certificate(t, authority))), publickey.ErrMalformed},
		"x5c with a giant above":  {with(certified, "x5c", append(certified["x5c"].([]string), x5c(giant)...)), publickey.ErrBounds},
		"x5c of five":             {with(certified, "x5c", slices.Repeat(certified["x5c"].([]string), 5)), publickey.ErrMalformed},
		"x5c of a long one":       {with(certified, "x5c", []string{strings.Repeat("AAAA", 8<<10)}), publickey.ErrBounds},
		"x5t#S256 of another one": {with(certified, "x5t#S256", encode(make([]byte, 32))), publickey.ErrMalformed},
	} {
		read, err := publickey.ParseSet(set(t, row.other, good))
		if err != nil || len(read.Keys) != 1 || read.Keys[0].KeyID != "good" || read.Keys[0].Use != "sig" || len(read.Skipped) != 1 || !errors.Is(read.Skipped[0], row.kind) {
			t.Errorf("%s: got %d keys, skipped %v, %v", name, len(read.Keys), read.Skipped, err)
		}
		if _, err := publickey.ParseSet(set(t, row.other)); !errors.Is(err, publickey.ErrSet) || !errors.Is(err, row.kind) {
			t.Errorf("%s alone: got %v, which does not say why", name, err)
		}
	}
	read, err := publickey.ParseSet(set(t, certified))
	if err != nil || len(read.Keys[0].Certificates) != 1 {
		t.Errorf("a key with its certificate: %v", err)
	}
}

// What others publish is passed over, one by one and all together, wherever in the set it stands.
func TestParseSetOfOthers(t *testing.T) {
	good := with(ec(t, elliptic.P256()), "kid", "good")
	all := []any{good}
	for name, other := range publickeytest.Foreign() {
		all = append([]any{other}, all...)
		for _, keys := range [][]any{{other, good}, {good, other}} {
			read, err := publickey.ParseSet(set(t, keys...))
			if err != nil || len(read.Keys) != 1 || read.Keys[0].KeyID != "good" || len(read.Skipped) != 1 {
				t.Errorf("%s: got %d keys, skipped %v, %v", name, len(read.Keys), read.Skipped, err)
			}
		}
		if text, err := json.Marshal(other); err != nil {
			t.Fatal(err)
		} else if _, err := publickey.ParseJWK(text); err == nil {
			t.Errorf("%s alone is taken", name)
		}
	}
	if read, err := publickey.ParseSet(set(t, all...)); err != nil || len(read.Keys) != 1 || len(read.Skipped) != len(all)-1 {
		t.Errorf("all together: got %d keys, %v", len(read.Keys), err)
	}
}

// foreign.jwks is of a broker that publishes an X25519 key beside those that we use.
func TestParseSetOfABroker(t *testing.T) {
	text, err := os.ReadFile("testdata/foreign.jwks")
	if err != nil {
		t.Fatal(err)
	}
	read, err := publickey.ParseSet(text)
	if err != nil || len(read.Keys) != 2 || len(read.Skipped) != 1 || len(read.Key("2")) != 1 {
		t.Errorf("got %d keys, %v, %v", len(read.Keys), read.Skipped, err)
	}
}

func TestSetsThatAreRefused(t *testing.T) {
	good := ec(t, elliptic.P256())
	for name, row := range map[string]struct{ text, says string }{
		"no JSON":         {"<html>", "not strict JSON"},
		"an array":        {"[]", "not an object"},
		"no keys":         {"{}", "keys is not an array"},
		"keys twice":      {`{"keys":[],"keys":[]}`, "a name stands twice"},
		"65 keys":         {string(set(t, slices.Repeat([]any{good}, 65)...)), "65 keys; 64 are the most"},
		"a long one":      {`{"keys":[],"x":"` + strings.Repeat("x", 512<<10) + `"}`, "524288 are the most"},
		"nested too deep": {`{"keys":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "nested too deep"},
	} {
		if _, err := publickey.ParseSet([]byte(row.text)); !errors.Is(err, publickey.ErrSet) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if read, err := publickey.ParseSet(set(t, slices.Repeat([]any{good}, 64)...)); err != nil || len(read.Keys) != 64 {
		t.Errorf("64 keys: %v", err)
	}
	if read, err := publickey.ParseSet([]byte(`{"keys":[]}`)); err != nil || len(read.Keys) != 0 {
		t.Errorf("no key: %v", err)
	}
}

// A set goes through JSON with everything that is known of its keys, and nothing else.
func TestSetInJSON(t *testing.T) {
	authority := publickeytest.RSA(2048, usual)
	certified := with(publickeytest.JWK(authority), "x5c", x5c(publickeytest.Certificate(t, authority)))
	text := set(t, with(certified, "kid", "1"), with(with(edwards(t), "alg", "EdDSA"), "use", "sig"), koblitz(t))
	var first, second struct {
		Keys *publickey.Set `json:"jwks"`
	}
	if err := json.Unmarshal([]byte(`{"jwks":`+string(text)+`}`), &first); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(first)
	if err != nil || strings.Contains(string(again), "Skipped") {
		t.Fatalf("%s, %v", again, err)
	}
	if err := json.Unmarshal(again, &second); err != nil || len(second.Keys.Keys) != 2 || len(second.Keys.Skipped) != 0 {
		t.Errorf("%s: %v", again, err)
	}
	if k := second.Keys.Keys; k[0].KeyID != "1" || len(k[0].Certificates) != 1 || k[1].Algorithm != "EdDSA" || k[1].Use != "sig" {
		t.Errorf("got %+v", k)
	}
}

func TestParseJWK(t *testing.T) {
	text, err := json.Marshal(ec(t, elliptic.P384()))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := publickey.ParseJWK(text); err != nil || !key.Valid() || !key.IsPublic() {
		t.Errorf("got %v", err)
	}
	for name, text := range map[string]string{"null": "null", "empty": "", "long": `"` + strings.Repeat("x", 512<<10) + `"`, "another kind": `{"kty":"x"}`} {
		if key, err := publickey.ParseJWK([]byte(text)); err == nil || key.Key != nil {
			t.Errorf("%s is a key", name)
		}
	}
}

func TestParseToken(t *testing.T) {
	compact := func(header map[string]any) string {
		text, err := json.Marshal(header)
		if err != nil {
			t.Fatal(err)
		}
		return encode(text) + ".e30." + encode(make([]byte, 64))
	}
	algorithms := []jose.SignatureAlgorithm{jose.ES256}
	certificate := publickeytest.Certificate(t, publickeytest.RSA(2048, usual))
	for name, header := range map[string]map[string]any{
		"plain":         {"alg": "ES256", "kid": "1"},
		"with a key":    {"alg": "ES256", "jwk": ec(t, elliptic.P256())},
		"with a chain":  {"alg": "ES256", "x5c": x5c(certificate, certificate)},
		"with contents": {"alg": "ES256", "x": map[string]any{"y": []int{1}}},
	} {
		if token, err := publickey.ParseToken(compact(header), algorithms); err != nil || token.Headers[0].Algorithm != "ES256" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		text string
		kind error
	}{
		"a giant":       {compact(map[string]any{"alg": "ES256", "jwk": publickeytest.JWK(publickeytest.RSA(65_536, usual))}), publickey.ErrBounds},
		"a private key": {compact(map[string]any{"alg": "ES256", "jwk": with(ec(t, elliptic.P256()), "d", "AA")}), publickey.ErrPrivate},
		"x5c of five":   {compact(map[string]any{"alg": "ES256", "x5c": x5c(slices.Repeat([][]byte{certificate}, 5)...)}), publickey.ErrBounds},
		"a long one":    {compact(map[string]any{"alg": "ES256"}) + strings.Repeat("A", 64<<10), publickey.ErrBounds},
		"alg twice":     {encode([]byte(`{"alg":"ES256","alg":"none"}`)) + ".e30.AA", publickey.ErrMalformed},
		"no base64url":  {"e+.e30.AA", publickey.ErrMalformed},
	} {
		if token, err := publickey.ParseToken(row.text, algorithms); !errors.Is(err, row.kind) || token != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := publickey.ParseToken(compact(map[string]any{"alg": "RS256"}), algorithms); err == nil || !strings.Contains(err.Error(), `unexpected signature algorithm "RS256"`) {
		t.Error("an algorithm that nobody asked for is taken")
	}
}
