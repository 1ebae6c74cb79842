package provider_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// counting counts the changes of a store in n. It leaves out the head of the audit log, which the log keeps there by a clock of
// its own.
func counting(store storage.Store, n *atomic.Int64) storage.Around {
	return storage.Around{Store: store, Pass: func(_ context.Context, changes []storage.Change, do func() ([]storage.Result, error)) ([]storage.Result, error) {
		if len(changes) > 1 || changes[0].Record.Kind != "audit_head" {
			n.Add(int64(len(changes)))
		}
		return do()
	}}
}

// safe is a test environment in which every address is asked by methods that are safe (RFC 9110 §9.2.1).
type safe struct {
	*fixture
	t       *testing.T
	changes atomic.Int64
	ahead   atomic.Int64 // nanoseconds of everybody's clock
	known   map[string]string
	queries map[string]url.Values
	bearer  string
	asked   map[string]int // how many requests of a route got past its checks, by route
}

func setUpSafe(t *testing.T) *safe {
	t.Helper()
	s := &safe{t: t, known: map[string]string{":file": "regain.css"}, queries: map[string]url.Values{"/recover/:txn/qr.svg": {"wallet": {"default"}}}, asked: map[string]int{}}
	secrets := map[string]config.Secret{invitation: {}, brokerSecret: {}}
	for text := range secrets {
		secrets[text] = config.Secret{File: filepath.Join(t.TempDir(), "secret")}
		if err := os.WriteFile(secrets[text].File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	no := false
	s.fixture = setUpEnv(t, testenv.Options{
		Clock: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		Deps: func(d *node.Deps) {
			d.Wrap = func(store storage.Store) storage.Store { return counting(store, &s.changes) }
		},
		Change: func(cfg *config.Config) {
			cfg.Registration = config.RegistrationConfig{Tokens: secrets[invitation], RequirePAR: &no, RequirePKCE: &no}
			cfg.Clients = append(cfg.Clients, config.ClientConfig{
				ID: "broker", Name: "Broker", AuthMethod: "client_secret_post", Secret: secrets[brokerSecret], RedirectURIs: []string{brokerRedirect}, Scope: []string{"openid", "profile"},
				RequirePAR: &no, RequirePKCE: &no, AskAccount: true, ReuseSession: true, PostLogout: []string{"https://program.localhost/out"},
			})
		},
	})
	return s
}

// look asks every address, with whatever the browser, the wallet and the client would send there now, and nothing changes.
func (s *safe) look(stage string) {
	s.t.Helper()
	for _, route := range mountedRoutes(s.t) {
		method, pattern, _ := strings.Cut(route, " ")
		path := regexp.MustCompile(`:\w+`).ReplaceAllStringFunc(pattern, func(name string) string {
			if value, ok := s.known[name]; ok {
				return value
			}
			return "x"
		})
		if query := s.queries[pattern]; len(query) > 0 {
			path += "?" + query.Encode()
		}
		for _, safe := range []string{http.MethodHead, http.MethodOptions} {
			before := s.changes.Load()
			resp := s.request(safe, path)
			if changed := s.changes.Load() - before; changed != 0 {
				s.t.Errorf("%s: %s %s changed %d records", stage, safe, pattern, changed)
			}
			if resp.StatusCode >= http.StatusInternalServerError || len(resp.Cookies()) > 0 || safe == http.MethodOptions && resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotFound {
				s.t.Errorf("%s: %s %s: %d, cookies %q", stage, safe, pattern, resp.StatusCode, resp.Cookies())
			}
			if safe == http.MethodHead && method == http.MethodGet && resp.StatusCode < http.StatusBadRequest {
				s.asked[pattern]++
			}
		}
	}
}

// request sends one with the browser's cookies, and the bearer's token where that is what the address wants.
func (s *safe) request(method, path string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.Regain+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range s.browser.Cookies(s.Regain) {
		req.AddCookie(c)
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	resp, err := s.Client.Transport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// pushed starts an attempt, and returns its page once every address has been asked with the browser still away.
func (s *safe) pushed(account string) *browser.Page {
	s.t.Helper()
	var err error
	if s.attempt, err = s.RP.Start(s.t.Context(), account, nil); err != nil {
		s.t.Fatal(err)
	}
	address, err := url.Parse(s.attempt.AuthorizeURL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.queries["/authorize"] = address.Query()
	s.look("pushed")
	page, err := s.browser.Open(s.t.Context(), s.attempt.AuthorizeURL)
	page = s.must(s.t, page, err)
	s.known[":txn"] = strings.TrimPrefix(page.URL.Path, "/recover/")
	s.look("started")
	return page
}

// handleIn is the handle of the request that a link or a QR code names.
func (s *safe) handleIn(link string) string {
	s.t.Helper()
	found := regexp.MustCompile(`/openid4vp/request/([\w.-]+)`).FindStringSubmatch(link)
	if decoded, err := url.QueryUnescape(link); found == nil && err == nil {
		found = regexp.MustCompile(`/openid4vp/request/([\w.-]+)`).FindStringSubmatch(decoded)
	}
	if found == nil {
		s.t.Fatalf("no handle in %s", link)
	}
	return found[1]
}

// back notes the response code of the address that the wallet sends the browser to.
func (s *safe) back(next string) {
	s.t.Helper()
	address, err := url.Parse(next)
	if err != nil {
		s.t.Fatal(err)
	}
	s.queries["/recover/:txn/return"], s.queries["/recover/:txn/confirmation"] = address.Query(), address.Query()
}

// A link preview, a prefetcher or a scanner of mails asks with HEAD before the person does: it takes nobody's step, uses up no
// request and no code, starts nothing and ends nothing, at any address and in any state. The journey then goes on as if
// nobody had asked.
func TestSafeMethodsChangeNothing(t *testing.T) {
	s := setUpSafe(t)
	page := s.pushed("ada.lindqvist@example.org")
	s.press(t, page, "get-verified-id")
	s.queries["/recover/:txn/proofed"] = url.Values{"status": {"completed"}}
	s.look("proofing")
	page, err := s.browser.Open(t.Context(), page.URL.String()+"/proofed?status=completed")
	page = s.press(t, s.must(t, page, err), "have-verified-id")
	link, _ := page.Link("open-wallet")
	s.known[":handle"] = s.handleIn(link)
	s.look("requested")
	s.ahead.Add(int64(2 * time.Minute)) // the QR code is due to be replaced
	s.look("requested, with an old QR code")
	request := s.review(t, page)
	s.look("retrieved")
	next := s.share(t, request)
	s.back(next)
	s.look("presented")
	usual := s.browser
	s.browser = newBrowser(s.Env) // a preview by somebody else's server ends no recovery
	s.look("presented, in another browser")
	s.browser = usual
	done, err := s.browser.Open(t.Context(), next)
	done = s.must(t, done, err)
	s.look("approved")
	back := s.press(t, done, "finish")
	s.look("sent back")
	code, err := s.RP.Code(s.attempt, back.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := s.RP.Redeem(t.Context(), s.attempt, code)
	if err != nil || tokens.RecoveryToken == "" {
		t.Fatalf("no pass after all: %v", err)
	}
	s.signsInAndOut()
	_, client := s.manage(t, http.MethodPost, s.Regain+"/register", invitation, metadata(nil))
	s.known[":client"], s.bearer = text(client, "client_id"), text(client, "registration_access_token")
	s.look("registered")

	page = s.press(t, s.pushed("ada.lindqvist@example.org"), "have-verified-id")
	scanned, _ := page.ByID("qr-text")
	s.known[":handle"] = s.handleIn(scanned)
	s.crossDeviceLooking(page)
	s.ahead.Add(int64(2 * time.Hour)) // a lifetime is over, which the next who asks writes down
	s.look("late")

	if strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Error("a HEAD is told as a failure of the server")
	}
	for _, route := range mountedRoutes(t) {
		if pattern, ok := strings.CutPrefix(route, "GET "); ok && s.asked[pattern] == 0 && !strings.HasPrefix(pattern, "/.well-known/did") {
			t.Errorf("no HEAD got anywhere at %s", pattern)
		}
	}
}

// signsInAndOut asks with the session of a broker, whose client reuses it, and with what ends it.
func (s *safe) signsInAndOut() {
	s.t.Helper()
	b := &broker{fixture: s.fixture, t: s.t}
	got := b.redeem(b.signIn(nil).Get("code"))
	s.bearer, s.queries["/logout"] = got.Access, url.Values{"id_token_hint": {got.ID}, "post_logout_redirect_uri": {"https://program.localhost/out"}}
	s.queries["/authorize"] = url.Values{"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}, "prompt": {"none"}}
	s.look("signed in")
	usual := s.browser
	s.browser = newBrowser(s.Env)
	s.look("signing out, without the cookie")
	s.browser = usual
	if page := b.open(url.Values{"prompt": {"none"}}); page.URL.Query().Get("code") == "" {
		s.t.Errorf("the session is gone: %s", page.URL)
	}
}

// crossDeviceLooking has another device's wallet answer, and asks before its browser is shown the digits.
func (s *safe) crossDeviceLooking(page *browser.Page) {
	s.t.Helper()
	code, _ := page.ByID("qr-text")
	request, err := s.wallet.Scan(s.t.Context(), code)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.wallet.FaceCheck(s.t.Context(), request.FaceCheckFor()); err != nil {
		s.t.Fatal(err)
	}
	next := s.share(s.t, request)
	s.back(next)
	s.look("confirmation")
	shown, err := newBrowser(s.Env).Open(s.t.Context(), next)
	if !s.must(s.t, shown, err).Has("digits") {
		s.t.Errorf("no digits: %s", shown.Text())
	}
}
