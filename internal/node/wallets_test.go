package node_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto/rand"
	"log/slog"

	"regain/internal/node"
)

// Each row is a wallet profile that no wallet could be asked with.
func TestWalletMistakes(t *testing.T) {
	wallet := func(change func(w *node.WalletConfig)) func(t *testing.T, c *node.Config) {
		return func(_ *testing.T, c *node.Config) {
			w := node.WalletConfig{}
			change(&w)
			c.Wallets = []node.WalletConfig{w}
		}
	}
	for says, breakIt := range map[string]func(t *testing.T, c *node.Config){
		"client_id_prefix \"x509\"":      wallet(func(w *node.WalletConfig) { w.ClientIDPrefix = "x509" }),
		"lacks the DNS name":             wallet(func(w *node.WalletConfig) { w.ClientIDPrefix, w.ClientID = "x509_san_dns", "other.localhost" }),
		"so use by_value":                wallet(func(w *node.WalletConfig) { w.ClientIDPrefix = "redirect_uri" }),
		"is not a DID":                   wallet(func(w *node.WalletConfig) { w.ClientIDPrefix, w.ClientID = "decentralized_identifier", "recover" }),
		"name the fragment":              wallet(func(w *node.WalletConfig) { w.ClientIDPrefix, w.ClientID = "decentralized_identifier", "did:web:x" }),
		"must not begin with x509_hash:": wallet(func(w *node.WalletConfig) { w.ClientIDPrefix, w.ClientID = "pre-registered", "x509_hash:abc" }),
		"so use direct_post":             wallet(func(w *node.WalletConfig) { w.ClientIDPrefix, w.ClientID = "pre-registered", "regain" }),
		"attestation_file":               wallet(func(w *node.WalletConfig) { w.ClientIDPrefix, w.AttestationFile = "verifier_attestation", "none.jwt" }),
		"response_mode \"fragment\"":     wallet(func(w *node.WalletConfig) { w.ResponseMode = "fragment" }),
		"request_uri_method \"put\"":     wallet(func(w *node.WalletConfig) { w.RequestURIMethod = "put" }),
		"authorization_endpoint":         wallet(func(w *node.WalletConfig) { w.Endpoint = "javascript:alert(1)" }),
		"openid4vp-v1-telepathy":         wallet(func(w *node.WalletConfig) { w.DigitalCredentials = []string{"telepathy"} }),
		"verifier_info_file":             wallet(func(w *node.WalletConfig) { w.VerifierInfoFile = "none.json" }),
		"HAIP 1.0 §5.1":                  wallet(func(w *node.WalletConfig) { w.HAIP, w.ResponseMode = true, "direct_post" }),
		"protocol \"didcomm\"":           wallet(func(w *node.WalletConfig) { w.Protocol = "didcomm" }),
		"give our DID":                   wallet(func(w *node.WalletConfig) { w.Protocol = "authenticator" }),
		"another wallet profile has":     func(_ *testing.T, c *node.Config) { c.Wallets = []node.WalletConfig{{}, {}} },
		"no wallet profile \"phone\"":    func(_ *testing.T, c *node.Config) { c.Profiles[0].Wallets = []string{"phone"} },
		"no credential of it can be asked": func(_ *testing.T, c *node.Config) {
			c.Wallets = []node.WalletConfig{{Protocol: "authenticator", ClientID: "did:web:x.localhost", KeyID: "k"}}
		},
		"no entry covers the type FaceCheckReceipt": func(_ *testing.T, c *node.Config) {
			asksForJWTVCs(c)
			c.Trust[0].Types = c.Trust[0].Types[:1]
		},
		"asks for no SD-JWT": func(_ *testing.T, c *node.Config) {
			c.Wallets = []node.WalletConfig{{TransactionData: true}}
			c.Profiles[0].Credential.Format, c.Profiles[0].Credential.Types = "mso_mdoc", []string{"org.iso.18013.5.1.mDL"}
			for i, b := range c.Profiles[0].Credential.Bindings {
				c.Profiles[0].Credential.Bindings[i].Claim = "org.iso.18013.5.1/" + b.Claim
			}
			c.Trust[0].Types = append(c.Trust[0].Types, "org.iso.18013.5.1.mDL")
		},
		"verified_id_2 asks for no SD-JWT": func(_ *testing.T, c *node.Config) { // one that a wallet could choose to sign nothing
			c.Wallets = []node.WalletConfig{{TransactionData: true}}
			second := node.CredentialConfig{Format: "mso_mdoc", Types: []string{"org.iso.18013.5.1.mDL"}}
			for _, b := range c.Profiles[0].Credential.Bindings {
				b.Claim = "org.iso.18013.5.1/" + b.Claim
				second.Bindings = append(second.Bindings, b)
			}
			c.Profiles[0].Credentials, c.Profiles[0].Credential = []node.CredentialConfig{c.Profiles[0].Credential, second}, node.CredentialConfig{}
			c.Trust[0].Types = append(c.Trust[0].Types, "org.iso.18013.5.1.mDL")
		},
		"receipt_vc_types": func(_ *testing.T, c *node.Config) {
			c.Profiles[0].Credential.Format, c.Profiles[0].Credential.Types = "jwt_vc_json", []string{"VerifiableCredential VerifiedIdentity"}
			c.Trust[0].Types, c.FaceCheck.ReceiptVCTypes = append(c.Trust[0].Types, "VerifiedIdentity"), nil
		},
		"the rest moves up": func(_ *testing.T, c *node.Config) { c.Profiles[0].Credential.Bindings[0].Claim = "given_names/0" },
		"know neither": func(_ *testing.T, c *node.Config) {
			c.Wallets = []node.WalletConfig{{Protocol: "authenticator", ClientID: "did:web:x.localhost", KeyID: "k", TransactionData: true}}
		},
		"name it in trusted_proxies": func(_ *testing.T, c *node.Config) {
			c.Issuer = "https://regain.localhost"
			c.Profiles[0].CrossDevice = node.CrossDeviceConfig{Allow: true, SameNetwork: true}
		},
		"cross_device.qr_lifetime": func(_ *testing.T, c *node.Config) {
			c.Profiles[0].CrossDevice = node.CrossDeviceConfig{Allow: true, QRLifetime: time.Hour}
		},
		"request_lifetime": func(_ *testing.T, c *node.Config) { c.RequestLife = time.Hour },
		"in evaluation":    func(_ *testing.T, c *node.Config) { c.Profiles[0].FaceCheck.Source = "selfie" },
		"evaluation only": func(_ *testing.T, c *node.Config) {
			c.Profiles[0].Mode, c.Profiles[0].FaceCheck.Source = "production", "none"
		},
		"either credential": func(_ *testing.T, c *node.Config) {
			c.Profiles[0].Credentials = []node.CredentialConfig{c.Profiles[0].Credential}
		},
		"trust[0]": func(_ *testing.T, c *node.Config) { c.Trust[0].SignersFile = "none.crt" },
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			breakIt(t, &cfg)
			if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want it to say %q", err, says)
			}
		})
	}
}

