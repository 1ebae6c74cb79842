package target

import (
	"crypto/rand"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/provider/keys"
)

// ring is a signing key for each algorithm.
func (c *configuration) ring() []byte {
	list, err := keys.GenerateRing(rand.Reader, jose.ES256, jose.RS256, jose.EdDSA)
	c.note(err)
	text, err := keys.EncodeRing(list)
	c.note(err)
	return text
}

// clients are what the plans sign in with. Their names in Values are the ones that the plans' templates use.
func (c *configuration) clients() []config.ClientConfig {
	return slices.Concat(c.basic(), c.fapi())
}

// suiteURL is one of the suite's addresses for this target.
func (c *configuration) suiteURL(path string) string {
	return c.options.Suite + "/test/a/" + c.options.Alias + path
}

// callback is where the suite takes authorization responses.
func (c *configuration) callback() string { return c.suiteURL("/callback") }

// registration is for the plan whose clients register themselves.
func (c *configuration) registration() config.RegistrationConfig {
	no, token := false, c.secret()
	c.values["initial_access_token"] = token
	return config.RegistrationConfig{
		Tokens: config.Secret{File: c.write("initial-access-tokens", []byte(token+"\n"))}, Scope: []string{"openid", "profile", "email", "address", "phone", "offline_access"},
		RequirePAR: &no, RequirePKCE: &no, AskAccount: true, ReuseSession: true,
	}
}

// basic are the clients of the OpenID Connect plans: stock relying parties, which push nothing and know no PKCE. One of
// them listens for logout tokens; the plan for the others' logout takes one for a mistake.
func (c *configuration) basic() []config.ClientConfig {
	no := false
	var list []config.ClientConfig
	for name, method := range map[string]string{"client": "client_secret_basic", "client2": "client_secret_basic", "client_secret_post": "client_secret_post", "backchannel_client": "client_secret_basic"} {
		secret := c.secret()
		id := "oidc-" + name
		c.values[name] = map[string]any{"client_id": id, "client_secret": secret}
		backchannel := ""
		if name == "backchannel_client" {
			backchannel = c.suiteURL("/backchannel_logout")
		}
		list = append(list, config.ClientConfig{
			ID: id, Name: "Conformance suite", AuthMethod: method, Secret: config.Secret{File: c.write(id+".secret", []byte(secret))},
			RedirectURIs: []string{c.callback()}, PostLogout: []string{c.suiteURL("/post_logout_redirect")}, BackChannel: backchannel, Scope: []string{"openid", "profile", "email", "address", "phone", "offline_access"},
			RequirePAR: &no, RequirePKCE: &no, AskAccount: true, ReuseSession: true, IDTokenAlg: "RS256",
		})
	}
	return list
}
