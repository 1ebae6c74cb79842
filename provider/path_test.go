package provider_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/internal/config"
)

// witness notes what everybody asks of the issuer's host, and each address of our own that a page, a redirect or a script's
// answer names.
type witness struct {
	next  http.RoundTripper
	host  string
	mu    sync.Mutex
	asked []string // paths
	named []string // addresses without a host
}

var ownAddress = regexp.MustCompile(`(?:href|src|action|data-base|data-events|"next")\s*[=:]\s*"(/[^"]*)"`)

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err != nil || r.URL.Host != w.host {
		return resp, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r.URL.Path)
	if location := resp.Header.Get("Location"); strings.HasPrefix(location, "/") {
		w.named = append(w.named, location)
	}
	media := resp.Header.Get("Content-Type")
	if !strings.HasPrefix(media, "text/html") && !strings.HasPrefix(media, "application/json") {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, err
	}
	for _, found := range ownAddress.FindAllSubmatch(body, -1) {
		w.named = append(w.named, string(found[1]))
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

const issuerPath = "/id/regain_2"

// setUpAtPath is a test environment whose issuer has a path, with a witness.
func setUpAtPath(t *testing.T, change func(*config.Config)) (*fixture, *witness) {
	t.Helper()
	f := setUpEnv(t, testenv.Options{Path: issuerPath, Change: change})
	u, err := url.Parse(f.Regain)
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{next: f.Client.Transport, host: u.Host}
	f.Client.Transport = w
	f.browser = newBrowser(f.Env)
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.asked) == 0 || len(w.named) == 0 {
			t.Errorf("the witness saw %d requests and %d addresses", len(w.asked), len(w.named))
		}
		for _, path := range append(w.asked, w.named...) {
			if !strings.HasPrefix(path, issuerPath+"/") {
				t.Errorf("%s is not below the issuer", path)
			}
		}
	})
	return f, w
}

// An issuer with a path is the whole thing: every way to recover an account, every page, link, form, file and redirect is
// below it.
func TestIssuerWithAPath(t *testing.T) {
	t.Run("this device", func(t *testing.T) {
		f, _ := setUpAtPath(t, nil)
		f.recovers(t, f.asked(t))
	})
	t.Run("another device", func(t *testing.T) {
		f, _ := setUpAtPath(t, nil)
		page := f.asked(t)
		if answer, err := f.browser.Fetch(t.Context(), browser.Request{Method: http.MethodGet, Address: page.URL.String() + "/qr.svg?wallet=default"}); err != nil || answer.Status != http.StatusOK {
			t.Errorf("QR code: %v, %v", answer, err)
		}
		digits := f.crossDevice(t, page)
		shown, err := f.browser.Open(t.Context(), page.URL.String())
		f.must(t, shown, err)
		f.finishes(t, f.typeDigits(t, digits))
	})
	t.Run("the browser", func(t *testing.T) {
		f, _ := setUpAtPath(t, func(cfg *config.Config) { cfg.Wallets[0].DigitalCredentials = []string{"signed"} })
		f.asked(t)
		asked := f.requests(t)
		f.recoversBy(t, asked[0], f.respond(t, asked[0], wallet.ShareOptions{}))
	})
	t.Run("proofing, and giving up", func(t *testing.T) {
		f, _ := setUpAtPath(t, nil)
		page := f.start(t, "ada.lindqvist@example.org")
		if away := f.press(t, page, "get-verified-id"); away.URL.Host != strings.TrimPrefix(f.Proofing, "http://") || away.Status != http.StatusOK {
			t.Fatalf("at %s with status %d", away.URL.Redacted(), away.Status)
		}
		back, err := f.browser.Open(t.Context(), page.URL.String()+"/proofed?status=completed")
		over := f.press(t, f.must(t, back, err), "cancel")
		if ended := f.press(t, over, "finish"); ended.URL.Host != "program.localhost" || ended.URL.Query().Get("error") != "access_denied" {
			t.Errorf("at %s", ended.URL.Redacted())
		}
	})
	t.Run("files", func(t *testing.T) {
		f, w := setUpAtPath(t, nil)
		f.asked(t)
		w.mu.Lock()
		named := append([]string(nil), w.named...)
		w.mu.Unlock()
		files := 0
		for _, path := range named {
			if strings.Contains(path, "/static/") {
				files++
				if resp, body := f.send(t, http.MethodGet, originOf(t, f.Regain)+path, "", ""); resp.StatusCode != http.StatusOK || body == "" {
					t.Errorf("%s: %d", path, resp.StatusCode)
				}
			}
		}
		if files < 3 {
			t.Errorf("%d files", files)
		}
	})
}