// What works today and will not, or hardly, is told before a wallet's silence tells it.
func TestWarnings(t *testing.T) {
	cfg := valid(t)
	now := time.Now()
	says := func(at time.Time, what string) {
		t.Helper()
		if all := strings.Join(cfg.Warnings(at), "\n"); !strings.Contains(all, what) {
			t.Errorf("no warning says %q:\n%s", what, all)
		}
	}
	says(now, "https addresses only")
	if all := strings.Join(cfg.Warnings(now), "\n"); strings.Contains(all, "certificate") {
		t.Errorf("a certificate of a year: %s", all)
	}
	says(now.Add(340*24*time.Hour), "request_signing.certificate_file: certificate 0 of request.crt expires at")
	says(now.Add(340*24*time.Hour), "trust[0].anchors_file")
	says(now.Add(400*24*time.Hour), "expired at")
	cfg.TLS.CertificateFile, cfg.Issuer = cfg.RequestSigning.CertificateFile, "https://elsewhere.localhost"
	says(now, "the certificate is for regain.localhost, and the issuer's host is elsewhere.localhost")
	cfg.Wallets = []node.WalletConfig{{ClientIDPrefix: "redirect_uri", ByValue: true, ResponseMode: "direct_post"}}
	says(now, "nothing proves to a wallet who asks")
	says(now, "not encrypted")
	cfg.TLS.CertificateFile = ""
	says(now, "limits by network are shared by all") // TLS ends elsewhere
	if cfg.TrustedProxies = []string{"10.0.0.0/8"}; strings.Contains(strings.Join(cfg.Warnings(now), "\n"), "shared by all") {
		t.Error("a proxy that is believed is warned of")
	}
	cfg.Trust = append(cfg.Trust, node.TrustConfig{Types: []string{"VerifiedIdentity"}, DIDs: []string{"did:web:issuer.example"}})
	says(now, "trust[1]: dids alone")
	cfg.Wallets = nil
	other := cfg.Profiles[0]
	other.Name, other.Priority, other.AllUsers, other.Groups, other.CrossDevice.Allow = "pilot", 5, false, []string{"pilot"}, true
	cfg.Profiles = append(cfg.Profiles, other)
	says(now, "an outsider can tell which accounts pilot covers")
	cfg.Profiles[1].CrossDevice.Allow = cfg.Profiles[0].CrossDevice.Allow
	if all := strings.Join(cfg.Warnings(now), "\n"); strings.Contains(all, "seen from outside") {
		t.Errorf("profiles that look alike: %s", all)
	}
	jwt := filepath.Join(t.TempDir(), "attestation.jwt")
	text := "eyJ0eXAiOiJ2ZXJpZmllci1hdHRlc3RhdGlvbitqd3QifQ." + "eyJleHAiOjF9" + ".eA" // exp: 1
	if err := os.WriteFile(jwt, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Wallets = []node.WalletConfig{{ClientIDPrefix: "verifier_attestation", AttestationFile: jwt}}
	says(now, "attestation_file: it ends at 1970-01-01")
}

// A wallet profile that is known by our did:web has its document, and the linked domain, served.
func TestOurDID(t *testing.T) {
	cfg := valid(t)
	host := strings.TrimPrefix(cfg.Issuer, "http://")
	id := "did:web:" + strings.ReplaceAll(host, ":", "%3A")
	cfg.Wallets = []node.WalletConfig{{ClientIDPrefix: "decentralized_identifier", ClientID: id, KeyID: "request-1"}}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	read := func(path string) (body map[string]any) {
		answer := httptest.NewRecorder()
		n.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &body) != nil {
			t.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
		}
		return body
	}
	if document := read("/.well-known/did.json"); document["id"] != id {
		t.Errorf("document %v", document)
	}
	if linked, _ := read("/.well-known/did-configuration.json")["linked_dids"].([]any); len(linked) != 1 {
		t.Errorf("linked %v", linked)
	}
	cfg.Wallets = append(cfg.Wallets, node.WalletConfig{Name: "second", ClientIDPrefix: "decentralized_identifier", ClientID: id, KeyID: "request-2"})
	cfg.Storage.Path, cfg.Audit.File = cfg.Storage.Path+"-2", cfg.Audit.File+"-2"
	if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), "give it one name") {
		t.Errorf("one key with two names: %v", err)
	}
}

// asksForJWTVCs has every profile ask for JWT VCs, and nobody trusted with anything else.
func asksForJWTVCs(c *node.Config) {
	for i := range c.Profiles {
		c.Profiles[i].Credential = node.CredentialConfig{
			Format: "jwt_vc_json", Types: []string{"VerifiableCredential VerifiedIdentity"}, Bindings: []node.BindingConfig{{Attribute: "family_name", Claim: "credentialSubject/lastName"}},
		}
	}
	c.Trust = []node.TrustConfig{{Types: []string{"VerifiedIdentity", "FaceCheckReceipt"}, DIDs: []string{"did:web:proofing.example"}, AnchorsFile: c.Trust[0].AnchorsFile}}
}

// Where nobody is asked for an SD-JWT, nobody has to be trusted with one.
func TestJWTVCsAlone(t *testing.T) {
	cfg := valid(t)
	if asksForJWTVCs(&cfg); node.Check(cfg) != nil {
		t.Error(node.Check(cfg))
	}
}
