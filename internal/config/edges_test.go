package config_test

import (
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/presentation"
)

// What is just within a rule is no mistake, and the next thing is one.
func TestMistakesBeginWhereTheRuleSays(t *testing.T) {
	own := func(c *config.Config) { c.TLS.CertificateFile, c.TLS.KeyFile = "tls.crt", "tls.key" }
	for name, row := range map[string]struct {
		change func(c *config.Config)
		says   string // of the mistake
		made   bool
	}{
		"no lifetime":        {func(c *config.Config) { c.RequestLife = 0 }, "request_lifetime 0s: at most", true},
		"a lifetime of less": {func(c *config.Config) { c.RequestLife = -time.Second }, "request_lifetime -1s: at most", true},
		"the shortest":       {func(c *config.Config) { c.RequestLife = 1 }, "request_lifetime", false},
		"the longest":        {func(c *config.Config) { c.RequestLife = presentation.MaxLifetime }, "request_lifetime", false},
		"longer than that":   {func(c *config.Config) { c.RequestLife = presentation.MaxLifetime + 1 }, "more than nothing", true},

		"another port for certificates":    {func(c *config.Config) { own(c); c.MutualTLS.Listen = "127.0.0.1:8444" }, "mutual_tls.listen", false},
		"one that is none":                 {func(c *config.Config) { own(c); c.MutualTLS.Listen = "127.0.0.1" }, "mutual_tls.listen: ", true},
		"a certificate, and no other port": {own, "mutual_tls.listen", false},

		"types in both places": {func(c *config.Config) {
			c.Profiles[0].Credentials, c.Profiles[0].Credential.Bindings = []config.CredentialConfig{c.Profiles[0].Credential}, nil
		}, "set either credential or credentials", true},
		"bindings in both places": {func(c *config.Config) {
			c.Profiles[0].Credentials, c.Profiles[0].Credential.Types = []config.CredentialConfig{c.Profiles[0].Credential}, nil
		}, "set either credential or credentials", true},
		"in one place": {func(c *config.Config) {
			c.Profiles[0].Credentials, c.Profiles[0].Credential = []config.CredentialConfig{c.Profiles[0].Credential}, config.CredentialConfig{}
		}, "set either credential or credentials", false},

		"one network, and no QR code": {func(c *config.Config) {
			c.Issuer, c.Profiles[0].CrossDevice = "https://regain.localhost", config.CrossDeviceConfig{SameNetwork: true}
		}, "same_network", false},
		"a QR code, for any network": {func(c *config.Config) {
			c.Issuer, c.Profiles[0].CrossDevice = "https://regain.localhost", config.CrossDeviceConfig{Allow: true}
		}, "same_network", false},
		"one network, and no proxy": {func(c *config.Config) {
			own(c)
			c.Issuer, c.Profiles[0].CrossDevice = "https://regain.localhost", config.CrossDeviceConfig{Allow: true, SameNetwork: true}
		}, "same_network", false},

		"one proofing provider twice": {func(c *config.Config) {
			c.Proofing = []config.ProofingConfig{{Name: "northlight"}, {Name: "northlight"}}
		}, `proofing[1].name "northlight": each provider needs a name of its own`, true},
		"two of them": {func(c *config.Config) {
			c.Proofing, c.Profiles[0].Proofing = []config.ProofingConfig{{Name: "northlight"}, {Name: "southlight"}}, "southlight"
		}, "proofing", false},

		"this machine":              {func(c *config.Config) { c.Issuer = "http://localhost:8080" }, "must be https", false},
		"a name of it":              {func(c *config.Config) { c.Issuer = "http://a.regain.localhost" }, "must be https", false},
		"its address":               {func(c *config.Config) { c.Issuer = "http://127.0.0.1:8080" }, "must be https", false},
		"its other address":         {func(c *config.Config) { c.Issuer = "http://[::1]:8080" }, "must be https", false},
		"a name that looks like it": {func(c *config.Config) { c.Issuer = "http://notlocalhost" }, "must be https", true},
		"a host called so":          {func(c *config.Config) { c.Issuer = "http://localhost.example.org" }, "must be https", true},
		"another address":           {func(c *config.Config) { c.Issuer = "http://127.0.0.2" }, "must be https", true},
	} {
		cfg := valid(t)
		row.change(&cfg)
		err := cfg.Validate()
		if made := err != nil && strings.Contains(err.Error(), row.says); made != row.made {
			t.Errorf("%s: a mistake that says %q: %t, %v", name, row.says, made, err)
		}
	}
}
