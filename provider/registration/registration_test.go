package registration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
)

// FuzzMetadata holds that whatever is accepted makes a valid client within the policy, and survives being stored.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["https://broker.example.org/callback"],"client_name":"Broker","token_endpoint_auth_method":"client_secret_post","scope":"openid email"}`))
	f.Add([]byte(`{"redirect_uris":["https://broker.example.org/callback"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://broker.example.org/jwks","grant_types":["authorization_code","refresh_token"]}`))
	f.Add([]byte(`{"redirect_uris":["https://x/#y"],"jwks":{"keys":[{"kty":"EC"}]},"software_statement":"x"}`))
	f.Add([]byte(`{"redirect_uris":["hTtps://broker.example.org/callback"],"jwks_uri":"https://broker.example.org"}`))
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
			if u, err := url.Parse(uri); err != nil || u.Scheme != "https" && u.Scheme != "http" { // in any letter case (RFC 3986 §3.1)
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

// Keys that are not understood are passed over, and are not in what is registered; with none left there is no registration.
func TestKeysOfMetadata(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	policy := Policy{Scopes: []string{"openid"}, DefaultAlgorithm: jose.ES256, Algorithms: []jose.SignatureAlgorithm{jose.ES256}}
	good, giant := jose.JSONWebKey{Key: key.Public(), KeyID: "a"}, publickeytest.JWK(publickeytest.RSA(65_536, 65537))
	register := func(keys ...any) (Metadata, error) {
		body, err := json.Marshal(map[string]any{
			"redirect_uris": []string{"https://broker.example.org/callback"}, "token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": keys},
		})
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := parse(body)
		if err != nil {
			return m, err
		}
		return m, m.settle(policy)
	}
	others := publickeytest.Foreign()
	others["a giant"] = giant
	for name, other := range others {
		m, err := register(other, good)
		if err != nil || len(m.JWKS.Keys) != 1 || m.JWKS.Keys[0].KeyID != "a" {
			t.Errorf("%s beside a good one: %v", name, err)
		}
		if _, err := register(other); !errors.Is(err, publickey.ErrSet) {
			t.Errorf("%s alone: %v", name, err)
		}
	}
	if _, err := register(jose.JSONWebKey{Key: key}, good); !errors.Is(err, publickey.ErrPrivate) {
		t.Errorf("a private key beside a good one: %v", err)
	}
}
