package target

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"

	"regain/internal/config"
)

// held is a Verified ID in the suite's wallet, which a plan chooses by its variant credential_format.
type held struct {
	variant       string
	given, family string // as the suite has them
	credential    config.CredentialConfig
	trust         config.TrustConfig // in its signer; it has no status
}

// suiteSigner is the certificate that all mdocs of the suite's wallet are signed under. It is the suite's own,
// published in its source (TestAppUtils.kt), and no plan can configure another.
//
//go:embed suite-mdoc-signer.pem
var suiteSigner []byte

const (
	pid     = "urn:eudi:pid:1"
	licence = "org.iso.18013.5.1.mDL"
)

// verify configures every way to ask the suite's wallet that the plans of the verifier try. Each is a wallet profile,
// and for each Verified ID in that wallet a recovery profile with one account: a plan chooses by the account that it
// recovers. The suite holds no Face Check receipts, so that nothing but an evaluation will do.
func (c *configuration) verify(cfg *config.Config) {
	for i := range cfg.Profiles {
		cfg.Profiles[i].Wallets = []string{cfg.Wallets[0].Name}
	}
	issuer, err := url.Parse(cfg.Issuer)
	c.note(err)
	c.values["request_name"] = issuer.Hostname()
	wallets := c.suiteWallets(issuer.Hostname())
	cfg.Wallets = append(cfg.Wallets, wallets...)
	for _, h := range c.held() {
		h.trust.Types, h.trust.StatusOptional = h.credential.Types, true
		cfg.Trust = append(slices.DeleteFunc(cfg.Trust, func(t config.TrustConfig) bool { return slices.Equal(t.Types, h.trust.Types) }), h.trust)
		for _, w := range wallets {
			name := h.variant + "." + w.Name
			cfg.Profiles = append(cfg.Profiles, config.ProfileConfig{
				Name: name, Mode: "evaluation", Priority: 100 + len(cfg.Profiles), Groups: []string{name}, Wallets: []string{w.Name},
				Credential: h.credential, FaceCheck: config.FaceCheckConfig{Source: "none"},
			})
			c.owners = append(c.owners, account{
				Name: name + "@example.org", ID: fmt.Sprintf("8d0b6a3e-0000-4000-8000-%012d", len(c.owners)), Groups: []string{name}, Attributes: map[string]string{"given_name": h.given, "family_name": h.family},
			})
		}
	}
}

// suiteWallets are named after the variants client_id_prefix and response_mode.
func (c *configuration) suiteWallets(host string) []config.WalletConfig {
	list := []config.WalletConfig{{Name: "haip", HAIP: true}}
	for _, w := range []config.WalletConfig{
		{ClientIDPrefix: "x509_hash"},
		{ClientIDPrefix: "x509_san_dns", ClientID: host},
		{ClientIDPrefix: "redirect_uri", ByValue: true},
	} {
		for _, w.ResponseMode = range []string{"direct_post", "direct_post.jwt"} {
			w.Name = w.ClientIDPrefix + "." + w.ResponseMode
			list = append(list, w)
		}
	}
	for i := range list {
		list[i].Endpoint = c.suiteURL("/authorize")
	}
	return list
}

// held are the Verified IDs in the suite's wallet. It signs those of one format itself, with a key that we give it.
func (c *configuration) held() []held {
	authority := c.authority("Conformance suite's issuers")
	c.values["verified_id_key"] = c.signer(authority, "Conformance suite's issuer").private("verified-id")
	return []held{
		{
			variant: "sd_jwt_vc", given: "Jean", family: "Dupont",
			trust:      config.TrustConfig{AnchorsFile: c.write("suite-issuers.crt", encodeCertificate(authority.certificate)), Issuers: []string{c.suiteURL("")}},
			credential: named(config.CredentialConfig{Format: "dc+sd-jwt", Types: []string{pid}}, ""),
		},
		{
			variant: "iso_mdl", given: "Erika", family: "Mustermann",
			trust:      config.TrustConfig{SignersFile: c.write("suite-signer.crt", suiteSigner)},
			credential: named(config.CredentialConfig{Format: "mso_mdoc", Types: []string{licence}}, "org.iso.18013.5.1/"),
		},
	}
}

// named binds both names; in an mdoc they stand in a namespace.
func named(credential config.CredentialConfig, namespace string) config.CredentialConfig {
	for _, name := range []string{"given_name", "family_name"} {
		credential.Bindings = append(credential.Bindings, config.BindingConfig{Attribute: name, Claim: namespace + name})
	}
	return credential
}
