package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"regain/internal/config"
)

// canary is a secret that no message may repeat.
const canary = "hunter2-hunter2-hunter2-hunter2-hunter2"

type object = map[string]any

// document is the configuration of everyFile as an operator writes it.
func document(f fixture) object {
	cfg := everyFile(f)
	file := func(name string) object { return object{"file": f.path(name)} }
	var types []any
	for _, name := range cfg.Trust[0].Types {
		types = append(types, name)
	}
	return object{
		"issuer": cfg.Issuer, "listen": "127.0.0.1:0", "organisation_id": "x",
		"tls":             object{"certificate_file": f.path("tls.crt"), "key_file": f.path("tls.key")},
		"mutual_tls":      object{"roots_file": f.path("roots.crt")},
		"secrets":         object{"encryption_keys": file("encryption.key"), "token_secret": file("token.key"), "pass_key": file("pass.key"), "signing_key": file("signing.pem")},
		"request_signing": object{"key": file("request.pem"), "certificate_file": f.path("request.crt")},
		"directory":       object{"file": f.path("directory.yaml")},
		"fetch":           object{"ca_file": f.path("ca.crt")},
		"trust":           []any{object{"types": types, "anchors_file": f.path("anchors.crt"), "signers_file": f.path("signers.crt")}},
		"profiles":        []any{object{"name": "pilot", "all_users": true, "credential": object{"types": []any{verifiedIdentity}, "bindings": []any{object{"attribute": "given_name", "claim": "given_name"}}}}},
		"clients": []any{
			object{"id": "recovers", "name": "X", "jwks_file": f.path("client.jwks"), "redirect_uris": []any{"https://x.example/"}},
			object{"id": "signs-in", "name": "X", "token_endpoint_auth_method": "client_secret_post", "secret": file("client.secret"), "scope": []any{"openid"}, "redirect_uris": []any{"https://x.example/"}},
		},
		"registration": object{"initial_access_tokens": file("tokens")},
	}
}

// at returns the object below keys; a number is the place in a list.
func at(d object, keys ...any) object {
	var node any = d
	for _, key := range keys {
		if name, ok := key.(string); ok {
			node = node.(object)[name]
			continue
		}
		node = node.([]any)[key.(int)]
	}
	return node.(object)
}

// check is what `regain check --config` does with a document.
func check(f fixture, d object) error {
	f.t.Helper()
	text, err := yaml.Marshal(d)
	if err != nil {
		f.t.Fatal(err)
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: f.write("regain.yaml", text)}, &cfg); err != nil {
		return err
	}
	return Check(cfg)
}

