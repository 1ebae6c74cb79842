package registration

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzMetadata holds that whatever is accepted makes a valid client within the policy, and survives being stored.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["https://broker.example.org/callback"],"client_name":"Broker","token_endpoint_auth_method":"client_secret_post","scope":"openid email"}`))
	f.Add([]byte(`{"redirect_uris":["https://broker.example.org/callback"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://broker.example.org/jwks","grant_types":["authorization_code","refresh_token"]}`))
	f.Add([]byte(`{"redirect_uris":["https://x/#y"],"jwks":{"keys":[{"kty":"EC"}]},"software_statement":"x"}`))
	policy := Policy{Scopes: []string{"openid", "email", "offline_access"}, DefaultAlgorithm: jose.ES256, Algorithms: []jose.SignatureAlgorithm{jose.ES256}}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, _, err := parse(body)
		if err != nil || m.settle(policy) != nil {
			return
		}
		c, err := m.client("id", [32]byte{1}, policy)
		if err != nil {
			return
		}
		if c.Recovers() || c.ReuseSession || c.AllowUnpushed || c.AllowNoPKCE || c.Algorithm() != jose.ES256 {
			t.Errorf("beyond the policy: %s", body)
		}
		for _, uri := range c.RedirectURIs {
			if !strings.HasPrefix(uri, "http") {
				t.Errorf("redirect URI %q", uri)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := parse(text)
		if err != nil || again.settle(policy) != nil {
			t.Errorf("stored, it is refused: %v %s", err, text)
		}
	})
}
