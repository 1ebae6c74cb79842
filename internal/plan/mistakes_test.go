package plan_test

import (
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/publickey/publickeytest"
	"regain/provider/keys"
)

// Promise 10: a mistake names the key, and says what to do.
func TestMistakes(t *testing.T) {
	empty := func(t *testing.T, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for says, breakIt := range map[string]func(t *testing.T, c *config.Config){
		"tls.certificate_file: open none": func(_ *testing.T, c *config.Config) {
			c.TLS = config.TLSConfig{CertificateFile: "none", KeyFile: "none"}
		},
		"trust: no entry covers the type urn:": func(_ *testing.T, c *config.Config) { c.Profiles[0].Credential.Types = []string{"urn:another"} },
		"trust[0].anchors_file":                func(_ *testing.T, c *config.Config) { c.Trust[0].AnchorsFile = "none" },
		"holds no PEM certificate":             func(t *testing.T, c *config.Config) { c.Trust[0].AnchorsFile = empty(t, "x") },
		"no profile is enabled":                func(_ *testing.T, c *config.Config) { c.Profiles = nil },
		"profiles[0] (development): mode":      func(_ *testing.T, c *config.Config) { c.Profiles[0].Mode = "live" },
		"pass.lifetime_minutes 5":              func(_ *testing.T, c *config.Config) { c.Profiles[0].Pass.LifetimeMinutes = 5 },
		"face_check.threshold 30":              func(_ *testing.T, c *config.Config) { c.Profiles[0].FaceCheck.Threshold = 30 },
		"limits[0].per": func(_ *testing.T, c *config.Config) {
			c.Limits = []config.LimitConfig{{Name: "x", Per: "planet", Max: 1, Window: time.Hour}}
		},
		"secrets.encryption_keys: set":                                func(_ *testing.T, c *config.Config) { c.Secrets.Encryption = config.Secret{} },
		"secrets.encryption_keys: encryption":                         func(t *testing.T, c *config.Config) { c.Secrets.Encryption = config.Secret{File: empty(t, "short")} },
		"secrets.token_secret: 32 bytes":                              func(t *testing.T, c *config.Config) { c.Secrets.Token = config.Secret{File: empty(t, "short")} },
		"secrets.pass_key.env: the variable":                          func(_ *testing.T, c *config.Config) { c.Secrets.Pass = config.Secret{Env: "REGAIN_TEST_UNSET"} },
		"secrets.signing_key: no PEM block":                           func(t *testing.T, c *config.Config) { c.Secrets.SigningKey = config.Secret{File: empty(t, "x")} },
		"request_signing.key":                                         func(_ *testing.T, c *config.Config) { c.RequestSigning.Key = config.Secret{} },
		"request_signing.certificate_file: the first certificate of ": func(_ *testing.T, c *config.Config) { c.RequestSigning.CertificateFile = c.Trust[0].AnchorsFile },
		"fetch.ca_file":                                               func(_ *testing.T, c *config.Config) { c.Fetch.CAFile = "none" },
		"clients[0] (x).jwks_file: name":                              func(_ *testing.T, c *config.Config) { c.Clients = []config.ClientConfig{{ID: "x", Name: "X"}} },
		"not a JWK set": func(t *testing.T, c *config.Config) {
			c.Clients = []config.ClientConfig{{ID: "x", JWKSFile: empty(t, "x")}}
		},
		"an RSA modulus of 16384 bits; 8192 are the most": func(t *testing.T, c *config.Config) {
			giant := publickeytest.Certificate(t, publickeytest.RSA(16_384, 65537))
			c.Trust[0].AnchorsFile = empty(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: giant})))
		},
		"clients[0] (x).jwks_file: not a JWK set that can be used: none of its keys: key 0: outside the accepted bounds": func(t *testing.T, c *config.Config) {
			set, err := json.Marshal(map[string]any{"keys": []any{publickeytest.JWK(publickeytest.RSA(65_536, 65537))}})
			if err != nil {
				t.Fatal(err)
			}
			c.Clients = []config.ClientConfig{{ID: "x", JWKSFile: empty(t, string(set))}}
		},
		"redirect_uris is empty": func(t *testing.T, c *config.Config) {
			c.Clients = []config.ClientConfig{{ID: "x", Name: "X", JWKSFile: empty(t, `{"keys":[]}`)}}
		},
		"has no certificate after it": func(t *testing.T, c *config.Config) {
			const guid = "11111111-2222-4333-8444-555555555555"
			c.Secrets.SigningKey = withRSA(t, c.Secrets.SigningKey)
			c.Clients = []config.ClientConfig{{
				ID: "x", Name: "X", Contract: "entra-external-method", RedirectURIs: []string{"https://login.example/"}, Entra: config.EntraConfig{TenantID: guid, ApplicationID: guid},
			}}
		},
		"clients[0] (x).claims: y is mapped twice": func(_ *testing.T, c *config.Config) {
			c.Clients = []config.ClientConfig{{ID: "x", Claims: []config.ClaimConfig{{Name: "y", Attribute: "a"}, {Name: "y", Attribute: "b"}}}}
		},
		`clients[0] (x).deliver "paper"`: func(_ *testing.T, c *config.Config) { c.Clients = []config.ClientConfig{{ID: "x", Deliver: "paper"}} },
		"credentials[0]: document: type": func(_ *testing.T, c *config.Config) { c.Profiles[0].Credential.Document.Organization = "X" },
		`contract "okta" is unknown`: func(t *testing.T, c *config.Config) {
			c.Clients = []config.ClientConfig{{
				ID: "x", Name: "X", Contract: "okta", AuthMethod: "client_secret_post", Secret: config.Secret{File: empty(t, strings.Repeat("x", 32))},
				JWKSFile: empty(t, `{"keys":[]}`), RedirectURIs: []string{"https://okta.example/"},
			}}
		},
		"use 32 random ones": func(t *testing.T, c *config.Config) {
			c.Clients = []config.ClientConfig{{ID: "x", Name: "X", Secret: config.Secret{File: empty(t, "hunter2")}, JWKSFile: empty(t, `{"keys":[]}`)}}
		},
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			breakIt(t, &cfg)
			err := read(cfg)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want it to say %q", err, says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("the error quotes a secret")
			}
		})
	}
}

// withRSA returns the ring with an RSA key more.
func withRSA(t *testing.T, ring config.Secret) config.Secret {
	t.Helper()
	list, err := keys.ReadFile(ring.File)
	if err != nil {
		t.Fatal(err)
	}
	more, err := keys.GenerateRing(rand.Reader, "RS256")
	if err != nil {
		t.Fatal(err)
	}
	text, err := keys.EncodeRing(append(list, more...))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ring.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret{File: path}
}
