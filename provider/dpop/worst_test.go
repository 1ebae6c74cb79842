package dpop_test

import (
	"math"
	"testing"

	"regain/internal/costtest"
	"regain/internal/publickey/publickeytest"
)

// The worst proofs of 8 KiB, whose key is the sender's own.
func TestWorst(t *testing.T) {
	b := setUp(t)
	check := func(proof string) func() { return func() { _, _ = b.check(proof, nil) } }
	for name, value := range costtest.JSON(5<<10, 4000) {
		costtest.Check(t, "claims: "+name, check(b.signText(`{"typ":"dpop+jwt","alg":"ES256"}`, value)))
		costtest.Check(t, "header: "+name, check(b.signText(value, "{}")))
		costtest.Check(t, "a header's key: "+name, check(b.signText(`{"typ":"dpop+jwt","alg":"ES256","jwk":`+value+"}", "{}")))
	}
	for name, bits := range map[string]int{"4096 bits": 4096, "8192 bits": 8192, "16384 bits": 16_384} {
		costtest.Check(t, name, check(b.sign(with(with(b.header(), "alg", "PS256"), "jwk", publickeytest.JWK(publickeytest.RSA(bits, math.MaxInt32))), b.claims())))
	}
}
