package idp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/idp"
	"regain/conformance/idp/visitor"
)

const (
	ada = "ada@example.org"
	bob = "bob@example.org"
)

// env is an IdP and a Regain, each a server on loopback with a host name of its own.
type env struct {
	t      *testing.T
	idp    *idp.Server
	url    string
	regain *regain
	clock  *watch
	log    *buffer
	server *httptest.Server // Regain's
}

func newWorld(t *testing.T) *env {
	t.Helper()
	w := &env{t: t, clock: &watch{now: time.Now()}, log: &buffer{}}
	w.regain = newRegain(t, w.clock.Now)
	w.server = httptest.NewServer(w.regain)
	t.Cleanup(w.server.Close)
	w.regain.url = named(w.server, "regain")
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	w.url = named(server, "idp")
	var err error
	if w.idp, err = idp.New(w.config()); err != nil {
		t.Fatal(err)
	}
	handler = w.idp.Handler()
	if err := json.Unmarshal(w.idp.JWKS(), &w.regain.client); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *env) config() idp.Config {
	return idp.Config{
		Name: "Example Organisation", BaseURL: w.url, RegainIssuer: w.regain.url, ClientID: "main-idp",
		Accounts:   []idp.Account{{Name: ada, DisplayName: "Ada Lindqvist"}, {Name: bob, DisplayName: "Bob Stone"}},
		HTTPClient: &http.Client{Transport: local()}, Clock: w.clock.Now, Random: rand.Reader,
		Logger: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// local dials 127.0.0.1 whatever the name.
func local() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
}

func named(s *httptest.Server, name string) string {
	return strings.Replace(s.URL, "127.0.0.1", name+".localhost", 1)
}

func (w *env) browser() *browser.Browser {
	return browser.New(browser.Config{HTTPClient: &http.Client{Transport: local()}, Clock: w.clock.Now})
}

func (w *env) visitor() *visitor.Visitor {
	v, err := visitor.New(w.browser(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// recover goes to Regain for an account and presses its button: the page is what the callback shows.
func (w *env) recover(v *visitor.Visitor, account string) *browser.Page {
	w.t.Helper()
	page, err := v.Recover(w.t.Context(), account)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.press(v.Browser, page, "have-verified-id")
}

func (w *env) press(b *browser.Browser, page *browser.Page, id string) *browser.Page {
	w.t.Helper()
	form, ok := page.Form(id)
	if !ok {
		w.t.Fatalf("no %s on page %q: %s", id, page.Title, page.Text())
	}
	next, err := b.Submit(w.t.Context(), form, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return next
}

func (w *env) open(b *browser.Browser, path string) *browser.Page {
	w.t.Helper()
	page, err := b.Open(w.t.Context(), w.url+path)
	if err != nil {
		w.t.Fatal(err)
	}
	return page
}

// enrol gives an account a passkey, by a pass from the help desk.
func (w *env) enrol(v *visitor.Visitor, account string) {
	w.t.Helper()
	if _, err := v.UsePass(w.t.Context(), account, w.regain.give(account)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := v.CreatePasskey(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// nothing checks that a browser has no right at the IdP.
func (w *env) nothing(b *browser.Browser) {
	w.t.Helper()
	for _, path := range []string{"/recovered", "/passkey/new", "/passkey/created", "/home"} {
		if page := w.open(b, path); page.Status != http.StatusForbidden || !page.Has("no-session") {
			w.t.Errorf("%s is open: %d %s", path, page.Status, page.Text())
		}
	}
}

func want(t *testing.T, page *browser.Page, status int, id string) {
	t.Helper()
	if page.Status != status || !page.Has(id) {
		t.Errorf("status %d, page %q: %s; want %d with %s", page.Status, page.Title, page.Text(), status, id)
	}
}

// watch is a clock that tests move.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (w *watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) forward(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// buffer is a log that many requests write to.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
