package target

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"

	"regain/conformance/jose"
	"regain/internal/config"
)

// fapiVariant is a client of the FAPI 2.0 plans.
type fapiVariant struct {
	name      string
	algorithm string // of the key that it signs with
	change    func(*config.ClientConfig)
}

func fapiVariants() []fapiVariant {
	// With an EC key the suite skips what it tries with RS256, so that most have an RSA key.
	signing := func(algorithm string) func(*config.ClientConfig) {
		return func(client *config.ClientConfig) {
			client.DPoPBound, client.Profile, client.RequestAlg, client.RequireJAR, client.IDTokenAlg = true, "fapi2-message-signing", algorithm, true, algorithm
		}
	}
	return []fapiVariant{
		{"fapi_dpop", "PS256", func(client *config.ClientConfig) { client.DPoPBound = true }},
		{"fapi_dpop_nonce", "PS256", func(client *config.ClientConfig) { client.DPoPBound, client.DPoPNonce = true, true }},
		{"fapi_mtls", "PS256", func(client *config.ClientConfig) { client.MTLSBound = true }},
		{"fapi_mtls_only", "PS256", func(client *config.ClientConfig) {
			client.MTLSBound, client.AuthMethod = true, "self_signed_tls_client_auth"
		}},
		{"fapi_mtls_dpop", "PS256", func(client *config.ClientConfig) {
			client.DPoPBound, client.AuthMethod = true, "self_signed_tls_client_auth"
		}},
		{"fapi_signing", "PS256", func(client *config.ClientConfig) {
			client.DPoPBound, client.Profile, client.RequestAlg, client.RequireJAR = true, "fapi2-message-signing", "PS256", true
		}},
		{"fapi_signing_ps256", "PS256", signing("PS256")},
		{"fapi_signing_eddsa", "EdDSA", signing("EdDSA")},
		// The profile that every client has by default, with all its defaults: what FAPI 2.0 demands beyond them, it need
		// not refuse.
		{"recovery", "PS256", func(client *config.ClientConfig) { client.Profile, client.DPoPBound = "", true }},
	}
}

// fapi are two clients for each variant. The second has a query in its redirect URI, as the plans want it.
func (c *configuration) fapi() []config.ClientConfig {
	first, second := c.certificate("first"), c.certificate("second")
	c.values["mtls"], c.values["mtls2"] = first.values(), second.values()
	var list []config.ClientConfig
	for _, variant := range fapiVariants() {
		for suffix, shown := range map[string]certified{"": first, "2": second} {
			client := c.fapiClient(variant.name+suffix, variant.algorithm, shown)
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
func (c *configuration) fapiClient(name, algorithm string, shown certified) config.ClientConfig {
	private := jose.JWK{Key: c.clientKey(algorithm), KeyID: name, Use: "sig", Algorithm: algorithm}
	tls := jose.JWK{Key: shown.key.Public(), KeyID: name + "-tls", Use: "sig", Certificate: shown.certificate}
	public, err := json.Marshal(jose.JWKSet{Keys: []jose.JWK{private.Public(), tls}})
	c.note(err)
	// The suite asks for every claim that there is, and warns of each that it does not get: a claim is permitted by its scope.
	scope := []string{"openid", "profile", "email", "address", "phone", "offline_access"}
	c.values[name] = map[string]any{
		"client_id": name, "scope": strings.Join(scope, " "), "dpop_signing_alg": "ES256", "jwks": jose.JWKSet{Keys: []jose.JWK{private}},
	}
	return config.ClientConfig{
		ID: name, Name: "Conformance suite", Profile: "fapi2-security", AuthMethod: "private_key_jwt", Secret: config.Secret{},
		JWKSFile: c.write(name+".jwks.json", public), RedirectURIs: []string{c.callback()}, Scope: scope,
		AskAccount: true,
	}
}

func (c *configuration) clientKey(algorithm string) crypto.Signer {
	if algorithm != "PS256" {
		key, err := jose.Generate(algorithm)
		c.note(err)
		return key
	}
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	c.note(err)
	return key
}
