package oauth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/clients"
	"regain/provider/problem/problemtest"
)

// What a client may loosen about its assertions, and what its profile forbids all the same.
func TestAssertionsByRegistration(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "sig", Use: "sig"}}}
	b := serverWith(t, func(*bench) []*clients.Client {
		usual := clients.Client{Name: "Example", AuthMethod: clients.PrivateKeyJWT, RedirectURIs: []string{redirect}, Keys: keys, Scopes: []string{"openid"}}
		usual.ID = "usual"
		strict, bank, pinned := usual, usual, usual
		strict.ID, strict.TokenEndpointAudience = "strict", new(bool)
		bank.ID, bank.Profile, bank.DPoPBound = "bank", clients.ProfileFAPI2, true
		pinned.ID, pinned.AssertionAlgorithm = "pinned", jose.PS256
		return []*clients.Client{&usual, &strict, &bank, &pinned}
	})
	for name, c := range map[string]struct {
		client, audience string
		alg              jose.SignatureAlgorithm
		why              string // "" for what is accepted
	}{
		"RS256":                                 {"usual", issuer, jose.RS256, ""},
		"PS256":                                 {"usual", issuer, jose.PS256, ""},
		"to the token endpoint":                 {"usual", issuer + "/token", jose.RS256, ""},
		"to the PAR endpoint":                   {"usual", issuer + "/par", jose.RS256, ""},
		"to the endpoint that is called":        {"usual", issuer + "/x", jose.RS256, ""},
		"to an endpoint that is not called":     {"usual", issuer + "/introspect", jose.RS256, "aud must be the issuer"},
		"to a server that begins like ours":     {"usual", issuer + "/token.evil.example", jose.RS256, "aud must be the issuer"},
		"to the token endpoint of another":      {"usual", "https://evil.example/token", jose.RS256, "aud must be the issuer"},
		"to the issuer, where that is required": {"strict", issuer, jose.RS256, ""},
		"to an endpoint, where it must not be":  {"strict", issuer + "/token", jose.RS256, "aud must be the issuer"},
		"to the endpoint called, likewise":      {"strict", issuer + "/x", jose.RS256, "aud must be the issuer"},
		"to the token endpoint in FAPI":         {"bank", issuer + "/token", jose.PS256, "aud must be the issuer"},
		"to the PAR endpoint in FAPI":           {"bank", issuer + "/par", jose.PS256, "aud must be the issuer"},
		"RS256 in FAPI":                         {"bank", issuer, jose.RS256, "fapi2-security does not allow RS256"},
		"PS256 in FAPI":                         {"bank", issuer, jose.PS256, ""},
		"RS256 where PS256 is registered":       {"pinned", issuer, jose.RS256, "alg is RS256, and PS256 is registered"},
		"an algorithm of the registered keys":   {"pinned", issuer, jose.PS256, ""},
		"a digest that the server never offers": {"usual", issuer, jose.RS512, "unexpected signature algorithm \"RS512\""},
	} {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: c.alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "sig"))
		b.must(err)
		claims := b.assertion(c.client)
		claims["aud"], claims["jti"] = c.audience, name
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		b.must(err)
		form := request()
		form.Set("client_id", c.client)
		form.Set("scope", "openid")
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", token)
		t.Run(name, func(t *testing.T) {
			if _, err := b.push(form); c.why != "" {
				problemtest.WantRefusal(t, err, "invalid_client", c.why)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
