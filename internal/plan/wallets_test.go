package plan_test

import (
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// Each row is a wallet profile that no wallet could be asked with.
func TestWalletMistakes(t *testing.T) {
	wallet := func(change func(w *config.WalletConfig)) func(t *testing.T, c *config.Config) {
		return func(_ *testing.T, c *config.Config) {
			w := config.WalletConfig{}
			change(&w)
			c.Wallets = []config.WalletConfig{w}
		}
	}
	for says, breakIt := range map[string]func(t *testing.T, c *config.Config){
		"client_id_prefix \"x509\"":      wallet(func(w *config.WalletConfig) { w.ClientIDPrefix = "x509" }),
		"lacks the DNS name":             wallet(func(w *config.WalletConfig) { w.ClientIDPrefix, w.ClientID = "x509_san_dns", "other.localhost" }),
		"so use by_value":                wallet(func(w *config.WalletConfig) { w.ClientIDPrefix = "redirect_uri" }),
		"is not a DID":                   wallet(func(w *config.WalletConfig) { w.ClientIDPrefix, w.ClientID = "decentralized_identifier", "recover" }),
		"name the fragment":              wallet(func(w *config.WalletConfig) { w.ClientIDPrefix, w.ClientID = "decentralized_identifier", "did:web:x" }),
		"must not begin with x509_hash:": wallet(func(w *config.WalletConfig) { w.ClientIDPrefix, w.ClientID = "pre-registered", "x509_hash:abc" }),
		"so use direct_post":             wallet(func(w *config.WalletConfig) { w.ClientIDPrefix, w.ClientID = "pre-registered", "regain" }),
		"attestation_file":               wallet(func(w *config.WalletConfig) { w.ClientIDPrefix, w.AttestationFile = "verifier_attestation", "none.jwt" }),
		"response_mode \"fragment\"":     wallet(func(w *config.WalletConfig) { w.ResponseMode = "fragment" }),
		"request_uri_method \"put\"":     wallet(func(w *config.WalletConfig) { w.RequestURIMethod = "put" }),
		"authorization_endpoint":         wallet(func(w *config.WalletConfig) { w.Endpoint = "javascript:alert(1)" }),
		"openid4vp-v1-telepathy":         wallet(func(w *config.WalletConfig) { w.DigitalCredentials = []string{"telepathy"} }),
		"verifier_info_file":             wallet(func(w *config.WalletConfig) { w.VerifierInfoFile = "none.json" }),
		"HAIP 1.0 §5.1":                  wallet(func(w *config.WalletConfig) { w.HAIP, w.ResponseMode = true, "direct_post" }),
		"protocol \"didcomm\"":           wallet(func(w *config.WalletConfig) { w.Protocol = "didcomm" }),
		"give our DID":                   wallet(func(w *config.WalletConfig) { w.Protocol = "authenticator" }),
		"another wallet profile has":     func(_ *testing.T, c *config.Config) { c.Wallets = []config.WalletConfig{{}, {}} },
		"no wallet profile \"phone\"":    func(_ *testing.T, c *config.Config) { c.Profiles[0].Wallets = []string{"phone"} },
		"no entry covers the type FaceCheckReceipt": func(_ *testing.T, c *config.Config) {
			c.Profiles[0].Credential = config.CredentialConfig{
				Format: "jwt_vc_json", Types: []string{"VerifiableCredential VerifiedIdentity"}, Bindings: []config.BindingConfig{{Attribute: "family_name", Claim: "credentialSubject/lastName"}},
			}
			c.Trust[0].Types = []string{"VerifiedIdentity"}
		},
		"know neither": func(_ *testing.T, c *config.Config) {
			c.Wallets = []config.WalletConfig{{Protocol: "authenticator", ClientID: "did:web:x.localhost", KeyID: "k", TransactionData: true}}
		},
		"cross_device.qr_lifetime": func(_ *testing.T, c *config.Config) {
			c.Profiles[0].CrossDevice = config.CrossDeviceConfig{Allow: true, QRLifetime: time.Hour}
		},
		"in evaluation": func(_ *testing.T, c *config.Config) { c.Profiles[0].FaceCheck.Source = "selfie" },
		"evaluation only": func(_ *testing.T, c *config.Config) {
			c.Profiles[0].Mode, c.Profiles[0].FaceCheck.Source = "production", "none"
		},
		"trust[0]": func(_ *testing.T, c *config.Config) { c.Trust[0].SignersFile = "none.crt" },
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			breakIt(t, &cfg)
			if err := read(cfg); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want it to say %q", err, says)
			}
		})
	}
}
