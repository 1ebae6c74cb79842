package target

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"

	"regain/conformance/jose"
	"regain/internal/config"
	"regain/internal/node"
)

// fapi are two clients for each variant of the FAPI 2.0 plans. The second has a query in its redirect URI, as the plans
// want it.
func (c *configuration) fapi() []node.ClientConfig {
	first, second := c.certificate("first"), c.certificate("second")
	c.values["mtls"], c.values["mtls2"] = first.values(), second.values()
	var list []node.ClientConfig
	for _, variant := range []struct {
		name   string
		change func(*node.ClientConfig)
	}{
		{"fapi_dpop", func(client *node.ClientConfig) { client.DPoPBound = true }},
		{"fapi_mtls", func(client *node.ClientConfig) { client.MTLSBound = true }},
		{"fapi_mtls_only", func(client *node.ClientConfig) {
			client.MTLSBound, client.AuthMethod = true, "self_signed_tls_client_auth"
		}},
		{"fapi_signing", func(client *node.ClientConfig) {
			client.DPoPBound, client.Profile, client.RequestAlg, client.RequireJAR = true, "fapi2-message-signing", "PS256", true
		}},
	} {
		for suffix, shown := range map[string]certified{"": first, "2": second} {
			client := c.fapiClient(variant.name+suffix, shown)
			if suffix == "2" {
				client.RedirectURIs = []string{c.callback() + "?dummy1=lorem&dummy2=ipsum"}
			}
			variant.change(&client)
			list = append(list, client)
		}
	}
	return list
}

// fapiClient is a client whose keys the suite gets to know.
func (c *configuration) fapiClient(name string, shown certified) node.ClientConfig {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits) // with an EC key the suite skips what it tries with RS256
	c.note(err)
	private := jose.JWK{Key: key, KeyID: name, Use: "sig", Algorithm: "PS256"}
	tls := jose.JWK{Key: shown.key.Public(), KeyID: name + "-tls", Use: "sig", Certificate: shown.certificate}
	public, err := json.Marshal(jose.JWKSet{Keys: []jose.JWK{private.Public(), tls}})
	c.note(err)
	c.values[name] = map[string]any{
		"client_id": name, "scope": "openid email offline_access", "dpop_signing_alg": "ES256", "jwks": jose.JWKSet{Keys: []jose.JWK{private}},
	}
	return node.ClientConfig{
		ID: name, Name: "Conformance suite", Profile: "fapi2-security", AuthMethod: "private_key_jwt", Secret: config.Secret{},
		JWKSFile: c.write(name+".jwks.json", public), RedirectURIs: []string{c.callback()}, Scope: []string{"openid", "email", "offline_access"},
		AskAccount: true,
	}
}
