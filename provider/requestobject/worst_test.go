package requestobject_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/costtest"
	"regain/internal/strictjson"
)

// The worst request objects of 32 KiB: signed by their client, and by nobody.
func TestWorst(t *testing.T) {
	b := setUp(t)
	verify := func(object string) func() { return func() { _, _ = b.verify(object) } }
	encode := base64.RawURLEncoding.EncodeToString
	for name, value := range costtest.JSON(23<<10, strictjson.MaxValues-16) {
		for _, payload := range []string{value, `{"iss":"bank","aud":"` + issuer + `","x":` + value + "}", `{"claims":` + value + "}"} {
			costtest.Check(t, "signed: "+name, verify(b.signPayload(jose.SigningKey{Algorithm: jose.ES256, Key: b.key}, (&jose.SignerOptions{}).WithType("oauth-authz-req+jwt"), []byte(payload))))
		}
		costtest.Check(t, "header: "+name, verify(encode([]byte(value))+".e30.AAAA"))
		costtest.Check(t, "payload: "+name, verify(encode([]byte(`{"alg":"PS256"}`))+"."+encode([]byte(value))+".AAAA"))
	}
	for name, object := range map[string]string{"points": strings.Repeat(".", 32<<10), "too long": strings.Repeat("e30.", 1<<20)} {
		costtest.Check(t, name, verify(object))
	}
}
