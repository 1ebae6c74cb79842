package did_test

import (
	"fmt"
	"strings"
	"testing"

	"regain/internal/costtest"
	"regain/internal/strictjson"
	"regain/verifier/did"
	"regain/verifier/verifiertest"
)

// The worst DID documents of 64 KiB, which a host serves that a holder chose, and the worst DIDs that are documents
// themselves.
func TestWorst(t *testing.T) {
	id := parse(t, "did:web:holder.example")
	serve := func(document string) func() {
		return func() { _, _ = newResolver(t, page(document)).Resolve(t.Context(), id) }
	}
	for name, value := range costtest.JSON(64<<10-100, strictjson.MaxValues-16) {
		for _, place := range []string{"x", "verificationMethod", "authentication", "service"} {
			costtest.Check(t, place+": "+name, serve(fmt.Sprintf(`{"id":"did:web:holder.example",%q:%s}`, place, value)))
		}
		costtest.Check(t, name, serve(value))
	}
	for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
		jwk := string(verifiertest.JSON(t, verifiertest.NewSigner(t, algorithm).JWK(t)))
		var methods, names []string
		for i := 0; len(strings.Join(methods, ","))+len(names)*8 < 60<<10; i++ {
			methods = append(methods, fmt.Sprintf(`{"id":"#%d","type":"JsonWebKey2020","publicKeyJwk":%s}`, i, jwk))
			names = append(names, fmt.Sprintf(`"#%d"`, i))
		}
		for _, text := range []string{strings.Join(names, ","), strings.Join(methods, ",")} {
			costtest.Check(t, algorithm+" keys", serve(fmt.Sprintf(`{"id":"did:web:holder.example","verificationMethod":[%s],"authentication":[%s]}`, strings.Join(methods, ","), text)))
		}
	}
	for name, value := range costtest.JSON(2900, 500) {
		for method, text := range map[string]string{"jwk": "did:jwk:" + verifiertest.Encode([]byte(value)), "ion": "did:ion:EiA:" + verifiertest.Encode([]byte(value))} {
			costtest.Check(t, method+": "+name, func() {
				if parsed, err := did.Parse(text); err == nil {
					_, _ = newResolver(t, nothing{}).Resolve(t.Context(), parsed)
				}
			})
		}
	}
	costtest.Check(t, "too long", func() { _, _ = did.Parse("did:web:" + strings.Repeat("a:", 1<<20)) })
}
