package publickey_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/costtest"
	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
	"regain/internal/strictjson"
)

// The worst JWK Sets of 512 KiB.
func TestWorstSets(t *testing.T) {
	const size = 512<<10 - 100
	for name, value := range costtest.JSON(size, strictjson.MaxValues-16) {
		for _, text := range []string{value, `{"keys":` + value + "}", `{"keys":[],"x":` + value + "}"} {
			costtest.Check(t, name, func() { _, _ = publickey.ParseSet([]byte(text)) })
		}
	}
	giant := publickeytest.RSA(8192, math.MaxInt32)
	certificate := publickeytest.Certificate(t, publickeytest.RSA(2048, usual))
	long := append(bytes.Clone(certificate), make([]byte, 16<<10-len(certificate))...)
	for name, key := range map[string]any{
		"points": koblitz(t), "giants": publickeytest.JWK(giant), "another giant": publickeytest.JWK(publickeytest.RSA(65_536, usual)),
		"certificates": with(publickeytest.JWK(publickeytest.RSA(2048, usual)), "x5c", x5c(certificate, certificate, certificate, certificate)),
		"long ones":    with(publickeytest.JWK(publickeytest.RSA(2048, usual)), "x5c", x5c(long, long, long, long)),
		"long members": map[string]any{"kty": "EC", "crv": "P-256", "x": strings.Repeat("A", 7000), "y": strings.Repeat("A", 7000)},
	} {
		for _, n := range []int{64, 65, 4000} {
			keys := make([]any, n)
			for i := range keys {
				keys[i] = key
			}
			text, err := json.Marshal(map[string]any{"keys": keys})
			if err != nil {
				t.Fatal(err)
			}
			costtest.Check(t, name, func() { _, _ = publickey.ParseSet(text) })
		}
	}
}

// The worst tokens of 64 KiB, which bring their own key or certificates.
func TestWorstTokens(t *testing.T) {
	algorithms := []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA}
	parse := func(text string) func() { return func() { _, _ = publickey.ParseToken(text, algorithms) } }
	for name, value := range costtest.JSON(48<<10-200, strictjson.MaxValues-16) {
		for place, header := range map[string]string{
			"header": value, "jwk": `{"alg":"ES256","jwk":` + value + "}", "x5c": `{"alg":"ES256","x5c":` + value + "}", "a parameter": `{"alg":"ES256","x":` + value + "}", "crit": `{"alg":"ES256","crit":` + value + "}",
		} {
			costtest.Check(t, place+": "+name, parse(encode([]byte(header))+".e30.AAAA"))
		}
		costtest.Check(t, "payload: "+name, parse(encode([]byte(`{"alg":"ES256"}`))+"."+encode([]byte(value))+".AAAA"))
	}
	costtest.Check(t, "points", parse(strings.Repeat(".", 64<<10)))
	costtest.Check(t, "too long", parse(strings.Repeat("e", 16<<20)))
}

// The worst certificates of 16 KiB: as many names, extensions and attributes as they have room for.
func TestWorstCertificates(t *testing.T) {
	good := publickeytest.Certificate(t, publickeytest.RSA(8192, math.MaxInt32))
	zeros := append(bytes.Clone(good), make([]byte, 16<<10-len(good))...)
	nested := bytes.Repeat([]byte{0x30, 0x80}, 8<<10)
	sequences := append([]byte{0x30, 0x82, 0x3f, 0xfc}, bytes.Repeat([]byte{0x30, 0x00}, (16<<10-4)/2)...)
	for name, der := range map[string][]byte{"giant": good, "zeros behind it": zeros, "nesting": nested, "sequences": sequences, "too long": make([]byte, 16<<20)} {
		costtest.Check(t, name, func() {
			_, _ = publickey.ParseChain([][]byte{der, der, der, der})
		})
	}
}
