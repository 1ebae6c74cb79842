package jws_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"regain/verifier/internal/jws"
	"regain/verifier/verifiertest"
)

func TestVerify(t *testing.T) {
	key := verifiertest.NewKey(t)
	text := verifiertest.Sign(t, key, map[string]any{"alg": "ES256", "typ": "x"}, map[string]any{"a": 1})
	parsed, err := jws.ParseInsecure(text, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Verify(&key.PublicKey); err != nil {
		t.Error(err)
	}
	if err := parsed.Verify(&verifiertest.NewKey(t).PublicKey); !errors.Is(err, jws.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := parsed.Verify(nil); !errors.Is(err, jws.ErrSignature) {
		t.Errorf("no key: %v", err)
	}
	parts := strings.Split(text, ".")
	for name, changed := range map[string]string{
		"another payload":   parts[0] + "." + verifiertest.Encode([]byte(`{"a":2}`)) + "." + parts[2],
		"another header":    verifiertest.Encode([]byte(`{"typ":"x","alg":"ES256"}`)) + "." + parts[1] + "." + parts[2],
		"signature of none": parts[0] + "." + parts[1] + "." + verifiertest.Encode(make([]byte, 64)),
	} {
		parsed, err := jws.ParseInsecure(changed, "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Verify(&key.PublicKey); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseRefusesHeaders breaks one thing of a header in order.
func TestParseRefusesHeaders(t *testing.T) {
	key := verifiertest.NewKey(t)
	for name, value := range map[string]any{
		"alg": "none", "typ": "y", "crit": []string{"x"}, "b64": false, "jku": "https://a.example", "x5u": "https://a.example",
		"jwk": verifiertest.JWK(t, key), "x5c": "AAAA",
	} {
		header := map[string]any{"alg": "ES256", "typ": "x"}
		header[name] = value
		if _, err := jws.ParseInsecure(verifiertest.Sign(t, key, header, map[string]any{}), "x"); !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, list := range map[string][]any{
		"no certificate": {}, "five": {"AAAA", "AAAA", "AAAA", "AAAA", "AAAA"}, "number": {1}, "empty": {""}, "base64url": {"-_-_"}, "line break": {"AA\nAA"},
	} {
		header := map[string]any{"alg": "ES256", "typ": "x", "x5c": list}
		if _, err := jws.ParseInsecure(verifiertest.Sign(t, key, header, map[string]any{}), "x"); !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("x5c, %s: %v", name, err)
		}
	}
}

func TestParseRefusesTexts(t *testing.T) {
	key := verifiertest.NewKey(t)
	text := verifiertest.Sign(t, key, map[string]any{"alg": "ES256", "typ": "x"}, map[string]any{"a": 1})
	parts := strings.Split(text, ".")
	for name, changed := range map[string]string{
		"two parts":       parts[0] + "." + parts[1],
		"four parts":      text + ".AA",
		"long header":     strings.Repeat("A", 17<<10) + "." + parts[1] + "." + parts[2],
		"payload no JSON": parts[0] + "." + verifiertest.Encode([]byte("x")) + "." + parts[2],
		"payload a list":  parts[0] + "." + verifiertest.Encode([]byte("[]")) + "." + parts[2],
		"short signature": text[:len(text)-2],
		"long signature":  text + "AA",
		"line breaks":     parts[0] + "." + parts[1] + "." + parts[2][:84] + "\r\n",
	} {
		if _, err := jws.ParseInsecure(changed, "x"); !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecode(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "AA": true, "AAA": true, "-_8": true, "AB": false, "AA==": false, "+/8": false, "A": false, "AA\n": false, "A\rA": false} {
		if _, err := jws.Decode(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNumericDate(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1790000000": 1790000000, "1790000000.9": 1790000000, "1.79e9": 1790000000} {
		if got, err := jws.NumericDate(json.Number(text)); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, value := range []any{nil, "1", true, json.Number("-1"), json.Number("-0.5"), json.Number("1e400"), json.Number("253402300800"), json.Number("")} {
		if got, err := jws.NumericDate(value); !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("%v: got %d, %v", value, got, err)
		}
	}
}