// Every mistake names the key, the file where there is one, and the cure; none repeats a secret. Each row breaks one
// thing of a configuration that starts.
func TestAMistakeNamesKeyFileAndCure(t *testing.T) {
	inline := func(keys ...any) func(f fixture, d object) {
		return func(_ fixture, d object) {
			last := len(keys) - 1
			at(d, keys[:last]...)[keys[last].(string)] = canary
		}
	}
	content := func(name, text string) func(f fixture, d object) {
		return func(f fixture, _ object) { f.write(name, []byte(text)) }
	}
	mode := func(name string, mode fs.FileMode) func(f fixture, d object) {
		return func(f fixture, _ object) { _ = os.Chmod(f.path(name), mode) }
	}
	set := func(value any, keys ...any) func(f fixture, d object) {
		return func(_ fixture, d object) {
			last := len(keys) - 1
			at(d, keys[:last]...)[keys[last].(string)] = value
		}
	}
	certificate := func(change func(*x509.Certificate)) func(f fixture, d object) {
		return func(f fixture, _ object) {
			ca := f.issue("CA", nil)
			i := f.issue("server", &ca, change)
			f.write("tls.crt", i.pem())
			f.write("tls.key", i.keyPEM(f.t))
		}
	}
	for name, tc := range map[string]struct {
		breakIt func(f fixture, d object)
		says    []string // key, file, cure
	}{
		"a duration without a unit":          {set(300, "request_lifetime"), []string{"request_lifetime: 300 is not a duration", "write 300s"}},
		"a duration without a unit, as text": {set("300", "request_lifetime"), []string{"request_lifetime: 300 is not a duration", "write 300s"}},
		"a duration in a list":               {set(90, "profiles", 0, "lifetime"), []string{"profiles[0].lifetime: 90 is not a duration", "write 90s"}},
		"no duration":                        {set("soon", "request_lifetime"), []string{`request_lifetime: "soon" is not a duration`, "write one such as 90s"}},
		"an inline secret":                   {inline("secrets", "token_secret"), []string{"secrets.token_secret: holds the secret itself", "write {file: PATH}"}},
		"an inline secret in a list":         {inline("clients", 1, "secret"), []string{"clients[1].secret: holds the secret itself", "write {file: PATH}"}},
		"an inline key":                      {inline("request_signing", "key"), []string{"request_signing.key: holds the secret itself", "{env: VARIABLE}"}},
		"a secret in place of its file":      {set(object{"file": "aGVsbG8taHVudGVyMi1odW50ZXIy"}, "secrets", "pass_key"), []string{"secrets.pass_key.file", "looks like a secret itself", "name a file"}},
		"a secret in place of its variable":  {set(object{"env": canary}, "secrets", "pass_key"), []string{"secrets.pass_key.env", "perhaps the secret itself", "is empty or not set"}},
		"a secret under a key that is not":   {inline("clients", 1, "client_secret"), []string{"unknown key clients[1].client_secret"}},
		"a secret file that is not there":    {set(object{"file": "/nowhere/token.key"}, "secrets", "token_secret"), []string{"secrets.token_secret.file", "/nowhere/token.key", "name a file that holds the secret"}},
		"an empty secret file":               {content("token.key", " \n"), []string{"secrets.token_secret.file", "token.key is empty", "put the secret into it"}},
		"a secret that is none":              {content("token.key", canary), []string{"secrets.token_secret: 32 bytes", "token.key", "openssl rand"}},
		"encryption keys that are none":      {content("encryption.key", canary), []string{"secrets.encryption_keys: ", "encryption.key", "openssl rand 32"}},
		"a signing ring that is none":        {content("signing.pem", canary), []string{"secrets.signing_key: ", "signing.pem", "regain keys rotate"}},
		"a request key that is none":         {content("request.pem", canary), []string{"request_signing.key: ", "request.pem", "openssl ecparam"}},
		"a certificate of another key": {func(f fixture, _ object) {
			f.write("request.crt", f.issue("another", nil).pem())
		}, []string{"request_signing.certificate_file: ", "request.crt", "request.pem", "put the certificate of that key first"}},
		"a certificate that is none": {content("request.crt", "hello"), []string{"request_signing.certificate_file: ", "request.crt", "-----BEGIN CERTIFICATE-----"}},
		"anchors that are none":      {content("anchors.crt", "hello"), []string{"trust[0].anchors_file: ", "anchors.crt", "-----BEGIN CERTIFICATE-----"}},
		"signers that are not there": {set("/nowhere/signers.crt", "trust", 0, "signers_file"), []string{"trust[0].signers_file: ", "/nowhere/signers.crt", "name a file of PEM certificates"}},
		"roots that are none":        {content("roots.crt", "hello"), []string{"mutual_tls.roots_file: ", "roots.crt", "-----BEGIN CERTIFICATE-----"}},
		"a CA that is none":          {content("ca.crt", "hello"), []string{"fetch.ca_file: ", "ca.crt", "-----BEGIN CERTIFICATE-----"}},
		"keys that are none":         {content("client.jwks", "hello"), []string{"clients[0] (recovers).jwks_file: ", "client.jwks", "ask for the client's public JWK set"}},
		"a short client secret":      {content("client.secret", "hunter2"), []string{"clients[1] (signs-in).secret: ", "client.secret", "use 32 random ones"}},
		"short registration tokens":  {content("tokens", "hunter2"), []string{"registration.initial_access_tokens: ", "use 32 random ones"}},
		"a directory that is none":   {content("directory.yaml", "accounts: [{nam: x}]"), []string{"directory.file: ", "directory.yaml", "field nam not found"}},
		"a listener without a port":  {set("127.0.0.1", "listen"), []string{"listen: ", `"127.0.0.1" has no port`, "write host:port"}},
		"a port that is none":        {set("127.0.0.1:https-alt-alt", "listen"), []string{"listen: ", "is no port", "write a number"}},
		"a TLS key of another":       {func(f fixture, _ object) { f.write("tls.key", f.issue("another", nil).keyPEM(f.t)) }, []string{"tls.key_file: ", "tls.key", "tls.crt", "does not hold the key"}},
		"an expired certificate":     {certificate(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), []string{"tls.certificate_file: ", "tls.crt", "expired at", "renew it"}},
		"a certificate of tomorrow":  {certificate(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), []string{"tls.certificate_file: ", "tls.crt", "is not valid before", "clock"}},
		"a chain of another authority": {func(f fixture, _ object) {
			f.write("tls.crt", append(must(os.ReadFile(f.path("tls.crt"))), f.issue("another", nil).pem()...))
		}, []string{"tls.certificate_file: ", "tls.crt", "did not issue the one before it", "put the server's own first"}},
		"a secret that all can write":  {mode("token.key", 0o666), []string{"secrets.token_secret: ", "token.key", "chmod go-w"}},
		"a key that a group can write": {mode("tls.key", 0o660), []string{"tls.key_file: ", "tls.key", "chmod go-w"}},
		"anchors that all can write":   {mode("anchors.crt", 0o646), []string{"trust[0].anchors_file: ", "anchors.crt", "chmod go-w"}},
		"one file for two secrets": {func(f fixture, d object) {
			at(d, "secrets")["pass_key"] = object{"file": f.path("token.key")}
		}, []string{"secrets.pass_key: is the same secret as secrets.token_secret", "token.key", "make one for each"}},
		"one secret in two files": {func(f fixture, _ object) { f.write("pass.key", append(must(os.ReadFile(f.path("token.key"))), '\n')) }, []string{"secrets.pass_key: is the same secret as secrets.token_secret", "pass.key", "token.key", "make one for each"}},
		"one key for two uses":    {func(f fixture, _ object) { shareKey(f) }, []string{"request_signing.key: is the same secret as secrets.signing_key", "make one for each"}},
		"a word for a number":     {set("many", "profiles", 0, "priority"), []string{"profiles[0].priority: is not a number", "write one"}},
		"a word for a switch":     {set("yes please", "profiles", 0, "all_users"), []string{"profiles[0].all_users: is neither true nor false"}},
		"a text for keys":         {set("memory", "storage"), []string{"storage: has a value of its own", "docs/configuration.md"}},
		"keys for a text":         {set(object{"a": "b"}, "issuer"), []string{"issuer: is not a text"}},
		"trust in nobody": {func(_ fixture, d object) {
			delete(at(d, "trust", 0), "anchors_file")
			delete(at(d, "trust", 0), "signers_file")
		}, []string{"trust[0].anchors_file: trusts nobody", "name a file of the issuers' CAs"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			d := document(f)
			if tc.breakIt(f, d); len(tc.says) == 0 {
				t.Fatal("says nothing")
			}
			err := check(f, d)
			for _, says := range tc.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("got %v, want it to say %q", err, says)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVudGVyMi1")) {
				t.Errorf("repeats a secret: %v", err)
			}
			if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), "unmarshal errors:\n", ""), "\n") {
				t.Errorf("one mistake is told as several:\n%v", err)
			}
		})
	}
	f := newFixture(t)
	if err := check(f, document(f)); err != nil {
		t.Errorf("without a mistake: %v", err)
	}
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// shareKey has one key sign requests and ID tokens.
func shareKey(f fixture) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	ca := f.issue("CA", nil)
	der, err := x509.CreateCertificate(rand.Reader, f.issue("x", &ca).certificate, ca.certificate, key.Public(), ca.key)
	if err != nil {
		f.t.Fatal(err)
	}
	shared := issued{key: key}
	f.write("request.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	f.write("request.pem", shared.keyPEM(f.t))
	f.write("signing.pem", shared.keyPEM(f.t))
}

