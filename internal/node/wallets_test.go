package node_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crypto/rand"
	"log/slog"

	"regain/internal/config"
	"regain/internal/node"
)

// Each row is a wallet profile that no profile of recovery goes with.
func TestWalletsThatCannotBeAsked(t *testing.T) {
	for says, breakIt := range map[string]func(c *config.Config){
		"no credential of it can be asked": func(c *config.Config) {
			c.Wallets = []config.WalletConfig{{Protocol: "authenticator", ClientID: "did:web:x.localhost", KeyID: "k"}}
		},
		"asks for no SD-JWT": func(c *config.Config) {
			c.Wallets = []config.WalletConfig{{TransactionData: true}}
			c.Profiles[0].Credential.Format, c.Profiles[0].Credential.Types = "mso_mdoc", []string{"org.iso.18013.5.1.mDL"}
			for i, b := range c.Profiles[0].Credential.Bindings {
				c.Profiles[0].Credential.Bindings[i].Claim = "org.iso.18013.5.1/" + b.Claim
			}
			c.Trust[0].Types = append(c.Trust[0].Types, "org.iso.18013.5.1.mDL")
		},
		"verified_id_2 asks for no SD-JWT": func(c *config.Config) { // one that a wallet could choose to sign nothing
			c.Wallets = []config.WalletConfig{{TransactionData: true}}
			second := config.CredentialConfig{Format: "mso_mdoc", Types: []string{"org.iso.18013.5.1.mDL"}}
			for _, b := range c.Profiles[0].Credential.Bindings {
				b.Claim = "org.iso.18013.5.1/" + b.Claim
				second.Bindings = append(second.Bindings, b)
			}
			c.Profiles[0].Credentials, c.Profiles[0].Credential = []config.CredentialConfig{c.Profiles[0].Credential, second}, config.CredentialConfig{}
			c.Trust[0].Types = append(c.Trust[0].Types, "org.iso.18013.5.1.mDL")
		},
		"receipt_vc_types": func(c *config.Config) {
			c.Profiles[0].Credential.Format, c.Profiles[0].Credential.Types = "jwt_vc_json", []string{"VerifiableCredential VerifiedIdentity"}
			c.Trust[0].Types, c.FaceCheck.ReceiptVCTypes = append(c.Trust[0].Types, "VerifiedIdentity"), nil
		},
		"the rest moves up": func(c *config.Config) { c.Profiles[0].Credential.Bindings[0].Claim = "given_names/0" },
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			breakIt(&cfg)
			if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want it to say %q", err, says)
			}
		})
	}
}

// A wallet profile that is known by our did:web has its document, and the linked domain, served.
func TestOurDID(t *testing.T) {
	cfg := valid(t)
	host := strings.TrimPrefix(cfg.Issuer, "http://")
	id := "did:web:" + strings.ReplaceAll(host, ":", "%3A")
	cfg.Wallets = []config.WalletConfig{{ClientIDPrefix: "decentralized_identifier", ClientID: id, KeyID: "request-1"}}
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
	cfg.Wallets = append(cfg.Wallets, config.WalletConfig{Name: "second", ClientIDPrefix: "decentralized_identifier", ClientID: id, KeyID: "request-2"})
	cfg.Storage.Path, cfg.Audit.File = cfg.Storage.Path+"-2", cfg.Audit.File+"-2"
	if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), "give it one name") {
		t.Errorf("one key with two names: %v", err)
	}
}

// asksForJWTVCs has every profile ask for JWT VCs, and nobody trusted with anything else.
func asksForJWTVCs(c *config.Config) {
	for i := range c.Profiles {
		c.Profiles[i].Credential = config.CredentialConfig{
			Format: "jwt_vc_json", Types: []string{"VerifiableCredential VerifiedIdentity"}, Bindings: []config.BindingConfig{{Attribute: "family_name", Claim: "credentialSubject/lastName"}},
		}
	}
	c.Trust = []config.TrustConfig{{Types: []string{"VerifiedIdentity", "FaceCheckReceipt"}, DIDs: []string{"did:web:proofing.example"}, AnchorsFile: c.Trust[0].AnchorsFile}}
}

// Where nobody is asked for an SD-JWT, nobody has to be trusted with one.
func TestJWTVCsAlone(t *testing.T) {
	cfg := valid(t)
	if asksForJWTVCs(&cfg); node.Check(cfg) != nil {
		t.Error(node.Check(cfg))
	}
}
