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
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/phone"
	"regain/conformance/wallet/wallettest"
)

// olderBench is a phone between an issuer and a verifier of the JWT VC Presentation Profile, each
// under a name of its own on this machine and without certificates.
type olderBench struct {
	t        *testing.T
	base     string
	server   *phone.Server
	issuer   *authenticatortest.Issuer
	verifier *authenticatortest.Verifier
	log      *bytes.Buffer
	mine     *browser.Browser
}

func setUpOlder(t *testing.T) *olderBench {
	t.Helper()
	b := &olderBench{t: t, log: &bytes.Buffer{}}
	b.mine = browser.New(browser.Config{
		HTTPClient: wallet.NewHTTPClient(5 * time.Second), StopAt: func(u *url.URL) bool { return u.Host == "verifier.example" },
	})
	wallets, issuer, verifier := listen(t), listen(t), listen(t)
	b.base = wallets.URL
	var err error
	b.server, err = phone.NewServer(phone.Config{
		BaseURL: wallets.URL, People: phone.SamplePeople(rand.Reader), HTTPClient: wallet.NewHTTPClient(5 * time.Second), Clock: wallettest.Noon,
		Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(b.log, nil)), RequestAnchors: x509.NewCertPool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	wallets.Config.Handler = b.server.Handler()
	base, id := name(t, issuer, "issuer.localhost")
	b.issuer = authenticatortest.NewIssuer(t, authenticatortest.NewParty(t, id, "EdDSA"), base)
	issuer.Config.Handler = b.issuer
	base, id = name(t, verifier, "verifier.localhost")
	b.verifier = authenticatortest.NewVerifier(t, authenticatortest.NewParty(t, id, "ES256K"), base)
	verifier.Config.Handler = b.verifier
	return b
}

// name returns the address and the did:web of a server under a name.
func name(t *testing.T, server *httptest.Server, host string) (base, did string) {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + host + ":" + u.Port(), "did:web:" + host + "%3A" + u.Port()
}

// equip switches the phone on and puts a Verified ID into its authenticator.
func (b *olderBench) equip() {
	b.t.Helper()
	open(b.t, b.mine, b.base+"/")
	mine := b.server.Authenticators()[0]
	if _, err := mine.Import(b.t.Context(), b.issuer.Identity(mine.DID()), b.issuer.Source()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *olderBench) request() string {
	return b.base + "/authorize?" + url.Values{"request_uri": {b.verifier.Base + "/request/1"}}.Encode()
}

func TestSharingByTheOlderProfile(t *testing.T) {
	b := setUpOlder(t)
	b.equip()
	page := open(t, b.mine, b.request())
	for _, want := range []string{"Contoso Recovery", "To recover your account", "Verified: verifier.localhost", "Ada Lovelace", "Document type", "Passport", "Your portrait", "Face Check"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("the page does not say %q: %s", want, page.Text())
		}
	}
	if page.Has("unverified") || page.Has("share") {
		t.Errorf("the page says too much: %s", page.Text())
	}
	form, ok := page.Form("person-" + phone.SamplePeople(rand.Reader)[0].ID)
	if !ok {
		t.Fatalf("nobody to choose: %s", page.Text())
	}
	page, err := b.mine.Submit(t.Context(), form, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.verifier.Body = `{"redirect_uri":"https://verifier.example/done?response_code=abc"}`
	page = press(t, b.mine, page, "face-check")
	if page = press(t, b.mine, page, "share"); page.URL.String() != "https://verifier.example/done?response_code=abc" {
		t.Errorf("the browser is at %s: %s", page.URL, page.Text())
	}
	home := open(t, b.mine, b.base+"/")
	if !strings.Contains(home.Text(), "Ada Lovelace") || !strings.Contains(home.Text(), "from issuer.localhost") {
		t.Errorf("the card is not there: %s", home.Text())
	}
	if strings.Contains(b.log.String(), "Lovelace") {
		t.Error("the log names the person")
	}
}

// A code that was scanned warns of other screens, and one from a site that nobody vouches for of that.
func TestScanningByTheOlderProfile(t *testing.T) {
	b := setUpOlder(t)
	b.equip()
	b.verifier.Document = func(d map[string]any) { delete(d, "service") }
	form, ok := open(t, b.mine, b.base+"/").Form("scan")
	if !ok {
		t.Fatal("no scanner")
	}
	page, err := b.mine.Submit(t.Context(), form, url.Values{"url": {b.verifier.Address()}})
	if err != nil || !page.Has("scanned") || !page.Has("unverified") || page.Has("domain") {
		t.Fatalf("%v: %s", err, page.Text())
	}
	if page = press(t, b.mine, page, "decline"); !page.Has("done") || len(b.verifier.Posts) != 0 {
		t.Errorf("the verifier was told: %s", page.Text())
	}
}

func TestTheOlderProfileGoesWrong(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*olderBench)
		want  string
	}{
		"nothing held": {func(*olderBench) {}, "You do not have what is asked for"},
		"over": {func(b *olderBench) {
			b.verifier.Answer = func(w http.ResponseWriter, r *http.Request) bool {
				http.NotFound(w, r)
				return true
			}
		}, "This request is too old"},
		"untrusted": {func(b *olderBench) { b.verifier.Header = func(h map[string]any) { h["kid"] = "did:web:x.localhost#a" } }, "This request cannot be trusted"},
	} {
		b := setUpOlder(t)
		test.spoil(b)
		if page := open(t, b.mine, b.request()); !strings.Contains(page.Text(), test.want) || page.Has("share") {
			t.Errorf("%s: %s", name, page.Text())
		}
	}
}