// The person names the account, comes back by a session, and signs out, all below the path; a page of an error leads there too.
func TestPagesOfABrokerAtAPath(t *testing.T) {
	b := setUpBrokerAt(t, "/regain", func(*config.ClientConfig) {})
	got := b.redeem(b.signIn(nil).Get("code"))
	if got.claims["iss"] != b.Regain || b.userInfo(got.Access)["sub"] != got.claims["sub"] {
		t.Errorf("%v", got.claims)
	}
	if again := b.open(url.Values{"prompt": {"none"}}); again.URL.Query().Get("code") == "" {
		t.Errorf("no session: %s", again.URL)
	}
	for _, c := range b.browser.Cookies(b.Regain) {
		if c.Path != "/" && c.Path != "" || c.Name == "__Host-regain-session" {
			t.Errorf("cookie %s with path %q", c.Name, c.Path)
		}
	}
	page, err := b.browser.Open(b.t.Context(), b.Regain+"/logout")
	page = b.must(t, page, err)
	if form, ok := page.Form("sign-out"); ok {
		if !strings.HasPrefix(form.Action, b.Regain+"/") {
			t.Errorf("the form goes to %s", form.Action)
		}
		b.press(t, page, "sign-out")
	}
	if strings.Contains(string(page.Body), `"/static`) {
		t.Error("a file of the origin's")
	}
}

// The metadata is where each specification looks for it, and nothing else of ours is outside of the path.
func TestAddressesOfAnIssuerWithAPath(t *testing.T) {
	f := setUpEnv(t, testenv.Options{Path: issuerPath})
	host := originOf(t, f.Regain)
	for _, path := range []string{
		issuerPath + "/.well-known/openid-configuration", issuerPath + "/.well-known/oauth-authorization-server",
		"/.well-known/oauth-authorization-server" + issuerPath, "/.well-known/openid-configuration" + issuerPath,
	} {
		resp, body := f.send(t, http.MethodGet, host+path, "", "")
		var m map[string]any
		if err := json.Unmarshal([]byte(body), &m); err != nil || resp.StatusCode != http.StatusOK || m["issuer"] != f.Regain {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, body)
		}
		for name, value := range m {
			if address, ok := value.(string); ok && strings.Contains(name, "endpoint") && !strings.HasPrefix(address, f.Regain+"/") {
				t.Errorf("%s is %s", name, address)
			}
		}
	}
	for path, want := range map[string]int{
		"/healthz": http.StatusOK, issuerPath + "/healthz": http.StatusOK, issuerPath + "/jwks": http.StatusOK,
		"/jwks": http.StatusNotFound, "/token": http.StatusNotFound, "/": http.StatusNotFound, issuerPath + "x/jwks": http.StatusNotFound, "/id/jwks": http.StatusNotFound,
		"/.well-known/openid-configuration": http.StatusNotFound, "/.well-known/oauth-authorization-server": http.StatusNotFound, "/.well-known/openid-configuration/id": http.StatusNotFound,
		"/static/regain.css": http.StatusNotFound, issuerPath + "/static/regain.css": http.StatusOK, "/x" + issuerPath + "/jwks": http.StatusNotFound,
		strings.ToUpper(issuerPath) + "/jwks": http.StatusNotFound, "//id/regain_2/jwks": http.StatusNotFound, "/id%2Fregain_2/jwks": http.StatusNotFound,
	} {
		if resp, _ := f.send(t, http.MethodGet, host+path, "", ""); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}
