package registration

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/costtest"
	"regain/internal/publickey/publickeytest"
	"regain/internal/strictjson"
)

// The worst metadata that a client can register with, of 64 KiB.
func TestWorst(t *testing.T) {
	policy := Policy{Scopes: []string{"openid", "email"}, DefaultAlgorithm: jose.ES256, Algorithms: []jose.SignatureAlgorithm{jose.ES256}}
	register := func(body string) func() {
		return func() {
			if m, _, err := parse([]byte(body)); err == nil && m.settle(policy) == nil {
				_, _ = m.client("id", [32]byte{1}, policy)
			}
		}
	}
	for name, value := range costtest.JSON(64<<10-400, strictjson.MaxValues-16) {
		for _, place := range []string{"x", "redirect_uris", "jwks", "scope", "grant_types", "client_name", "post_logout_redirect_uris"} {
			body := fmt.Sprintf(`{"redirect_uris":["https://broker.example.org/callback"],%q:%s}`, place, value)
			costtest.Check(t, place+": "+name, register(body))
		}
		costtest.Check(t, "keys: "+name, register(`{"redirect_uris":["https://broker.example.org/callback"],"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":`+value+`}}`))
	}
	var keys []any
	for len(keys) < 40 { // 64 KiB
		keys = append(keys, publickeytest.JWK(publickeytest.RSA(8192, math.MaxInt32)))
	}
	body, err := json.Marshal(map[string]any{"redirect_uris": []string{"https://broker.example.org/callback"}, "token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": keys}})
	if err != nil {
		t.Fatal(err)
	}
	costtest.Check(t, "giant keys", register(string(body)))
}
