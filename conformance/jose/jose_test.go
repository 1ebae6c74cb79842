package jose_test

import (
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"regain/conformance/jose"
)

// A JWS of the Sidetree test vectors (update, signedDataJws) with its key.
const (
	published = "eyJhbGciOiJFUzI1NksifQ.eyJ1cGRhdGVLZXkiOnsia3R5IjoiRUMiLCJjcnYiOiJzZWNwMjU2azEiLCJ4Ijoid2Z3UUNKM09ScVZkbkhYa1Q4UC1M" +
		"Z19HdHhCRWhYM3R5OU5VbnduSHJtdyIsInkiOiJ1aWU4cUxfVnVBblJEZHVwaFp1eExPNnFUOWtQcDNLUkdFSVJsVHBXcmZVIn0sImRlbHRhSGFzaCI6Ik" +
		"VpQ3BqTjQ3ZjBNcTZ4RE5VS240aFNlZ01FcW9EU19ycFEyOVd5MVY3M1ZEYncifQ.RwZK1DG5zcr4EsrRImzStb0VX5j2ZqApXZnuoAkA3IoRdErUscNG8" +
		"RuxNZ0FjlJtjMJ0a-kn-_MdtR0wwvWVgg"
	publishedKey = `{"kty":"EC","crv":"secp256k1","x":"wfwQCJ3ORqVdnHXkT8P-Lg_GtxBEhX3ty9NUnwnHrmw","y":"uie8qL_VuAnRDduphZuxLO6qT9kPp3KRGEIRlTpWrfU"}`
)

func read(t testing.TB, text string) jose.JWK {
	t.Helper()
	var key jose.JWK
	if err := key.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return key
}

