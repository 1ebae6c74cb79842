package provider_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/rp"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/internal/config"
)

// fixture is a whole test environment with a log that is kept, one person at a browser, and their wallet.
type fixture struct {
	*testenv.Env
	log     *syncBuffer
	browser *browser.Browser
	wallet  *wallet.Wallet
	attempt rp.Attempt
}

// syncBuffer is a buffer that several servers log into.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func setUp(t *testing.T) *fixture {
	t.Helper()
	return setUpWith(t, nil)
}

// setUpWith is setUp with another configuration.
func setUpWith(t *testing.T, change func(*config.Config)) *fixture {
	t.Helper()
	return setUpEnv(t, testenv.Options{Change: change})
}

// setUpEnv is setUp in another test environment, whose log is kept.
func setUpEnv(t *testing.T, o testenv.Options) *fixture {
	t.Helper()
	log := &syncBuffer{}
	o.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Studio = studio
	w, err := testenv.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{Env: w, log: log, browser: newBrowser(w)}
	if f.wallet, err = w.NewWallet(cameraOf(t, "ada.lindqvist"), w.Clock); err != nil {
		t.Fatal(err)
	}
	offer, err := w.Issuer.Offer("ada.lindqvist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.wallet.Accept(t.Context(), w.Wallet+"/offer?"+url.Values{"credential_offer_uri": {offer}}.Encode()); err != nil {
		t.Fatal(err)
	}
	return f
}

func newBrowser(w *testenv.Env) *browser.Browser {
	return browser.New(browser.Config{HTTPClient: w.Client, StopAt: func(u *url.URL) bool { return u.Host == "program.localhost" }})
}

func (f *fixture) must(t *testing.T, page *browser.Page, err error) *browser.Page {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func (f *fixture) start(t *testing.T, account string) *browser.Page {
	t.Helper()
	var err error
	if f.attempt, err = f.RP.Start(t.Context(), account, nil); err != nil {
		t.Fatal(err)
	}
	page, err := f.browser.Open(t.Context(), f.attempt.AuthorizeURL)
	return f.must(t, page, err)
}

func (f *fixture) press(t *testing.T, page *browser.Page, id string) *browser.Page {
	t.Helper()
	form, ok := page.Form(id)
	if !ok {
		t.Fatalf("page %q has no %s: %s", page.Title, id, page.Text())
	}
	next, err := f.browser.Submit(t.Context(), form, nil)
	return f.must(t, next, err)
}

// asked is the presentation page of a new recovery of Ada's account.
func (f *fixture) asked(t *testing.T) *browser.Page {
	t.Helper()
	return f.press(t, f.start(t, "ada.lindqvist@example.org"), "have-verified-id")
}

// review has the wallet fetch the request of the page and take the Face Check.
func (f *fixture) review(t *testing.T, page *browser.Page) *wallet.Request {
	t.Helper()
	link, _ := page.Link("open-wallet")
	request, err := f.wallet.Review(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.wallet.FaceCheck(t.Context(), request.FaceCheckFor()); err != nil {
		t.Fatal(err)
	}
	return request
}

func (f *fixture) share(t *testing.T, request *wallet.Request) string {
	t.Helper()
	next, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// send sends a bare request, without a cookie, following nothing.
func (f *fixture) send(t *testing.T, method, address, contentType, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := f.Client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp, buf.String()
}
