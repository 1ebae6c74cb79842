package plan_test

import (
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/plan"
	"regain/provider/keys"
)

// mounted makes a directory of secrets, each in a file of a name.
func mounted(t *testing.T, files map[string]string) config.Secret {
	t.Helper()
	directory := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Secret{Directory: directory}
}

func aKey(fill byte) string {
	key := make([]byte, 32)
	key[0] = fill
	return base64.RawURLEncoding.EncodeToString(key)
}

// Every place that takes a secret takes it from a file, a variable, a directory and a credential, each with the same outcome.
func TestEveryPlaceTakesEverySource(t *testing.T) {
	credentials := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	sources := map[string]func(t *testing.T, text string) config.Secret{
		"directory": func(t *testing.T, text string) config.Secret {
			t.Helper()
			return mounted(t, map[string]string{"only": text})
		},
		"variable": func(t *testing.T, text string) config.Secret {
			t.Helper()
			t.Setenv("A_SECRET", text)
			return config.Secret{Env: "A_SECRET"}
		},
		"credential": func(t *testing.T, text string) config.Secret {
			t.Helper()
			if err := os.WriteFile(filepath.Join(credentials, "secret"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return config.Secret{Credential: "secret"}
		},
	}
	for place, of := range map[string]func(c *config.Config) *config.Secret{
		"secrets.encryption_keys": func(c *config.Config) *config.Secret { return &c.Secrets.Encryption },
		"secrets.token_secret":    func(c *config.Config) *config.Secret { return &c.Secrets.Token },
		"secrets.pass_key":        func(c *config.Config) *config.Secret { return &c.Secrets.Pass },
		"secrets.signing_key":     func(c *config.Config) *config.Secret { return &c.Secrets.SigningKey },
		"request_signing.key":     func(c *config.Config) *config.Secret { return &c.RequestSigning.Key },
		"audit.key":               func(c *config.Config) *config.Secret { return &c.Audit.Key },
	} {
		for source, put := range sources {
			t.Run(place+" "+source, func(t *testing.T) {
				cfg := valid(t)
				text, err := of(&cfg).Read(place)
				if err != nil {
					t.Fatal(err)
				}
				*of(&cfg) = put(t, text)
				if err := read(cfg); err != nil {
					t.Error(err)
				}
				if place == "audit.key" {
					if _, err := plan.ReadAuditKey(cfg.Audit.Key, place); err != nil {
						t.Error(err)
					}
				}
				if source == "variable" {
					return
				}
				if i := slices.IndexFunc(config.References(cfg), func(r config.Reference) bool { return r.Key == place }); i < 0 || config.References(cfg)[i].Path == "" || !config.References(cfg)[i].Private {
					t.Error("nobody watches it")
				}
			})
		}
	}
}

// Lists of keys are those of all files of a directory, first the one that is used.
func TestKeysOfDirectories(t *testing.T) {
	cfg := valid(t)
	cfg.Secrets.Token = mounted(t, map[string]string{"1": aKey(1), "2": aKey(2) + "\n" + aKey(3), "use": "2"})
	cfg.Secrets.Pass = mounted(t, map[string]string{"1": aKey(4)})
	s, err := plan.ReadSecrets(cfg.Secrets)
	if err != nil || len(s.Token) != 3 || s.Token[0][0] != 2 || s.Token[1][0] != 3 || s.Token[2][0] != 1 || len(s.Pass) != 1 {
		t.Errorf("got %d and %d keys, %v", len(s.Token), len(s.Pass), err)
	}
	ring, err := cfg.Secrets.SigningKey.Read("secrets.signing_key")
	if err != nil {
		t.Fatal(err)
	}
	more, err := keys.GenerateRing(strings.NewReader(strings.Repeat("x", 4096)), "EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	text, err := keys.EncodeRing(more)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := plan.ReadSigning(mounted(t, map[string]string{"a": ring, "b": string(text)})); err != nil || len(list) != 2 {
		t.Errorf("a ring of two files: %d keys, %v", len(list), err)
	}
	tokens, err := plan.ReadTokens(config.RegistrationConfig{Tokens: mounted(t, map[string]string{"a": "one two", "b": "three"})})
	if err != nil || !slices.Equal(tokens, []string{"one", "two", "three"}) {
		t.Errorf("tokens of two files: %v, %v", tokens, err)
	}
}

// Each row breaks one thing of secrets in directories; the message names the key and the file, and quotes none.
func TestMistakesInDirectories(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, c *config.Config)
		says   []string
	}{
		"one that is no key": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Secrets.Token = mounted(t, map[string]string{"1": aKey(1), "2": "hunter2", "use": "1"})
		}, []string{"secrets.token_secret: 32 bytes in base64url are required for each key: key 1", "/2)"}},
		"nothing is used": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Secrets.Encryption = mounted(t, map[string]string{"1": aKey(1), "2": aKey(2)})
		}, []string{"secrets.encryption_keys.directory: ", `a file "use" beside them`}},
		"one key in two files": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Secrets.Pass = mounted(t, map[string]string{"1": aKey(1), "2": aKey(1) + "=", "use": "1"})
		}, []string{"secrets.pass_key: a key of ", "/2 is in another file too: leave one of them out"}},
		"one key in two lists": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Secrets.Pass = mounted(t, map[string]string{"1": aKey(1), "2": aKey(2), "use": "1"})
			c.Secrets.Token = mounted(t, map[string]string{"1": aKey(3) + "," + aKey(2) + "="})
		}, []string{"secrets.pass_key: is the same secret as secrets.token_secret"}},
		"a token that is a client's secret": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Clients = []config.ClientConfig{{ID: "x", Name: "X", AuthMethod: "client_secret_post", Secret: mounted(t, map[string]string{"1": strings.Repeat("x", 32)}), Scope: []string{"openid"}, RedirectURIs: []string{"https://x.example/"}}}
			c.Registration.Tokens = mounted(t, map[string]string{"1": strings.Repeat("y", 32) + "\n" + strings.Repeat("x", 32)})
		}, []string{"registration.initial_access_tokens: is the same secret as clients[0].secret"}},
		"two where one is used": {func(t *testing.T, c *config.Config) {
			t.Helper()
			text, _ := c.RequestSigning.Key.Read("x")
			c.RequestSigning.Key = mounted(t, map[string]string{"1": text, "2": text, "use": "2"})
		}, []string{"request_signing.key.directory: ", "holds 2 secrets, and one is used here"}},
		"a file that others can write": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Secrets.Pass = mounted(t, map[string]string{"1": aKey(1)})
			_ = os.Chmod(filepath.Join(c.Secrets.Pass.Directory, "1"), 0o660)
		}, []string{"secrets.pass_key: others than its owner can write ", "/1 (mode 0660)", "chmod go-w it"}},
		"a directory that others can write": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Secrets.Pass = mounted(t, map[string]string{"1": aKey(1)})
			_ = os.Chmod(c.Secrets.Pass.Directory, 0o1777) //nolint:gosec // the mistake
		}, []string{"secrets.pass_key: others than its owner can write ", "(mode 0777)"}},
		"a short secret of two": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.Clients = []config.ClientConfig{{ID: "x", Name: "X", AuthMethod: "client_secret_post", Secret: mounted(t, map[string]string{"1": strings.Repeat("x", 32) + "\n\nhunter2"})}}
		}, []string{"clients[0] (x).secret: has 7 characters: use 32 random ones at least"}},
		"two keys of TLS": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.TLS = config.TLSConfig{CertificateFile: "x", KeyFile: "x", Key: config.Secret{File: "x"}}
		}, []string{"tls: set key_file or key, and not both"}},
		"a key of TLS that is none": {func(t *testing.T, c *config.Config) {
			t.Helper()
			c.TLS = config.TLSConfig{CertificateFile: c.RequestSigning.CertificateFile, Key: mounted(t, map[string]string{"1": "hunter2"})}
		}, []string{"tls.key: ", "does not hold the key of the first certificate"}},
		"a certificate without a key": {func(_ *testing.T, c *config.Config) { c.TLS.CertificateFile = c.RequestSigning.CertificateFile }, []string{"tls: set both certificate_file and key_file"}},
	} {
		cfg := valid(t)
		row.change(t, &cfg)
		err := read(cfg)
		for _, says := range row.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %v, want %q", name, err, says)
			}
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), aKey(1))) {
			t.Errorf("%s: quotes a secret: %v", name, err)
		}
	}
}