// Whoever sets up a node makes several mistakes, and is told of all of them at once, in the order of their keys.
func TestAllMistakesAreTold(t *testing.T) {
	f := newFixture(t)
	d := document(f)
	f.write("token.key", []byte("short"))
	f.write("anchors.crt", []byte("hello"))
	f.write("client.jwks", []byte("hello"))
	f.write("directory.yaml", []byte("accounts: {"))
	f.write("tls.key", []byte("hello"))
	f.write("request.crt", []byte("hello"))
	err := check(f, d)
	if err == nil {
		t.Fatal("no mistake is told")
	}
	var keys []string
	for line := range strings.Lines(err.Error()) {
		key, _, _ := strings.Cut(line, ": ")
		keys = append(keys, key)
	}
	want := []string{"clients[0] (recovers).jwks_file", "directory.file", "request_signing.certificate_file", "secrets.token_secret", "tls.key_file", "trust[0].anchors_file"}
	if !slices.Equal(keys, want) {
		t.Errorf("told of %q, want %q:\n%v", keys, want, err)
	}
	// Nothing was made of a configuration that does not start.
	if _, err := os.Stat(filepath.Join(f.directory, "regain.db")); err == nil {
		t.Error("a store was made")
	}
	// Where the store is to be is among them, though nothing is opened.
	for storage, says := range map[string]string{"paper": `storage.backend "paper": use memory, file or mongo`, "file": "storage.path: name a file", "mongo": "storage.mongo.uri: "} {
		f = newFixture(t)
		d = document(f)
		f.write("token.key", []byte("short"))
		d["storage"] = object{"backend": storage}
		if err := check(f, d); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "secrets.token_secret") {
			t.Errorf("storage.backend %s: got %v, want it to say %q beside secrets.token_secret", storage, err, says)
		}
	}
	// Those of the configuration's own text come together too.
	d = document(newFixture(t))
	d["isuer"], d["request_lifetime"] = "x", 5
	at(d, "secrets")["pass_key"] = canary
	err = check(f, d)
	for _, says := range []string{"unknown key isuer", "request_lifetime: 5 is not", "secrets.pass_key: holds"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q too", err, says)
		}
	}
}
