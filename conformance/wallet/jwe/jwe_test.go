package jwe_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/jwe"
)

// The keys of the example in OpenID4VP 1.0 §8.3, of which the first is one this wallet can use.
const (
	first = `{"kty":"EC","kid":"ac","use":"enc","crv":"P-256","alg":"ECDH-ES",
		"x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk","y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}`
	okp  = `{"kty":"OKP","kid":"jc","use":"enc","crv":"X25519","alg":"ECDH-ES","x":"WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"}`
	p384 = `{"kty":"EC","kid":"lc","use":"enc","crv":"P-384","alg":"ECDH-ES",
		"x":"iHytgLNtXjEyYMAIGwfgjINZRmLfObYbmjPhkaPD8OiTkJtRHjegTNdH31Mxg4nV","y":"MizXWSqNB7sSt_SNjg3spvaJnmjB-LpxsPpLUaea33rvINL3Mq-gEaANErRQpbLx"}`
	private = `{"kty":"EC","kid":"ac","use":"enc","crv":"P-256","alg":"ECDH-ES","x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
		"y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk","d":"Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww"}`
	quantum = `{"kty":"AKP","alg":"ML-KEM-9999","kid":"pq","use":"enc","pub":"Z0FO"}`
)

func keys(texts ...string) []json.RawMessage {
	var all []json.RawMessage
	for _, text := range texts {
		all = append(all, json.RawMessage(text))
	}
	return all
}

func TestSealForTheSpecificationsKey(t *testing.T) {
	to, err := jwe.Choose(keys(quantum, okp, p384, first), []string{"A128CBC-HS256", "A256GCM"})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := to.Seal([]byte("an answer"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON([]byte(private)); err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseEncryptedCompact(sealed, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil || parsed.Header.KeyID != "ac" {
		t.Fatalf("kid %q, %v", parsed.Header.KeyID, err)
	}
	if plain, err := parsed.Decrypt(key); err != nil || string(plain) != "an answer" {
		t.Errorf("got %q, %v", plain, err)
	}
}

// The key of OpenID4VP 1.0 Appendix B.2.6.1 and the thumbprint in its handover.
func TestThumbprintIsTheSpecifications(t *testing.T) {
	to, err := jwe.Choose(keys(`{"kty":"EC","crv":"P-256","x":"DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
		"y":"XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc","use":"enc","alg":"ECDH-ES","kid":"1"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := hex.DecodeString("4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047")
	if !bytes.Equal(to.Thumbprint(), want) {
		t.Errorf("got %x", to.Thumbprint())
	}
}

func TestChooseRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		keys      []string
		encodings []string
		says      string
	}{
		"none":            {nil, nil, "no ECDH-ES key"},
		"none it can use": {[]string{okp, p384, quantum, "x"}, nil, "no ECDH-ES key"},
		"no kid":          {[]string{strings.Replace(first, `"kid":"ac",`, "", 1)}, nil, "no kid"},
		"one kid twice":   {[]string{first, first}, nil, "kid of another"},
		"a private key":   {[]string{private}, nil, "private key"},
		"for signatures":  {[]string{strings.Replace(first, `"enc"`, `"sig"`, 1)}, nil, "no ECDH-ES key"},
		"no encodings":    {[]string{first}, []string{}, "no offered enc"},
		"other encodings": {[]string{first}, []string{"A128CBC-HS256"}, "no offered enc"},
	} {
		if _, err := jwe.Choose(keys(test.keys...), test.encodings); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, not %s", name, err, test.says)
		}
	}
}

func TestKeyOpensWhatIsMeantForIt(t *testing.T) {
	key, err := jwe.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := jwe.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(key.Public())
	if err != nil || strings.Contains(string(public), `"d"`) {
		t.Fatalf("published %s, %v", public, err)
	}
	to, err := jwe.Choose([]json.RawMessage{public}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		to    jwe.Recipient
		key   *jwe.Key
		spoil func(string) string
		says  string
	}{
		"right":       {to: to, key: key},
		"another key": {to: to, key: other, says: "was not offered"},
		"another kid": {to: to.WithUnknownKeyID(), key: key, says: "was not offered"},
		"tampered":    {to: to, key: key, spoil: func(s string) string { return s[:len(s)-4] + "AAAA" }, says: "cannot be decrypted"},
		"no JWE":      {to: to, key: key, spoil: func(string) string { return "a.b.c.d.e" }, says: "not a JWE"},
	} {
		sealed, err := test.to.Seal([]byte("a request"), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if test.spoil != nil {
			sealed = test.spoil(sealed)
		}
		plain, err := test.key.Open(sealed)
		if test.says == "" && (err != nil || string(plain) != "a request" || !jwe.IsEncrypted(sealed)) {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
		if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: got %v, not %s", name, err, test.says)
		}
	}
}
