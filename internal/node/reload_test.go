package node

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/storage"
	"regain/verifier"
	"regain/verifier/verifiertest"
)

// fixture writes files and makes keys for a node.
type fixture struct {
	t         *testing.T
	directory string
	issuer    *verifiertest.Issuer
}

func newFixture(t *testing.T) fixture {
	return fixture{t, t.TempDir(), verifiertest.New(t, time.Now)}
}

func (f fixture) path(name string) string { return filepath.Join(f.directory, name) }

func (f fixture) write(name string, data []byte) string {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), data, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return f.path(name)
}

// issued is a certificate with its key.
type issued struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func (f fixture) issue(name string, above *issued, change ...func(*x509.Certificate)) issued {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(60 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{"regain.localhost"},
	}
	if above == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage, template.DNSNames = true, true, x509.KeyUsageCertSign, nil
		above = &issued{template, key}
	}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, above.certificate, key.Public(), above.key)
	if err != nil {
		f.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		f.t.Fatal(err)
	}
	return issued{certificate, key}
}

func (i issued) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw})
}

func (i issued) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (f fixture) jwks(id string) []byte {
	f.t.Helper()
	var set jose.JSONWebKeySet
	for _, use := range []string{"sig", "enc"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			f.t.Fatal(err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id + use, Use: use})
	}
	text, err := json.Marshal(set)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func (f fixture) ring() []byte {
	f.t.Helper()
	list, err := keys.GenerateRing(rand.Reader, jose.ES256)
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := keys.EncodeRing(list)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func (f fixture) secret() []byte {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return []byte(base64.RawURLEncoding.EncodeToString(raw))
}

// kind is a kind of file, with two contents that are good and some that are not.
type kind struct {
	part   string            // that is made of it
	files  map[string][]byte // the second content, by name
	broken []map[string][]byte
	says   []string // of each broken one
	shows  func() string
}

// told collects what is logged.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (l *told) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *told) about(part, says string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.lines, func(line string) bool {
		return strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, `"part":"`+part+`"`) && strings.Contains(line, says)
	})
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

