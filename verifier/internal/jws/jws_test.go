package jws_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
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
	for name, row := range map[string]struct {
		value any
		why   string
	}{
		"alg": {"none", "alg is not accepted"}, "typ": {"y", "typ is not accepted"}, "crit": {[]string{"x"}, "header has crit"},
		"b64": {false, "header has b64"}, "jku": {"https://a.example", "header has jku"}, "x5u": {"https://a.example", "header has x5u"},
		"jwk": {verifiertest.JWK(t, key), "header has jwk"}, "x5c": {"AAAA", "x5c is not an array of 1 to 4 certificates"},
	} {
		header := map[string]any{"alg": "ES256", "typ": "x"}
		header[name] = row.value
		_, err := jws.ParseInsecure(verifiertest.Sign(t, key, header, map[string]any{}), "x")
		malformed(t, name, err, row.why)
	}
	for name, row := range map[string]struct {
		list []any
		why  string
	}{
		"no certificate": {[]any{}, "x5c is not an array of 1 to 4 certificates"},
		"five":           {[]any{"AAAA", "AAAA", "AAAA", "AAAA", "AAAA"}, "x5c is not an array of 1 to 4 certificates"},
		"number":         {[]any{1}, "x5c is not base64"},
		"empty":          {[]any{""}, "x5c is not base64"},
		"base64url":      {[]any{"-_-_"}, "x5c is not base64"},
		"line break":     {[]any{"AA\nAA"}, "x5c is not base64"},
		"stray bits":     {[]any{"AAB="}, "x5c is not base64"},
		"one of two":     {[]any{"AAAA", "A"}, "x5c is not base64"},
	} {
		header := map[string]any{"alg": "ES256", "typ": "x", "x5c": row.list}
		_, err := jws.ParseInsecure(verifiertest.Sign(t, key, header, map[string]any{}), "x")
		malformed(t, "x5c, "+name, err, row.why)
	}
}

func TestParseRefusesTexts(t *testing.T) {
	key := verifiertest.NewKey(t)
	text := verifiertest.Sign(t, key, map[string]any{"alg": "ES256", "typ": "x"}, map[string]any{"a": 1})
	parts := strings.Split(text, ".")
	nested := func(depth int) string {
		return verifiertest.Encode([]byte(strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)))
	}
	for name, row := range map[string]struct{ changed, why string }{
		"two parts":        {parts[0] + "." + parts[1], "not a compact JWS"},
		"four parts":       {text + ".AA", "not a compact JWS"},
		"long header":      {strings.Repeat("A", 16<<10+1) + "." + parts[1] + "." + parts[2], "not a compact JWS"},
		"as long as it is": {strings.Repeat("A", 16<<10) + "." + parts[1] + "." + parts[2], "header: malformed JWS: not strict JSON: no value at byte 0"},
		"header no base64": {"+." + parts[1] + "." + parts[2], "header: malformed JWS: not base64url"},
		"header no JSON":   {verifiertest.Encode([]byte("x")) + "." + parts[1] + "." + parts[2], "header: malformed JWS"},
		"header too deep":  {nested(5) + "." + parts[1] + "." + parts[2], "nested too deep"},
		"header less deep": {nested(4) + "." + parts[1] + "." + parts[2], "alg is not accepted"},
		"payload no JSON":  {parts[0] + "." + verifiertest.Encode([]byte("x")) + "." + parts[2], "payload: malformed JWS"},
		"payload a list":   {parts[0] + "." + verifiertest.Encode([]byte("[]")) + "." + parts[2], "payload: malformed JWS"},
		"payload too deep": {parts[0] + "." + nested(17) + "." + parts[2], "nested too deep"},
		"short signature":  {text[:len(text)-2], "signature is not 64 bytes"},
		"long signature":   {text + "AA", "signature is not 64 bytes"},
		"line breaks":      {parts[0] + "." + parts[1] + "." + parts[2][:84] + "\r\n", "not base64url in its canonical form"},
	} {
		_, err := jws.ParseInsecure(row.changed, "x")
		malformed(t, name, err, row.why)
	}
	if _, err := jws.ParseInsecure(parts[0]+"."+nested(16)+"."+parts[2], "x"); err != nil {
		t.Errorf("a payload as deep as it may be: %v", err)
	}
}

// malformed fails the test unless err is an ErrMalformed for this cause.
func malformed(t *testing.T, what string, err error, why string) {
	t.Helper()
	if !errors.Is(err, jws.ErrMalformed) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: got %v, want %q", what, err, why)
	}
}

// TestParseReadsCertificates holds that x5c is read whole and in order, up to as many as a chain may have.
func TestParseReadsCertificates(t *testing.T) {
	key := verifiertest.NewKey(t)
	for _, list := range [][]string{{"AAAA"}, {"AAEC", "AwQF", "BgcI", "CQoL"}} {
		parsed, err := jws.ParseInsecure(verifiertest.Sign(t, key, map[string]any{"alg": "ES256", "typ": "x", "x5c": list}, map[string]any{}), "x")
		if err != nil || len(parsed.Certificates) != len(list) {
			t.Fatalf("%v: %v, %v", list, parsed.Certificates, err)
		}
		for i, one := range list {
			if got := base64.StdEncoding.EncodeToString(parsed.Certificates[i]); got != one {
				t.Errorf("%d of %v: %s", i, list, got)
			}
		}
	}
}

// TestVerifyRefusesOtherCurves holds that alg chooses the curve, and that an algorithm without a key type verifies nothing.
func TestVerifyRefusesOtherCurves(t *testing.T) {
	key := verifiertest.NewKey(t)
	parsed, err := jws.ParseInsecure(verifiertest.Sign(t, key, map[string]any{"alg": "ES256", "typ": "x"}, map[string]any{}), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P384(), elliptic.P521()} {
		other, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Verify(&other.PublicKey); !errors.Is(err, jws.ErrSignature) || !strings.Contains(err.Error(), "the key type does not match alg") {
			t.Errorf("%s: %v", curve.Params().Name, err)
		}
	}
	form := jws.Form{Types: []string{"x"}, Algorithms: []jws.Algorithm{"RS256"}}
	unknown, err := form.ParseInsecure(verifiertest.Sign(t, key, map[string]any{"alg": "RS256", "typ": "x"}, map[string]any{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := unknown.Verify(&key.PublicKey); !errors.Is(err, jws.ErrSignature) || !strings.Contains(err.Error(), "the key type does not match alg") {
		t.Errorf("RS256: %v", err)
	}
}

// TestVerifyRemembersOneKey holds that a signature which verified once verifies with that key alone.
func TestVerifyRemembersOneKey(t *testing.T) {
	key := verifiertest.NewKey(t)
	parsed, err := jws.ParseInsecure(verifiertest.Sign(t, key, map[string]any{"alg": "ES256", "typ": "x"}, map[string]any{}), "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Verify(&key.PublicKey); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := parsed.Verify(&verifiertest.NewKey(t).PublicKey); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("another key: %v", err)
		}
		if err := parsed.Verify(&key.PublicKey); err != nil {
			t.Error(err)
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
