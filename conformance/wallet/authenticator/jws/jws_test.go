package jws_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"regain/conformance/wallet/authenticator/jws"
	"regain/conformance/wallet/authenticator/spoil"
)

// published is a JWS of the Sidetree test vectors (update, signedDataJws) with its key.
const (
	published = "eyJhbGciOiJFUzI1NksifQ.eyJ1cGRhdGVLZXkiOnsia3R5IjoiRUMiLCJjcnYiOiJzZWNwMjU2azEiLCJ4Ijoid2Z3UUNKM09ScVZkbkhYa1Q4UC1M" +
		"Z19HdHhCRWhYM3R5OU5VbnduSHJtdyIsInkiOiJ1aWU4cUxfVnVBblJEZHVwaFp1eExPNnFUOWtQcDNLUkdFSVJsVHBXcmZVIn0sImRlbHRhSGFzaCI6Ik" +
		"VpQ3BqTjQ3ZjBNcTZ4RE5VS240aFNlZ01FcW9EU19ycFEyOVd5MVY3M1ZEYncifQ.RwZK1DG5zcr4EsrRImzStb0VX5j2ZqApXZnuoAkA3IoRdErUscNG8" +
		"RuxNZ0FjlJtjMJ0a-kn-_MdtR0wwvWVgg"
	publishedKey = `{"kty":"EC","crv":"secp256k1","x":"wfwQCJ3ORqVdnHXkT8P-Lg_GtxBEhX3ty9NUnwnHrmw","y":"uie8qL_VuAnRDduphZuxLO6qT9kPp3KRGEIRlTpWrfU"}`
)

func algorithms() []jws.Algorithm {
	return []jws.Algorithm{jws.ES256K, jws.ES256, jws.ES384, jws.EdDSA}
}

func generate(t testing.TB, alg jws.Algorithm) *jws.Key {
	t.Helper()
	key, err := jws.Generate(rand.Reader, alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key *jws.Key, claims any) string {
	t.Helper()
	compact, err := key.Sign(jws.Header{Type: "JWT", KeyID: "did:example:1#k"}, claims)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestThePublishedVectors(t *testing.T) {
	profile, err := os.ReadFile("../did/testdata/profile-request-object.jwt")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ key, text, holds string }{
		"ES256K of Sidetree":   {publishedKey, published, `"deltaHash"`},
		"EdDSA of the profile": {`{"kty":"OKP","crv":"Ed25519","x":"C_OUJxH6iIcC6XdNh7JmC-THXAVaXnvu9OEEZ8tq9NI"}`, strings.TrimSpace(string(profile)), `"VerifiedEmployee"`},
	} {
		key, err := jws.ParseJWK([]byte(test.key))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jws.Parse(test.text)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := token.Verify(key)
		if err != nil || !strings.Contains(string(payload), test.holds) {
			t.Errorf("%s: %q, %v", name, payload, err)
		}
	}
}

func TestSignAndVerify(t *testing.T) {
	for _, alg := range algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			key := generate(t, alg)
			compact := sign(t, key, map[string]any{"a": 1})
			token, err := jws.Parse(compact)
			if err != nil {
				t.Fatal(err)
			}
			if token.KeyID != "did:example:1#k" || token.Type != "JWT" || token.Algorithm != alg || key.Algorithm() != alg {
				t.Errorf("the header is %+v", token)
			}
			raw, err := json.Marshal(key.Public().JWK())
			if err != nil {
				t.Fatal(err)
			}
			public, err := jws.ParseJWK(raw)
			if err != nil || !public.Equal(key.Public()) {
				t.Fatalf("the key does not come back: %v", err)
			}
			payload, err := token.Verify(public)
			if err != nil || string(payload) != `{"a":1}` {
				t.Fatalf("%q, %v", payload, err)
			}
			for _, other := range algorithms() {
				stranger := generate(t, other).Public()
				if _, err := token.Verify(stranger); err == nil || public.Equal(stranger) {
					t.Errorf("a key of another for %s verifies", other)
				}
			}
			if _, err := token.Verify(jws.Public{}); !errors.Is(err, jws.ErrAlgorithm) {
				t.Errorf("no key: %v", err)
			}
		})
	}
}

