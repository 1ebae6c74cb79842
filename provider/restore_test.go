package provider_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/internal/backup"
	"regain/internal/config"
	"regain/internal/node"
)

// restorable is a node whose store is copied and put back, with a broker among its clients and a clock that can be moved.
type restorable struct {
	restartable
	ahead atomic.Int64
}

func (r *restorable) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

func (r *restorable) begin() error {
	n, err := node.New(r.cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: r.now, Random: rand.Reader})
	r.current.Store(n)
	return err
}

func setUpRestorable(t *testing.T) (*restorable, *broker) {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	no, r := false, &restorable{}
	f := setUpEnv(t, testenv.Options{Store: "file", Clock: r.now, Elsewhere: func(path string, l *net.TCPListener) (io.Closer, error) {
		r.cfg = config.Defaults()
		if err := config.Load(config.Source{File: path}, &r.cfg); err != nil {
			return nil, err
		}
		r.cfg.Clients = append(r.cfg.Clients, config.ClientConfig{
			ID: "broker", Name: "Broker", AuthMethod: "client_secret_post", Secret: config.Secret{File: secret}, RedirectURIs: []string{brokerRedirect},
			Scope: []string{"openid", "profile", "offline_access"}, RequirePAR: &no, RequirePKCE: &no, AskAccount: true, ReuseSession: true,
		})
		if err := r.begin(); err != nil {
			return nil, err
		}
		r.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.current.Load().ServeHTTP(w, q) })}
		go func() { _ = r.server.Serve(l) }()
		return r, nil
	}})
	return r, &broker{fixture: f, t: t}
}

// stopped does something while no node runs.
func (r *restorable) stopped(t *testing.T, do func(c backup.Command)) {
	t.Helper()
	if err := r.current.Load().Close(); err != nil {
		t.Fatal(err)
	}
	c, err := backup.New(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Clock = r.now
	do(c)
	if err := r.begin(); err != nil {
		t.Fatal(err)
	}
}

// held is what people and clients hold when the store is copied: each is good once, or until it is ended.
type held struct {
	code, pass, assertion string
	access, refresh       string
	middle                string // the page of a recovery that is under way
}

// A copy of the store is made; then everything is used up that was good in it, and signed out, and the copy is imported as
// docs/backup.md says. Nothing of it is good a second time, by any endpoint, and people can begin anew.
func TestARestoreBringsNothingBack(t *testing.T) {
	r, b := setUpRestorable(t)
	f := b.fixture
	var h held
	got := b.redeem(b.signIn(url.Values{"scope": {"openid offline_access"}, "prompt": {"consent"}}).Get("code"))
	h.access, h.refresh = got.Access, got.Refresh
	person := *f
	person.browser = newBrowser(f.Env)
	h.pass = passOf(t, &person, person.approvedCode(t))
	h.middle = person.asked(t).URL.String()
	h.code = person.approvedCode(t)
	attempt := person.attempt
	pushed, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	if h.assertion, err = f.RP.Assertion("used-once"); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	r.stopped(t, func(c backup.Command) {
		if err := c.Copy(t.Context(), copied, io.Discard); err != nil {
			t.Fatal(err)
		}
	})

	good := map[string]func() error{
		"the code": func() error { _, err := f.RP.Redeem(t.Context(), attempt, h.code); return err },
		"the pass": func() error {
			verdict, err := f.RP.VerifyPass(t.Context(), "ada.lindqvist@example.org", h.pass)
			if err == nil && !verdict.Active {
				err = errors.New("inactive")
			}
			return err
		},
		"the assertion": func() error {
			return f.RP.PostForm(t.Context(), "/pass/verify", url.Values{
				"account": {"a"}, "pass": {"x"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {h.assertion},
			}, http.StatusOK, &struct{}{})
		},
		"the request URI": func() error {
			page, err := newBrowser(f.Env).Open(t.Context(), pushed.AuthorizeURL)
			if err == nil && !page.Has("have-verified-id") {
				err = errors.New(page.Text())
			}
			return err
		},
		"the recovery under way": func() error {
			page, err := person.browser.Open(t.Context(), h.middle)
			if _, ok := page.Link("open-wallet"); err == nil && !ok {
				err = errors.New(page.Text())
			}
			return err
		},
		"the access token": func() error {
			var answer map[string]any
			if b.post("/introspect", url.Values{"token": {h.access}}, &answer); answer["active"] != true {
				return errors.New("inactive")
			}
			return nil
		},
		"the session": func() error {
			if answer := b.open(url.Values{"prompt": {"none"}}).URL.Query(); answer.Get("code") == "" {
				return errors.New(answer.Get("error"))
			}
			return nil
		},
		"the refresh token": func() error {
			var answer map[string]any
			if status := b.post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.refresh}}, &answer); status != http.StatusOK {
				return fmt.Errorf("%v", answer["error"])
			}
			return nil
		},
	}
	for _, name := range []string{"the pass", "the recovery under way", "the request URI", "the assertion", "the access token", "the session", "the refresh token", "the code"} {
		if err := good[name](); err != nil {
			t.Fatalf("%s was not good to begin with: %v", name, err)
		}
	}
	for round := range 2 { // the second copy is older than the first import
		r.stopped(t, func(c backup.Command) {
			if err := os.Remove(r.cfg.Storage.Path); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ImportFile(t.Context(), copied); err != nil {
				t.Fatal(err)
			}
		})
		// Longer than clocks differ, and shorter than anything of it lives.
		r.ahead.Add(int64(15 * time.Second))
		for name, use := range good {
			if err := use(); err == nil {
				t.Errorf("restored %d times before, %s is good again", round, name)
			}
		}
		if text, err := os.ReadFile(r.cfg.Audit.File); err != nil || round == 0 && strings.Contains(string(text), "store_rolled_back") {
			t.Errorf("what was put back on purpose is taken for an attack: %v", err)
		}
	}
	if code := person.approvedCode(t); passOf(t, &person, code) == "" {
		t.Error("nobody recovers")
	}
	if n := issuedPasses(t, r.cfg.Audit.File); n != 3 {
		t.Errorf("%d passes are in the audit log, and 3 recoveries ended", n)
	}
	verifyAudit(t, r.cfg.Audit)
}

// passOf redeems a code, and returns the pass.
func passOf(t *testing.T, f *fixture, code string) string {
	t.Helper()
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := f.RP.OpenRecoveryToken(tokens.RecoveryToken)
	if err != nil {
		t.Fatal(err)
	}
	return opened.Recovery.Pass.Value
}
