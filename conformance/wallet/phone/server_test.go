package phone_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/proofing"
	"regain/conformance/wallet"
	"regain/conformance/wallet/phone"
)

// bench is a wallet's server and a provider that issues into it.
type bench struct {
	t      *testing.T
	base   string
	issuer *proofing.Server
	log    *bytes.Buffer
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(b.log, nil))
	wallets, issuer := listen(t), listen(t)
	b.base = wallets.URL
	server, err := phone.NewServer(phone.Config{
		BaseURL: wallets.URL, People: phone.SamplePeople(rand.Reader), HTTPClient: wallet.NewHTTPClient(5 * time.Second), Clock: time.Now,
		Random: rand.Reader, Logger: logger, RequestAnchors: x509.NewCertPool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	wallets.Config.Handler = server.Handler()
	b.issuer, err = proofing.New(proofing.Config{
		BaseURL: issuer.URL, RegainIssuer: "https://regain.example", WalletOfferEndpoint: wallets.URL + "/offer", StatusTTL: time.Minute,
		Clock: time.Now, Random: rand.Reader, Logger: logger, HTTPClient: http.DefaultClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	issuer.Config.Handler = b.issuer.Handler()
	return b
}

func listen(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server
}

func (b *bench) offer() string {
	b.t.Helper()
	offer, err := b.issuer.Offer("ada.lindqvist")
	if err != nil {
		b.t.Fatal(err)
	}
	return b.base + "/offer?" + url.Values{"credential_offer_uri": {offer}}.Encode()
}

func open(t *testing.T, b *browser.Browser, address string) *browser.Page {
	t.Helper()
	page, err := b.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func press(t *testing.T, b *browser.Browser, page *browser.Page, id string) *browser.Page {
	t.Helper()
	form, ok := page.Form(id)
	if !ok {
		t.Fatalf("page %q has no %s: %s", page.Title, id, page.Text())
	}
	next, err := b.Submit(t.Context(), form, nil)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestAddingAVerifiedID(t *testing.T) {
	b := setUp(t)
	mine := browser.New(browser.Config{})
	page := open(t, mine, b.offer())
	if !page.Has("add") || strings.Contains(page.URL.String(), "credential_offer") {
		t.Fatalf("%s: %s", page.URL, page.Text())
	}
	if page = press(t, mine, page, "add"); !page.Has("done") {
		t.Fatalf("not added: %s", page.Text())
	}
	if home := open(t, mine, b.base+"/"); !strings.Contains(home.Text(), "Ada Lindqvist") || home.Has("empty") {
		t.Errorf("the phone does not show it: %s", home.Text())
	}
	// Somebody else's browser is somebody else's phone.
	if home := open(t, browser.New(browser.Config{}), b.base+"/"); !home.Has("empty") {
		t.Errorf("another phone shows it: %s", home.Text())
	}
}

func TestNotNow(t *testing.T) {
	b := setUp(t)
	mine := browser.New(browser.Config{})
	press(t, mine, open(t, mine, b.offer()), "decline")
	if home := open(t, mine, b.base+"/"); !home.Has("empty") {
		t.Errorf("it was added all the same: %s", home.Text())
	}
}

// A request that does not verify shows why, and shares nothing.
func TestAStrangersRequest(t *testing.T) {
	b := setUp(t)
	mine := browser.New(browser.Config{})
	for _, query := range []string{
		"", "client_id=x", "client_id=x509_hash:abc&request_uri=http://127.0.0.1:1/&request_uri_method=post", "client_id=redirect_uri:https://x.example&request=x",
		"client_id=x509_hash:abc&request_uri=file:///etc/passwd", "client_id=a&client_id=b",
	} {
		page := open(t, mine, b.base+"/authorize?"+query)
		if page.Has("share") || page.Has("face-check") || page.Status >= http.StatusInternalServerError {
			t.Errorf("%q: status %d: %s", query, page.Status, page.Text())
		}
	}
}

// Nothing that is sent to any route gets more than a page that says what to do.
func TestInvalidResponses(t *testing.T) {
	b := setUp(t)
	for _, path := range []string{"/", "/offer", "/authorize", "/person", "/scan", "/tasks/x", "/tasks/x/add", "/tasks/x/share", "/tasks/x/selfie.jpg", "/credentials/x/portrait.jpg", "/nowhere"} {
		for _, body := range []string{"", "csrf=x", "csrf=x&url=x&person=ada.lindqvist", strings.Repeat("a=b&", 20_000), "%zz"} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
				req, err := http.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode >= http.StatusInternalServerError {
					t.Errorf("%s %s with %.20q: status %d", method, path, body, resp.StatusCode)
				}
			}
		}
	}
	if strings.Contains(b.log.String(), "panic") {
		t.Error("a handler panicked")
	}
}

func TestForgedForms(t *testing.T) {
	b := setUp(t)
	mine := browser.New(browser.Config{})
	page := open(t, mine, b.offer())
	form, ok := page.Form("add")
	if !ok {
		t.Fatal("no form")
	}
	forged, err := mine.Submit(t.Context(), form, url.Values{"csrf": {"x"}})
	if err != nil || forged.Status != http.StatusForbidden {
		t.Errorf("status %d, %v", forged.Status, err)
	}
	if home := open(t, mine, b.base+"/"); !home.Has("empty") {
		t.Error("a forged form added a credential")
	}
}

func TestNewServerRefusesWhatIsMissing(t *testing.T) {
	if _, err := phone.NewServer(phone.Config{BaseURL: "wallet"}); err == nil {
		t.Error("a server without parts")
	}
}
