// Package facetest is what the tests of one face of the provider stand on: the domain over a real store, directory and
// audit log in memory, a router with what every request passes, and a browser's requests against it by a recorder. There
// are no sockets, no wallets and no clients; whole journeys over HTTP are tested in package provider.
package facetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"regain/adapters/auditlog"
	"regain/adapters/directory"
	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
	"regain/storage"
	"regain/storage/memory"
)

// Issuer is the origin of the provider.
const Issuer = "https://regain.example"

// Ada is an account that can recover.
const Ada = recovery.RequestedAccount("ada@example.org")

// AdaID is its id in the directory.
const AdaID = recovery.AccountID("A1")

// Env is the environment of one test.
type Env struct {
	Recovery *recovery.Service
	Web      *web.Web
	Binding  *binding.Binding
	Router   *gin.Engine
	Txn      *gin.RouterGroup // the paths of one recovery
	Log      *bytes.Buffer    // event records, JSON
	Store    storage.Store
	Accounts *Accounts
	Passes   *Passes
	Events   *Events
	// Transactions is the repository that Recovery writes to.
	Transactions *storage.Transactions

	now   time.Time
	since time.Time // when the clock was started; the zero time while it stands
}

// New makes an environment; change may alter the one profile.
func New(t testing.TB, change func(p *recovery.Profile)) *Env {
	t.Helper()
	return NewOver(t, func(s storage.Store) storage.Store { return s }, change)
}

// NewOver makes an environment whose store wrap wraps.
func NewOver(t testing.TB, wrap func(storage.Store) storage.Store, change func(p *recovery.Profile)) *Env {
	t.Helper()
	e := &Env{Log: new(bytes.Buffer), Passes: new(Passes), Events: &Events{Log: auditlog.NewMemory()}, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	profile := recovery.Profile{
		Name: "employees", Enabled: true, Mode: recovery.ModeProduction, Scope: recovery.Scope{All: true},
		Credentials: []recovery.CredentialRule{{Format: "dc+sd-jwt", Types: []string{"urn:example:id"}, Bindings: []recovery.Binding{
			{Attribute: "family_name", Claim: "family_name", Level: recovery.MatchExact},
		}}},
		FaceCheck: recovery.FaceCheckRule{Threshold: recovery.DefaultThreshold},
		Pass:      recovery.PassPolicy{Lifetime: time.Hour, Length: 12, UsableOnce: true},
		Channels: []recovery.Channel{
			{Wallet: "any", Flow: recovery.FlowSameDevice}, {Wallet: "any", Flow: recovery.FlowCrossDevice},
		},
		CrossDevice: recovery.CrossDevicePolicy{QRLifetime: time.Minute},
	}
	if change != nil {
		change(&profile)
	}
	e.Store = wrap(must(memory.New(e.Clock))(t))
	e.Accounts = &Accounts{}
	e.Accounts.Replace(t, "accounts:\n  - {name: ada@example.org, id: A1, attributes: {family_name: Lovelace}}\n")
	e.Transactions = storage.NewTransactions(e.Store)
	e.Recovery = must(recovery.NewService(recovery.Ports{
		Transactions: e.Transactions, Directory: e.Accounts, Passes: e.Passes, Audit: e.Events, Issuings: e.Events,
		Attempts: storage.NewAttempts(e.Store), Clock: e.Clock, Random: rand.Reader,
	}, recovery.Policy{Profiles: recovery.Profiles{profile}, Exclude: []recovery.GroupName{"executives"}}))(t)
	e.Web = must(web.New(web.Config{Issuer: Issuer, Logger: slog.New(slog.NewJSONHandler(e.Log, nil)), Clock: e.Clock, Random: rand.Reader}))(t)
	e.Binding = must(binding.New(e.Web, e.Recovery.Open))(t)
	gin.SetMode(gin.ReleaseMode)
	e.Router = gin.New()
	e.Router.HandleMethodNotAllowed, e.Router.ContextWithFallback = true, true
	e.Web.Mount(e.Router)
	e.Txn = e.Binding.Group(e.Router)
	return e
}

// Accounts is a directory that changes, or does not answer.
type Accounts struct {
	*directory.Directory
	Fail error
}

// Replace puts other accounts in place of those that there are, written as in a directory file.
func (a *Accounts) Replace(t testing.TB, text string) {
	t.Helper()
	a.Directory = must(directory.Parse([]byte(text)))(t)
}

// Find implements recovery.Directory.
func (a *Accounts) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	if a.Fail != nil {
		return recovery.Account{}, a.Fail
	}
	return a.Directory.Find(ctx, requested)
}

// FindByID implements recovery.Directory.
func (a *Accounts) FindByID(ctx context.Context, id recovery.AccountID) (recovery.Account, error) {
	if a.Fail != nil {
		return recovery.Account{}, a.Fail
	}
	return a.Directory.FindByID(ctx, id)
}

// must takes a test out where a part cannot be made.
func must[T any](value T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// Clock is the environment's time; it stands, and Turn moves it.
func (e *Env) Clock() time.Time {
	if e.since.IsZero() {
		return e.now
	}
	return e.now.Add(time.Since(e.since))
}

// StartClock has the clock run from now on, as fast as time does.
func (e *Env) StartClock() { e.since = time.Now() }

// Turn moves the time.
func (e *Env) Turn(d time.Duration) { e.now = e.now.Add(d) }

// Events are the audit log, and the types of what was appended to it.
type Events struct {
	*auditlog.Log

	mu   sync.Mutex
	seen []recovery.EventType
}

// Issued implements recovery.Issuings.
func (e *Events) Issued(_ context.Context, id recovery.TransactionID, started time.Time) (bool, error) {
	return e.Log.Issued(id, started)
}

// Append implements recovery.Auditor.
func (e *Events) Append(ctx context.Context, event recovery.Event) error {
	e.mu.Lock()
	e.seen = append(e.seen, event.Type)
	e.mu.Unlock()
	return e.Log.Append(ctx, event)
}

// Has reports whether an event of the type was appended.
func (e *Events) Has(kind recovery.EventType) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.seen, kind)
}