func eventually(t *testing.T, what string, reached func() bool) {
	t.Helper()
	for range 800 {
		if reached() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("waited in vain for %s", what)
}

// verifiedIdentity is the credential type that a development instance requests.
const verifiedIdentity = "urn:regain:verified-identity:1"

// everyFile is a configuration whose every part is made of files.
func everyFile(f fixture) config.Config {
	f.t.Setenv("TMPDIR", f.t.TempDir())
	cfg, err := config.Development(config.Defaults())
	if err != nil {
		f.t.Fatal(err)
	}
	ca := f.issue("CA", nil)
	server, request := f.issue("server", &ca), f.issue("request", &ca)
	cfg.Issuer, cfg.Listen = "https://regain.localhost", "127.0.0.1:0"
	cfg.TLS = config.TLSConfig{CertificateFile: f.write("tls.crt", server.pem()), KeyFile: f.write("tls.key", server.keyPEM(f.t))}
	cfg.Directory.File = f.write("directory.yaml", []byte("accounts: [{name: ada@example.org}, {name: bo@example.org}]\n"))
	cfg.Trust[0].AnchorsFile = f.write("anchors.crt", f.issue("First anchor", nil).pem())
	cfg.Trust[0].SignersFile = f.write("signers.crt", f.issue("First signer", nil).pem())
	cfg.Fetch.CAFile = f.write("ca.crt", ca.pem())
	cfg.MutualTLS.RootsFile = f.write("roots.crt", ca.pem())
	cfg.RequestSigning = config.CertificateConfig{Key: config.Secret{File: f.write("request.pem", request.keyPEM(f.t))}, CertificateFile: f.write("request.crt", request.pem())}
	cfg.Secrets = config.SecretsConfig{
		Encryption: config.Secret{File: f.write("encryption.key", f.secret())}, Token: config.Secret{File: f.write("token.key", f.secret())},
		Pass: config.Secret{File: f.write("pass.key", f.secret())}, SigningKey: config.Secret{File: f.write("signing.pem", f.ring())},
	}
	cfg.Wallets = []config.WalletConfig{{Name: "default"}, {Name: "did", ClientIDPrefix: "decentralized_identifier", ClientID: "did:web:regain.localhost", KeyID: "request-1"}}
	cfg.Clients = []config.ClientConfig{
		{ID: "recovers", Name: "X", JWKSFile: f.write("client.jwks", f.jwks("first")), RedirectURIs: []string{"https://x.example/"}},
		{ID: "signs-in", Name: "X", AuthMethod: "client_secret_post", Secret: config.Secret{File: f.write("client.secret", []byte(strings.Repeat("a", 32)))}, Scope: []string{"openid"}, RedirectURIs: []string{"https://x.example/"}},
	}
	cfg.Registration.Tokens = config.Secret{File: f.write("tokens", []byte(strings.Repeat("t", 32)))}
	return cfg
}

// kinds are all kinds of files, with what a running node shows of each.
func kinds(f fixture, n *Node, address string) []kind {
	t, broken := f.t, []byte("broken")
	other := f.issue("Other CA", nil)
	renewed, request := f.issue("renewed", &other), f.issue("request", &other)
	expired := f.issue("expired", &other, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	early := f.issue("early", &other, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	get := func(path string) string {
		answer, err := client.Get("https://" + address + path)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	clientOf := func(id string) string {
		c, err := n.clients.Client(t.Context(), id)
		if err != nil {
			return err.Error()
		}
		text, _ := json.Marshal(c.Keys)
		return string(text) + string(c.SecretDigest[:])
	}
	return []kind{
		{part: "tls", files: map[string][]byte{"tls.crt": renewed.pem(), "tls.key": renewed.keyPEM(t)}, broken: []map[string][]byte{
			{"tls.crt": broken}, {"tls.key": broken}, {"tls.crt": request.pem()}, {"tls.crt": expired.pem(), "tls.key": expired.keyPEM(t)}, {"tls.crt": early.pem(), "tls.key": early.keyPEM(t)}, {"tls.key": nil},
		}, says: []string{"tls.certificate_file: ", "tls.key_file: ", "does not hold the key", "expired at", "is not valid before", "tls.key_file: open"}, shows: func() string {
			connection, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				return err.Error()
			}
			defer connection.Close()
			return connection.ConnectionState().PeerCertificates[0].Subject.CommonName
		}},
		{part: "directory", files: map[string][]byte{"directory.yaml": []byte("accounts: [{name: ada@example.org}]\n")}, broken: []map[string][]byte{
			{"directory.yaml": []byte("accounts: [{nam: x}]")}, {"directory.yaml": []byte("accounts: [{name: x}, {name: X}]")}, {"directory.yaml": nil},
		}, says: []string{"field nam not found", "must differ in more", "directory.file: open"}, shows: func() string {
			_, err := n.loaded.directory.Find(t.Context(), "bo@example.org")
			return "bo: " + errorText(err)
		}},
		{part: "trust", files: map[string][]byte{"anchors.crt": issued{certificate: f.issuer.Authority.Certificate}.pem()}, broken: []map[string][]byte{
			{"anchors.crt": broken}, {"signers.crt": broken}, {"anchors.crt": nil},
		}, says: []string{"trust[0].anchors_file: ", "trust[0].signers_file: ", "trust[0].anchors_file: open"}, shows: verdicts(f, n)},
		{part: "clients", files: map[string][]byte{"client.jwks": f.jwks("second"), "client.secret": []byte(strings.Repeat("b", 32))}, broken: []map[string][]byte{
			{"client.jwks": broken}, {"client.secret": []byte("hunter2")}, {"client.jwks": nil},
		}, says: []string{"clients[0] (recovers).jwks_file: ", "clients[1] (signs-in).secret: ", "clients[0] (recovers).jwks_file: open"}, shows: func() string { return clientOf("recovers") + clientOf("signs-in") }},
		{part: "request_signing and wallets", files: map[string][]byte{"request.pem": request.keyPEM(t), "request.crt": request.pem()}, broken: []map[string][]byte{
			{"request.crt": broken}, {"request.pem": broken}, {"request.crt": renewed.pem()},
		}, says: []string{"request_signing.certificate_file: ", "request_signing.key", "request_signing"}, shows: func() string { return get("/.well-known/did.json") }},
		{part: "secrets.signing_key", files: map[string][]byte{"signing.pem": f.ring()}, broken: []map[string][]byte{
			{"signing.pem": broken}, {"signing.pem": nil},
		}, says: []string{"secrets.signing_key: ", "secrets.signing_key.file: open"}, shows: func() string { return get("/jwks") }},
		{part: "secrets.encryption_keys", files: map[string][]byte{"encryption.key": f.secret()}, broken: []map[string][]byte{
			{"encryption.key": []byte("no key")}, {"encryption.key": nil},
		}, says: []string{"secrets.encryption_keys: encryption key 1", "secrets.encryption_keys.file: open"}, shows: func() string {
			return storage.JoinIDs(n.loaded.Secrets.Keyring.IDs())
		}},
		{part: "mutual_tls.roots_file", files: map[string][]byte{"roots.crt": other.pem()}, broken: []map[string][]byte{{"roots.crt": broken}}, says: []string{"mutual_tls.roots_file: "}, shows: func() string {
			return certifies(t, n, other)
		}},
		{part: "fetch.ca_file", files: map[string][]byte{"ca.crt": other.pem()}, broken: []map[string][]byte{{"ca.crt": broken}}, says: []string{"fetch.ca_file: "}, shows: func() string { return reaches(t, n, other, f) }},
		{part: "registration.initial_access_tokens", files: map[string][]byte{"tokens": []byte(strings.Repeat("u", 32))}, broken: []map[string][]byte{{"tokens": []byte("hunter2")}}, says: []string{"registration.initial_access_tokens: "}, shows: func() string {
			_, err := n.registration.Register(t.Context(), strings.Repeat("u", 32), []byte("{"))
			return errorText(err)
		}},
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// verdicts shows what becomes of a Verified ID of the issuer that everyFile does not trust at first.
func verdicts(f fixture, n *Node) func() string {
	issuer, holder := f.issuer, verifiertest.NewHolder(f.t)
	return func() string {
		verified, err := n.verifier.Verify(f.t.Context(), verifier.Presentation{VerifiedID: holder.Present(f.t, issuer.VerifiedID(holder), verifiertest.Bind(time.Now()))}, verifier.Expect{
			Session:    verifier.Session{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience},
			VerifiedID: verifier.Wanted{Format: verifier.FormatSDJWT, Types: []string{verifiertest.IdentityType}},
		})
		return errorText(err) + string(verified.ValidationFailure())
	}
}

// certifies says whether a client certificate under an authority is taken.
func certifies(t *testing.T, n *Node, above issued) string {
	t.Helper()
	f := fixture{t: t}
	leaf := f.issue("client", &above, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	return errorText(n.source.Authenticate([]*x509.Certificate{leaf.certificate}, mtls.Identity{DNS: "regain.localhost"}, time.Now()))
}

// reaches says whether the fetcher trusts a server under an authority.
func reaches(t *testing.T, n *Node, above issued, f fixture) string {
	t.Helper()
	leaf := f.issue("elsewhere", &above)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.certificate.Raw}, PrivateKey: crypto.PrivateKey(leaf.key)}}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	_, err := n.fetcher.Get(t.Context(), strings.Replace(server.URL, "127.0.0.1", "regain.localhost", 1), "*/*")
	return strings.Map(func(r rune) rune { // the port differs from time to time
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, errorText(err))
}

// A running node takes over what its files say: of every kind the second content takes effect, a broken one is told and
// changes nothing, and a good one is taken after it.
func TestFilesAreReadAgain(t *testing.T) {
	f := newFixture(t)
	cfg := everyFile(f)
	cfg.Fetch.AllowPrivateHosts = []string{"regain.localhost"}
	log := &told{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	n, err := New(cfg, Deps{Logger: logger, Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	listeners, err := n.listen(logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	server := NewServer(n, logger)
	go func() { ended <- n.serve(ctx, server, accept(server, listeners), logger) }()
	stop := n.watch(logger, time.Now, 50*time.Millisecond)
	t.Cleanup(func() {
		stop()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	all := kinds(f, n, listeners[0].Addr().String())
	for _, p := range n.parts {
		if !p.atStart && !slices.ContainsFunc(all, func(k kind) bool { return k.part == p.name }) {
			t.Errorf("nothing replaces the files of %s", p.name)
		}
	}
	first, second := make([]string, len(all)), make([]string, len(all))
	original := map[string][]byte{}
	for i, k := range all {
		first[i] = k.shows()
		for name, data := range k.files {
			if original[name], err = os.ReadFile(f.path(name)); err != nil {
				t.Fatal(err)
			}
			f.write(name, data)
		}
	}
	for i, k := range all {
		eventually(t, k.part+" to take effect", func() bool { second[i] = k.shows(); return second[i] != first[i] })
	}
	for round := range 6 {
		var restore []func()
		for _, k := range all {
			if round >= len(k.broken) {
				continue
			}
			for name, data := range k.broken[round] {
				before, err := os.ReadFile(f.path(name))
				if err != nil {
					t.Fatal(err)
				}
				restore = append(restore, func() { f.write(name, before) })
				if f.write(name, data); data == nil {
					_ = os.Remove(f.path(name))
				}
			}
		}
		for i, k := range all {
			if round < len(k.broken) {
				eventually(t, k.part+" to be told of: "+k.says[round], func() bool { return log.about(k.part, k.says[round]) })
			}
			if now := k.shows(); now != second[i] {
				t.Errorf("%s: a broken file (%s) changed something: %q, was %q", k.part, k.says[min(round, len(k.says)-1)], now, second[i])
			}
		}
		for _, undo := range restore {
			undo()
		}
	}
	for name, data := range original {
		f.write(name, data)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil { // sooner than they are looked at
		t.Fatal(err)
	}
	for i, k := range all {
		eventually(t, k.part+" to be as at first", func() bool { return k.shows() == first[i] })
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Error("the log quotes a secret")
	}
}

// A certificate that ends while the node runs is told once a day, and not only by the next start.
func TestARunningNodeWarns(t *testing.T) {
	n, err := New(everyFile(newFixture(t)), Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	log := &told{}
	var ahead atomic.Int64
	stop := n.watch(slog.New(slog.NewJSONHandler(log, nil)), func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, time.Millisecond)
	defer stop()
	count := func() int {
		return strings.Count(log.String(), "tls.certificate_file: certificate 0 of tls.crt expires at")
	}
	time.Sleep(20 * time.Millisecond)
	if count() > 0 {
		t.Error("warned of a certificate of sixty days")
	}
	for day := range 2 {
		ahead.Store(int64(40*24*time.Hour) + int64(day)*int64(25*time.Hour))
		eventually(t, "a warning", func() bool { return count() == day+1 })
	}
	time.Sleep(20 * time.Millisecond)
	if count() != 2 {
		t.Errorf("warned %d times on two days", count())
	}
}

// What only a start reads is told, and not taken.
func TestSecretsThatTakeARestartAreTold(t *testing.T) {
	f := newFixture(t)
	cfg := everyFile(f)
	n, err := New(cfg, Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Reload(); err != nil {
		t.Errorf("nothing changed: %v", err)
	}
	for key, name := range map[string]string{"secrets.token_secret": "token.key", "secrets.pass_key": "pass.key"} {
		before, err := os.ReadFile(f.path(name))
		if err != nil {
			t.Fatal(err)
		}
		f.write(name, f.secret())
		if err := n.Reload(); err == nil || !strings.Contains(err.Error(), key+": ") || !strings.Contains(err.Error(), "holds another one now") || !strings.Contains(err.Error(), "restart the node") {
			t.Errorf("%s: %v", key, err)
		}
		f.write(name, before)
	}
}

// An account that leaves the file recovers no more, and one verifier's cache is not the next one's.
func TestReloadReplacesTheVerifier(t *testing.T) {
	f := newFixture(t)
	n, err := New(everyFile(f), Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	before := n.verifier.current.Load()
	f.write("anchors.crt", f.issue("Second anchor", nil).pem())
	if err := n.Reload(); err != nil || n.verifier.current.Load() == before {
		t.Errorf("the verifier is the one of before: %v", err)
	}
	before = n.verifier.current.Load()
	f.write("anchors.crt", []byte("broken"))
	if err := n.Reload(); err == nil || n.verifier.current.Load() != before {
		t.Errorf("a broken file replaced the verifier: %v", err)
	}
	if _, err := n.verifier.Verify(t.Context(), verifier.Presentation{}, verifier.Expect{}); err == nil {
		t.Error("nothing was verified")
	}
}

// Files are replaced in place, by renaming, by another symbolic link, and by another directory under one, as Kubernetes
// does. Each is seen, although size and name stay.
func TestStamps(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"one", "two"} {
		if err := os.Mkdir(f.path(name), 0o700); err != nil {
			t.Fatal(err)
		}
		f.write(name+"/file", []byte(name))
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink("one", f.path("..data")))
	for _, version := range []string{"v1", "v2"} {
		must(os.MkdirAll(f.path("keys/"+version), 0o700))
		f.write("keys/"+version+"/a", []byte(version))
	}
	must(os.Symlink("v1", f.path("keys/..data")))
	must(os.Symlink("..data/a", f.path("keys/a")))
	must(os.Symlink(".", f.path("keys/self"))) // which leads nowhere
	must(os.Symlink("keys", f.path("mounted")))
	must(os.Symlink("..data/file", f.path("projected")))
	must(os.Symlink(f.path("one/file"), f.path("live")))
	for name, tc := range map[string]struct {
		path   string
		change func()
	}{
		"in place": {"one/file", func() {
			f.write("one/file", []byte("eno"))
			must(os.Chtimes(f.path("one/file"), time.Time{}, time.Now().Add(time.Second)))
		}},
		"by renaming":           {"two/file", func() { f.write("two/new", []byte("two")); must(os.Rename(f.path("two/new"), f.path("two/file"))) }},
		"another link":          {"live", func() { must(os.Remove(f.path("live"))); must(os.Symlink(f.path("two/file"), f.path("live"))) }},
		"a directory of a link": {"projected", func() { must(os.Symlink("two", f.path("..next"))); must(os.Rename(f.path("..next"), f.path("..data"))) }},
		"removed":               {"two/other", func() { must(os.Remove(f.path("two/other"))) }},
		"a file of a directory": {"mounted", func() {
			must(os.Chtimes(f.path("keys/..data/a"), time.Time{}, time.Now().Add(time.Second)))
		}},
		"another file in a directory": {"two", func() { f.write("two/more", nil) }},
		"a directory of Kubernetes": {"mounted", func() {
			must(os.Symlink("v2", f.path("keys/..next")))
			must(os.Rename(f.path("keys/..next"), f.path("keys/..data")))
		}},
	} {
		f.write("two/other", nil)
		before := stampOf(f.path(tc.path))
		if !before.same(stampOf(f.path(tc.path))) {
			t.Errorf("%s: differs from itself", name)
		}
		tc.change()
		if before.same(stampOf(f.path(tc.path))) {
			t.Errorf("%s: not seen", name)
		}
	}
	if !stampOf(f.path("nowhere")).same(stampOf(f.path("nowhere"))) {
		t.Error("a file that is missing changes all the time")
	}
}
