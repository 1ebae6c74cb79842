package jws_test

import (
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"regain/conformance/wallet/jws"
	"regain/conformance/wallet/wallettest"
)

func sign(t *testing.T, key any, alg jose.SignatureAlgorithm, typ string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestVerifyKey(t *testing.T) {
	key, other := wallettest.NewKey(t), wallettest.NewKey(t)
	for name, test := range map[string]struct {
		compact string
		says    string
	}{
		"right":       {compact: sign(t, key, jose.ES256, "x+jwt")},
		"another typ": {sign(t, key, jose.ES256, "y+jwt"), "typ is not"},
		"another key": {sign(t, other, jose.ES256, "x+jwt"), "not by the key"},
		"a secret":    {sign(t, []byte(strings.Repeat("k", 32)), jose.HS256, "x+jwt"), "not a signed JWT"},
		"unsigned":    {wallettest.Unsigned(t, "x+jwt", map[string]any{}), "not a signed JWT"},
		"nonsense":    {"a.b", "not a signed JWT"},
	} {
		payload, err := jws.VerifyKey(test.compact, "x+jwt", &key.PublicKey)
		if test.says == "" && (err != nil || string(payload) != `{"a":1}`) {
			t.Errorf("%s: got %s, %v", name, payload, err)
		}
		if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: got %v, not %s", name, err, test.says)
		}
	}
}

func TestOpenUnsigned(t *testing.T) {
	unsigned := wallettest.Unsigned(t, "x+jwt", map[string]any{"a": 1})
	payload, header, err := jws.OpenUnsigned(unsigned)
	if err != nil || string(payload) != `{"a":1}` || header.Type != "x+jwt" {
		t.Errorf("got %s, %+v, %v", payload, header, err)
	}
	for name, compact := range map[string]string{
		"signed": sign(t, wallettest.NewKey(t), jose.ES256, "x+jwt"), "with a signature": unsigned + "AA", "two parts": strings.TrimSuffix(unsigned, "."),
		"no base64": "%.%.", "no JSON": "e30x.e30.", "no payload": strings.Split(unsigned, ".")[0] + ".%.",
	} {
		if _, _, err := jws.OpenUnsigned(compact); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		_, _ = jws.ReadHeader(compact)
		if _, _, err := jws.OpenUnsigned(compact); err == nil && !strings.HasSuffix(compact, ".") {
			t.Errorf("%q is signed by somebody", compact)
		}
	})
}
