package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet"
	"regain/internal/config"
)

// A request that nobody answered in its time is made anew when somebody comes back to it: the page is there, and the
// link on it, or the browser's button, works.
func TestARequestThatEnded(t *testing.T) {
	const life = time.Minute
	short := func(cfg *config.Config) { cfg.RequestLife = life }
	for name, row := range map[string]struct {
		wallet config.WalletConfig
		visit  func(t *testing.T, f *fixture) // makes the request
	}{
		"in the link":         {config.WalletConfig{ByValue: true}, func(*testing.T, *fixture) {}},
		"fetched":             {config.WalletConfig{}, func(t *testing.T, f *fixture) { f.review(t, f.browser.Current()) }},
		"through the browser": {config.WalletConfig{DigitalCredentials: []string{"signed"}}, func(t *testing.T, f *fixture) { f.requests(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &movingClock{}
			f := setUpWalletsAt(t, clock.now, short, row.wallet)
			page := f.asked(t)
			row.visit(t, f)
			clock.advance(life + time.Second)
			page, err := f.browser.Follow(t.Context(), page.URL.String())
			if f.must(t, page, err); page.Status != http.StatusOK || !page.Has("open-wallet") {
				t.Fatalf("%d %s", page.Status, page.Text())
			}
			if len(row.wallet.DigitalCredentials) > 0 {
				asked := f.requests(t)[0]
				f.recoversBy(t, asked, f.respond(t, asked, wallet.ShareOptions{}))
				return
			}
			f.recovers(t, page)
		})
	}
}

// A QR code that was scanned does not come back to life: it is short-lived, and its picture stays worthless.
func TestAScannedCodeEnds(t *testing.T) {
	const life = time.Minute
	clock := &movingClock{}
	f := setUpWalletsAt(t, clock.now, func(cfg *config.Config) {
		cfg.RequestLife = life
		for i := range cfg.Profiles {
			cfg.Profiles[i].CrossDevice.Allow = true
		}
	}, config.WalletConfig{})
	page := f.asked(t)
	code, _ := page.ByID("qr-text")
	if _, err := f.wallet.Scan(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	clock.advance(life + time.Second)
	asked, err := url.Parse(code)
	if err != nil {
		t.Fatal(err)
	}
	resp, body := f.send(t, http.MethodGet, asked.Query().Get("request_uri"), "", "")
	if resp.StatusCode != http.StatusGone || !strings.Contains(body, "expired") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