// A second opinion: go-jose reads what it knows.
func TestGoJoseAgrees(t *testing.T) {
	for _, alg := range []jws.Algorithm{jws.ES256, jws.ES384, jws.EdDSA} {
		key := generate(t, alg)
		token, err := jose.ParseSignedCompact(sign(t, key, map[string]any{"a": 1}), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(key.Public().JWK())
		if err != nil {
			t.Fatal(err)
		}
		var public jose.JSONWebKey
		if err := public.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Verify(public); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	key := generate(t, jws.ES256K)
	right := sign(t, key, map[string]any{"a": 1})
	segments := strings.Split(right, ".")
	with := func(header string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + segments[1] + "." + segments[2]
	}
	signature := func(raw string) string { return segments[0] + "." + segments[1] + "." + raw }
	zeros := base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	ones := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 64)))
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"a bit of the signature":   {spoil.Signature(right), jws.ErrSignature},
		"another payload":          {segments[0] + ".e30." + segments[2], jws.ErrSignature},
		"alg none":                 {spoil.Unsigned(right), jws.ErrAlgorithm},
		"another alg":              {with(`{"alg":"ES256"}`), jws.ErrAlgorithm},
		"HMAC":                     {with(`{"alg":"HS256"}`), jws.ErrAlgorithm},
		"no alg":                   {with(`{"kid":"x"}`), jws.ErrMalformed},
		"crit":                     {with(`{"alg":"ES256K","crit":["b64"],"b64":false}`), jws.ErrMalformed},
		"crit null":                {with(`{"alg":"ES256K","crit":null}`), jws.ErrMalformed},
		"alg twice":                {with(`{"alg":"none","alg":"ES256K"}`), jws.ErrMalformed},
		"a header that is null":    {with(`null`), jws.ErrMalformed},
		"a header that is a list":  {with(`[]`), jws.ErrMalformed},
		"kid that is a number":     {with(`{"alg":"ES256K","kid":1}`), jws.ErrMalformed},
		"no signature":             {signature(""), jws.ErrSignature},
		"a signature too short":    {signature("AAAA"), jws.ErrSignature},
		"a signature of zeros":     {signature(zeros), jws.ErrSignature},
		"numbers above the order":  {signature(ones), jws.ErrSignature},
		"padding":                  {right + "=", jws.ErrMalformed},
		"a line break":             {right + "\n", jws.ErrMalformed},
		"a line break within":      {segments[0] + "\n." + segments[1] + "." + segments[2], jws.ErrMalformed},
		"two segments":             {segments[0] + "." + segments[1], jws.ErrMalformed},
		"four segments":            {right + ".", jws.ErrMalformed},
		"nothing":                  {"", jws.ErrMalformed},
		"stray bits":               {segments[0] + "." + segments[1] + ".AB", jws.ErrMalformed},
		"too long":                 {right + strings.Repeat("A", 2<<20), jws.ErrMalformed},
		"standard base64":          {segments[0] + "." + segments[1] + ".+/++", jws.ErrMalformed},
		"a header in another case": {with(`{"ALG":"ES256K"}`), jws.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := jws.Parse(test.text)
			if err == nil {
				_, err = token.Verify(key.Public())
			}
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, not %v", err, test.want)
			}
		})
	}
}

func TestParseJWKRefuses(t *testing.T) {
	const x = `"x":"wfwQCJ3ORqVdnHXkT8P-Lg_GtxBEhX3ty9NUnwnHrmw"`
	for name, text := range map[string]string{
		"no JSON":               `x`,
		"no object":             `"x"`,
		"a private key":         strings.Replace(publishedKey, "{", `{"d":"AAAA",`, 1),
		"a symmetric key":       `{"kty":"oct","k":"AAAA"}`,
		"RSA":                   `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"X25519":                `{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`,
		"a point off its curve": strings.Replace(publishedKey, "secp256k1", "P-256", 1),
		"another kty":           strings.Replace(publishedKey, `"EC"`, `"OKP"`, 1),
		"no y":                  `{"kty":"EC","crv":"secp256k1",` + x + `}`,
		"a y too short":         `{"kty":"EC","crv":"secp256k1",` + x + `,"y":"AAAA"}`,
		"a padded x":            strings.Replace(publishedKey, `Hrmw"`, `Hrmw="`, 1),
		"x twice":               strings.Replace(publishedKey, "{", "{"+x+",", 1),
		"Ed25519 with a y":      `{"kty":"OKP","crv":"Ed25519",` + x + `,"y":"AAAA"}`,
		"Ed25519 too short":     `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`,
		"an unknown curve":      strings.Replace(publishedKey, "secp256k1", "P-521", 1),
	} {
		if key, err := jws.ParseJWK([]byte(text)); !errors.Is(err, jws.ErrKey) || !key.IsZero() || key.JWK() != nil || key.Algorithm() != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	for _, alg := range algorithms() {
		key := generate(t, alg)
		raw, err := json.Marshal(map[string]any{"key": key})
		if err != nil {
			t.Fatal(err)
		}
		want := "private key for " + string(alg)
		for _, got := range []string{fmt.Sprint(key), fmt.Sprintf("%v", key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), key.LogValue().String()} {
			if got != want {
				t.Errorf("it prints as %q", got)
			}
		}
		if string(raw) != `{"key":"`+want+`"}` {
			t.Errorf("as JSON it is %s", raw)
		}
	}
	if _, err := jws.Generate(rand.Reader, "RS256"); !errors.Is(err, jws.ErrUnsupported) {
		t.Errorf("RS256: %v", err)
	}
}

// FuzzParse holds that a JWS has one spelling: what parses is made of what was read.
func FuzzParse(f *testing.F) {
	f.Add(published)
	f.Add("e30.e30.e30")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	key, err := jws.ParseJWK([]byte(publishedKey))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jws.Parse(text)
		if err != nil {
			return
		}
		segments := strings.Split(text, ".")
		if segments[1] != base64.RawURLEncoding.EncodeToString(token.PayloadUnverified()) {
			t.Errorf("%q has another spelling", text)
		}
		if _, err := token.Verify(key); err == nil && text != published {
			t.Errorf("%q verifies", text)
		}
	})
}

// FuzzParseJWK holds that a key has one spelling, but for members that are not of the key.
func FuzzParseJWK(f *testing.F) {
	f.Add([]byte(publishedKey))
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, err := jws.ParseJWK(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(key.JWK())
		if err != nil {
			t.Fatal(err)
		}
		if same, err := jws.ParseJWK(again); err != nil || !same.Equal(key) {
			t.Errorf("%s becomes %s", raw, again)
		}
	})
}