// Passes issues one pass, again and again, and remembers which it revoked.
type Passes struct{ Revoked []string }

// Issue implements recovery.PassIssuer.
func (*Passes) Issue(_ context.Context, order recovery.PassOrder) (recovery.Pass, error) {
	return recovery.Pass{
		ID: "p1", Value: recovery.NewPassValue("PASS2345"), StartsAt: order.Now, ExpiresAt: order.Now.Add(order.Policy.Lifetime), UsableOnce: true, Issuer: "test",
	}, nil
}

// Revoke implements recovery.PassIssuer.
func (p *Passes) Revoke(_ context.Context, _ recovery.AccountID, id string) error {
	p.Revoked = append(p.Revoked, id)
	return nil
}

// Started is a transaction and the browser that started it.
type Started struct {
	recovery.Transaction
	Cookie *http.Cookie

	env *Env
}

// Start opens a recovery of Ada's account.
func (e *Env) Start(t testing.TB) *Started {
	t.Helper()
	tx, secret, err := e.Recovery.Start(t.Context(), recovery.StartParams{Client: "idp", Account: Ada, Authorization: []byte("{}"), Network: "192.0.2.1", Agent: "Firefox on Linux"})
	if err != nil {
		t.Fatal(err)
	}
	return &Started{tx, &http.Cookie{Name: web.CookiePrefix + string(tx.ID), Value: secret}, e}
}

// Resume is a recovery that was started over HTTP, in the browser that holds its cookie.
func (e *Env) Resume(t testing.TB, id recovery.TransactionID, cookie *http.Cookie) *Started {
	t.Helper()
	s := &Started{recovery.Transaction{ID: id}, cookie, e}
	s.Reload(t)
	return s
}

// Ask begins a presentation attempt.
func (s *Started) Ask(t testing.TB) *Started {
	t.Helper()
	var err error
	if s.Transaction, err = s.env.Recovery.Ask(t.Context(), s.Reload(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

// Reload reads the transaction as it is stored now.
func (s *Started) Reload(t testing.TB) recovery.Transaction {
	t.Helper()
	tx, err := s.env.Recovery.Open(t.Context(), s.ID, s.Cookie.Value)
	if err != nil {
		t.Fatal(err)
	}
	s.Transaction = tx
	return tx
}

// Answer has a wallet answer in a flow with evidence, which change may alter, and returns the response code.
func (s *Started) Answer(t testing.TB, flow recovery.Flow, change func(*recovery.Evidence)) string {
	t.Helper()
	open, err := s.env.Recovery.Find(t.Context(), s.Handle(flow))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.env.Recovery.Attach(t.Context(), open, []byte("{}"), recovery.WalletFetched); err != nil {
		t.Fatal(err)
	}
	evidence := recovery.Evidence{
		Claims:    map[recovery.ClaimName]string{"family_name": "Lovelace"},
		FaceCheck: recovery.FaceCheck{Source: recovery.FaceCheckReceipt, Score: 90, At: s.env.Clock(), Bound: true},
	}
	if change != nil {
		change(&evidence)
	}
	result, err := s.env.Recovery.Present(t.Context(), s.Handle(flow), evidence)
	if err != nil {
		t.Fatal(err)
	}
	s.Reload(t)
	return result.ResponseCode
}

// Decide answers on the same device and brings the verdict into force.
func (s *Started) Decide(t testing.TB, change func(*recovery.Evidence)) *Started {
	t.Helper()
	code := s.Answer(t, recovery.FlowSameDevice, change)
	var err error
	if s.Transaction, err = s.env.Recovery.Return(t.Context(), s.Transaction, code); err != nil {
		t.Fatal(err)
	}
	return s
}

// Path is the address of a page of the transaction.
func (s *Started) Path(page string) string { return binding.Path(s.ID) + page }

// Form is a form of the transaction's page, with its token.
func (s *Started) Form(fields url.Values) url.Values {
	form := url.Values{"csrf": {web.FormToken(s.Cookie.Value)}}
	for name, values := range fields {
		form[name] = values
	}
	return form
}

// Get requests an address as a browser does that has a cookie, nil for none.
func (e *Env) Get(address string, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	return e.Do(r)
}

// Post sends a form as a browser does from a page of ours.
func (e *Env) Post(address string, form url.Values, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := FormRequest(address, form)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	return e.Do(r)
}

// FormRequest is a POST of a form that says nothing of where it comes from.
func FormRequest(address string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// Do serves a request. It ends when its context does, like those of a server.
func (e *Env) Do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	e.Router.ServeHTTP(w, r)
	return w
}

// Wallets reach no wallet: they say where one would be.
type Wallets struct{ Fail error }

// DisplayName is what people call a wallet.
func (Wallets) DisplayName(recovery.WalletName) string { return "Example Wallet" }

// RequestURL is an address in which the channel can be read.
func (w Wallets) RequestURL(_ context.Context, t recovery.Transaction, channel recovery.Channel) (string, error) {
	if t.HandleOf(channel) == "" {
		return "", errors.Join(web.ErrNotNow, w.Fail)
	}
	return "openid4vp://?" + url.Values{"flow": {string(channel.Flow)}}.Encode(), w.Fail
}