// The server's key may be a secret as any other.
func TestATLSKeyOfADirectory(t *testing.T) {
	cfg := valid(t)
	text, err := cfg.RequestSigning.Key.Read("x")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := plan.ReadCertificate(config.TLSConfig{CertificateFile: cfg.RequestSigning.CertificateFile, Key: mounted(t, map[string]string{"tls.key": text})}, time.Now())
	if err != nil || pair == nil {
		t.Errorf("got %v, %v", pair, err)
	}
}

// A client may have two secrets while it replaces one by the other.
func TestAClientWithTwoSecrets(t *testing.T) {
	cfg := valid(t)
	old, fresh := strings.Repeat("o", 32), strings.Repeat("n", 32)
	cfg.Clients = []config.ClientConfig{{ID: "x", Name: "X", AuthMethod: "client_secret_post", Secret: mounted(t, map[string]string{"1": old + "\n", "2": fresh}), Scope: []string{"openid"}, RedirectURIs: []string{"https://x.example/"}}}
	list, err := plan.ReadClients(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := list.Client(t.Context(), "x")
	if err != nil || !c.CheckSecret(old) || !c.CheckSecret(fresh) || c.CheckSecret(old+fresh) || c.CheckSecret("") {
		t.Errorf("%+v, %v", c, err)
	}
}

// Secrets that everybody can read are warned of, each file; the one that says which is used holds none.
func TestReadableSecretsAreWarnedOf(t *testing.T) {
	cfg := valid(t)
	pin := filepath.Join(t.TempDir(), "token.pin")
	uri := "pkcs11:token=t;object=k?module-path=/m.so&pin-source=file:" + pin
	cfg.Secrets.SigningKey = mounted(t, map[string]string{"ring": string(pem.EncodeToMemory(&pem.Block{Type: "PKCS11 URI", Bytes: []byte(uri)}))})
	cfg.Secrets.Pass = mounted(t, map[string]string{"1": aKey(1), "2": aKey(2), "use": "1"})
	if err := os.WriteFile(pin, []byte("1234"), 0o600); err != nil {
		t.Fatal(err)
	}
	warned := func() string { return strings.Join(plan.Warnings(cfg, time.Now(), nil), "\n") }
	if got := warned(); strings.Contains(got, "everybody on this machine") {
		t.Errorf("warned of nothing: %s", got)
	}
	for _, path := range []string{pin, filepath.Join(cfg.Secrets.Pass.Directory, "2")} {
		if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // the mistake
			t.Fatal(err)
		}
		if got := warned(); !strings.Contains(got, "everybody on this machine can read "+path) {
			t.Errorf("%s: %s", path, got)
		}
	}
}