func generate(t testing.TB, algorithm string) crypto.Signer {
	t.Helper()
	key, err := jose.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key crypto.Signer, header map[string]any) string {
	t.Helper()
	compact, err := jose.Sign(key, header, map[string]any{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestThePublishedVectors(t *testing.T) {
	profile, err := os.ReadFile("testdata/profile-request-object.jwt")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ key, text, holds string }{
		"ES256K of Sidetree":   {publishedKey, published, `"deltaHash"`},
		"EdDSA of the profile": {`{"kty":"OKP","crv":"Ed25519","x":"C_OUJxH6iIcC6XdNh7JmC-THXAVaXnvu9OEEZ8tq9NI"}`, strings.TrimSpace(string(profile)), `"VerifiedEmployee"`},
	} {
		token, err := jose.Parse(test.text)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := token.Verify(read(t, test.key).Key)
		if err != nil || !strings.Contains(string(payload), test.holds) {
			t.Errorf("%s: %q, %v", name, payload, err)
		}
	}
}

// The key of OpenID4VP 1.0 Appendix B.2.6.1 and the thumbprint in its handover.
func TestThumbprintIsTheSpecifications(t *testing.T) {
	thumbprint, err := read(t, `{"kty":"EC","crv":"P-256","x":"DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
		"y":"XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc","use":"enc","alg":"ECDH-ES","kid":"1"}`).Thumbprint()
	if err != nil || hex.EncodeToString(thumbprint) != "4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047" {
		t.Errorf("%x, %v", thumbprint, err)
	}
}

func TestSignAndVerify(t *testing.T) {
	algorithms := []string{jose.ES256K, jose.ES256, jose.ES384, jose.EdDSA}
	for _, algorithm := range algorithms {
		key := generate(t, algorithm)
		compact := sign(t, key, map[string]any{"typ": "JWT", "kid": "k", "jwk": jose.JWK{Key: key.Public()}, "verifier_info": []any{}})
		token, err := jose.Parse(compact)
		if err != nil {
			t.Fatal(err)
		}
		if token.KeyID != "k" || token.Type != "JWT" || token.Algorithm != algorithm || len(token.Members) != 5 || !jose.Equal(token.Key.Key, key.Public()) {
			t.Errorf("the header is %+v", token.Header)
		}
		if payload, err := token.Verify(token.Key.Key); err != nil || string(payload) != `{"a":1}` {
			t.Errorf("%s: %q, %v", algorithm, payload, err)
		}
		for _, other := range algorithms {
			if jose.IsSignedBy(compact, generate(t, other).Public()) {
				t.Errorf("a key of another for %s verifies %s", other, algorithm)
			}
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	key := generate(t, jose.ES256K)
	right := sign(t, key, nil)
	segments := strings.Split(right, ".")
	with := func(header string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + segments[1] + "." + segments[2]
	}
	signature := func(raw string) string { return segments[0] + "." + segments[1] + "." + raw }
	encoded := func(raw string) string { return signature(base64.RawURLEncoding.EncodeToString([]byte(raw))) }
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"another's signature":      {signature(strings.Split(sign(t, generate(t, jose.ES256K), nil), ".")[2]), jose.ErrSignature},
		"another payload":          {segments[0] + ".e30." + segments[2], jose.ErrSignature},
		"alg none":                 {with(`{"alg":"none"}`), jose.ErrAlgorithm},
		"another alg":              {with(`{"alg":"ES256"}`), jose.ErrAlgorithm},
		"HMAC":                     {with(`{"alg":"HS256"}`), jose.ErrAlgorithm},
		"no alg":                   {with(`{"kid":"x"}`), jose.ErrMalformed},
		"crit":                     {with(`{"alg":"ES256K","crit":["b64"],"b64":false}`), jose.ErrMalformed},
		"crit null":                {with(`{"alg":"ES256K","crit":null}`), jose.ErrMalformed},
		"alg twice":                {with(`{"alg":"none","alg":"ES256K"}`), jose.ErrMalformed},
		"a header that is null":    {with(`null`), jose.ErrMalformed},
		"a header that is a list":  {with(`[]`), jose.ErrMalformed},
		"kid that is a number":     {with(`{"alg":"ES256K","kid":1}`), jose.ErrMalformed},
		"no signature":             {signature(""), jose.ErrSignature},
		"a signature too short":    {signature("AAAA"), jose.ErrSignature},
		"a signature of zeros":     {encoded(strings.Repeat("\x00", 64)), jose.ErrSignature},
		"numbers above the order":  {encoded(strings.Repeat("\xff", 64)), jose.ErrSignature},
		"padding":                  {right + "=", jose.ErrMalformed},
		"a line break":             {right + "\n", jose.ErrMalformed},
		"a line break within":      {segments[0] + "\n." + segments[1] + "." + segments[2], jose.ErrMalformed},
		"two segments":             {segments[0] + "." + segments[1], jose.ErrMalformed},
		"four segments":            {right + ".", jose.ErrMalformed},
		"nothing":                  {"", jose.ErrMalformed},
		"stray bits":               {signature("AB"), jose.ErrMalformed},
		"too long":                 {right + strings.Repeat("A", 2<<20), jose.ErrMalformed},
		"standard base64":          {signature("+/++"), jose.ErrMalformed},
		"a header in another case": {with(`{"ALG":"ES256K"}`), jose.ErrMalformed},
	} {
		token, err := jose.Parse(test.text)
		if err == nil {
			_, err = token.Verify(key.Public())
		}
		if !errors.Is(err, test.want) || !errors.Is(err, jose.Err) {
			t.Errorf("%s: got %v, not %v", name, err, test.want)
		}
	}
	if _, err := jose.ParseTyped(sign(t, key, map[string]any{"typ": "x+jwt"}), "y+jwt"); !errors.Is(err, jose.Err) {
		t.Errorf("another typ: %v", err)
	}
}

func TestOpenUnsigned(t *testing.T) {
	for text, want := range map[string]string{
		"eyJhbGciOiJub25lIn0.e30.": "{}", "eyJhbGciOiJub25lIn0.e30.AAAA": "", sign(t, generate(t, jose.ES256), nil): "",
	} {
		token, err := jose.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if payload, err := token.OpenUnsigned(); string(payload) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, payload, err)
		}
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	const x = `"x":"wfwQCJ3ORqVdnHXkT8P-Lg_GtxBEhX3ty9NUnwnHrmw"`
	for name, text := range map[string]string{
		"no JSON":               `x`,
		"no object":             `"x"`,
		"a private key":         strings.Replace(publishedKey, "{", `{"d":"AAAA",`, 1),
		"a whole private key":   `{"kty":"EC","crv":"P-256","x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk","y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk","d":"Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww"}`,
		"a symmetric key":       `{"kty":"oct","k":"AAAA"}`,
		"X25519":                `{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`,
		"a point off its curve": strings.Replace(publishedKey, "secp256k1", "P-256", 1),
		"off secp256k1":         strings.Replace(publishedKey, "uie8qL", "vie8qL", 1),
		"another kty":           strings.Replace(publishedKey, `"EC"`, `"OKP"`, 1),
		"no y":                  `{"kty":"EC","crv":"secp256k1",` + x + `}`,
		"a y too short":         `{"kty":"EC","crv":"secp256k1",` + x + `,"y":"AAAA"}`,
		"a padded x":            strings.Replace(publishedKey, `Hrmw"`, `Hrmw="`, 1),
		"x twice":               strings.Replace(publishedKey, "{", "{"+x+",", 1),
		"Ed25519 too short":     `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`,
		"an unknown curve":      strings.Replace(publishedKey, "secp256k1", "P-999", 1),
		"of another age":        `{"kty":"AKP","alg":"ML-KEM-9999","kid":"pq","use":"enc","pub":"Z0FO"}`,
	} {
		var key jose.JWK
		if err := key.UnmarshalJSON([]byte(text)); !errors.Is(err, jose.ErrKey) || key.Key != nil {
			t.Errorf("%s: %v", name, err)
		}
		var set jose.JWKSet
		if err := json.Unmarshal([]byte(`{"keys":[`+text+`,`+publishedKey+`]}`), &set); err == nil && len(set.Keys) != 1 {
			t.Errorf("%s: a set of %d", name, len(set.Keys))
		}
	}
}

func TestEncryption(t *testing.T) {
	key, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	to := jose.Recipient{Key: key.Public(), Encoding: "A256GCM"}
	deflate := jose.Deflate
	unknown, unnamed, zipped := to, to, to
	unknown.Key.KeyID, unnamed.Key.KeyID, zipped.Zip = "another", "", &deflate
	for name, test := range map[string]struct {
		to    jose.Recipient
		key   *jose.EncryptionKey
		spoil func(string) string
		says  string
	}{
		"right":       {to: to, key: key},
		"another key": {to: to, key: other, says: "cannot be decrypted"},
		"another kid": {to: unknown, key: key, says: "was not offered"},
		"without kid": {to: unnamed, key: key, says: "was not offered"},
		"compressed":  {to: zipped, key: key, says: "compressed"},
		"tampered":    {to: to, key: key, spoil: func(s string) string { return s[:len(s)-4] + "AAAA" }, says: "cannot be decrypted"},
		"no JWE":      {to: to, key: key, spoil: func(string) string { return "a.b.c.d.e" }, says: "malformed"},
		"RSA":         {to: to, key: key, spoil: func(string) string { return "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.b.c.d.e" }, says: "another"},
	} {
		sealed, err := test.to.Seal([]byte("a request"), map[string]any{"cty": "JWT"})
		if err != nil {
			t.Fatal(err)
		}
		if test.spoil != nil {
			sealed = test.spoil(sealed)
		}
		plain, err := test.key.Open(sealed)
		if test.says == "" && (err != nil || string(plain) != "a request" || !jose.IsEncrypted(sealed)) {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
		if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: got %v, not %s", name, err, test.says)
		}
	}
}

func TestRecipientsThatAreRefused(t *testing.T) {
	key, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(*jose.Recipient){
		"alg": func(r *jose.Recipient) { r.Key.Algorithm = "" }, "P-256": func(r *jose.Recipient) { r.Key.Key = generate(t, jose.ES384).Public() },
		"something else": func(r *jose.Recipient) { r.Key.Use = "sig" }, "enc": func(r *jose.Recipient) { r.Encoding = "A128CBC-HS256" },
		"zip": func(r *jose.Recipient) { r.Zip = new(string) },
	} {
		to := jose.Recipient{Key: key.Public(), Encoding: "A128GCM"}
		spoil(&to)
		if _, err := to.Seal(nil, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// The keys of the example in OpenID4VP 1.0 §8.3, of which the first is one that can be used here.
func TestChooseRecipient(t *testing.T) {
	const (
		first = `{"kty":"EC","kid":"ac","use":"enc","crv":"P-256","alg":"ECDH-ES","x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk","y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}`
		okp   = `{"kty":"OKP","kid":"jc","use":"enc","crv":"X25519","alg":"ECDH-ES","x":"WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"}`
		p384  = `{"kty":"EC","kid":"lc","use":"enc","crv":"P-384","alg":"ECDH-ES","x":"iHytgLNtXjEyYMAIGwfgjINZRmLfObYbmjPhkaPD8OiTkJtRHjegTNdH31Mxg4nV","y":"MizXWSqNB7sSt_SNjg3spvaJnmjB-LpxsPpLUaea33rvINL3Mq-gEaANErRQpbLx"}`
		akp   = `{"kty":"AKP","alg":"ML-KEM-9999","kid":"pq","use":"enc","pub":"Z0FO"}`
	)
	for name, test := range map[string]struct {
		keys      []string
		encodings []string
		says      string
	}{
		"the first":       {[]string{akp, okp, p384, first}, []string{"A128CBC-HS256", "A256GCM"}, ""},
		"none":            {nil, nil, "no ECDH-ES key"},
		"none it can use": {[]string{okp, p384, akp, "x"}, nil, "no ECDH-ES key"},
		"no kid":          {[]string{strings.Replace(first, `"kid":"ac",`, "", 1)}, nil, "no kid"},
		"one kid twice":   {[]string{first, first}, nil, "kid of another"},
		"a private key":   {[]string{strings.Replace(first, "{", `{"d":"AAAA",`, 1)}, nil, "private key"},
		"for signatures":  {[]string{strings.Replace(first, `"enc"`, `"sig"`, 1)}, nil, "no ECDH-ES key"},
		"no encodings":    {[]string{first}, []string{}, "no offered enc"},
		"other encodings": {[]string{first}, []string{"A128CBC-HS256"}, "no offered enc"},
	} {
		var keys []json.RawMessage
		for _, key := range test.keys {
			keys = append(keys, json.RawMessage(key))
		}
		to, err := jose.ChooseRecipient(keys, test.encodings)
		if test.says == "" && (err != nil || to.Key.KeyID != "ac" || to.Encoding != "A256GCM") {
			t.Errorf("%s: got %+v, %v", name, to, err)
		}
		if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: got %v, not %s", name, err, test.says)
		}
	}
}

// FuzzParse holds that a JWS has one spelling: what parses is made of what was read.
func FuzzParse(f *testing.F) {
	f.Add(published)
	f.Add("e30.e30.e30")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	key := read(f, publishedKey)
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jose.Parse(text)
		if err != nil {
			return
		}
		if strings.Split(text, ".")[1] != base64.RawURLEncoding.EncodeToString(token.PayloadUnverified()) {
			t.Errorf("%q has another spelling", text)
		}
		if _, err := token.Verify(key.Key); err == nil && text != published {
			t.Errorf("%q verifies", text)
		}
	})
}

// FuzzJWK holds that a key has one spelling, but for members that are not of the key.
func FuzzJWK(f *testing.F) {
	f.Add([]byte(publishedKey))
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var key, same jose.JWK
		if key.UnmarshalJSON(raw) != nil {
			return
		}
		again, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := same.UnmarshalJSON(again); err != nil || !jose.Equal(key.Key, same.Key) {
			t.Errorf("%s becomes %s", raw, again)
		}
	})
}
