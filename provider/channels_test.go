package provider_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
	"regain/internal/config"
)

// letterbox keeps what a wallet posts to a response URI while it is closed, instead of delivering it.
type letterbox struct {
	http.RoundTripper
	closed bool
	form   string
}

func (l *letterbox) RoundTrip(r *http.Request) (*http.Response, error) {
	if !l.closed || r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/openid4vp/response/") {
		return l.RoundTripper.RoundTrip(r)
	}
	form, err := io.ReadAll(r.Body)
	l.form = string(form)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{}`)), Request: r,
	}, err
}

// letter is what the wallet would post.
func (f *fixture) letter(t *testing.T, asked *wallet.Request) string {
	t.Helper()
	box, _ := f.Client.Transport.(*letterbox)
	box.closed, box.form = true, ""
	_, err := f.wallet.Share(t.Context(), asked, wallet.ShareOptions{})
	if box.closed = false; box.form == "" {
		t.Fatal("no answer came", err)
	}
	return box.form
}

// One wallet, one presentation attempt, three channels, each with a request of its own: an answer counts in the channel that
// it was asked in, and in no other, or a QR code that was relayed would be answered as if from the device that started.
// After the person asked anew it counts in none.
func TestAnswersInAnotherChannel(t *testing.T) {
	for name, row := range map[string]struct {
		wallet config.WalletConfig
		change func(*config.Config)
	}{
		"encrypted":              {config.WalletConfig{}, func(*config.Config) {}},
		"plain":                  {config.WalletConfig{ResponseMode: "direct_post"}, func(*config.Config) {}},
		"a licence, encrypted":   {config.WalletConfig{}, asksForLicences},
		"a licence, all plainly": {config.WalletConfig{ResponseMode: "direct_post"}, asksForLicences},
	} {
		t.Run(name, func(t *testing.T) {
			row.wallet.DigitalCredentials = []string{"signed"}
			f := setUpWallets(t, func(cfg *config.Config) {
				row.change(cfg)
				for i := range cfg.Profiles {
					cfg.Profiles[i].CrossDevice.Allow = true
				}
			}, row.wallet)
			f.Client.Transport = &letterbox{RoundTripper: f.Client.Transport}
			f.wallet = f.newWallet(t, request.Policy{Plain: true})
			f.triesChannels(t)
		})
	}
}

func (f *fixture) triesChannels(t *testing.T) {
	t.Helper()
	page := f.asked(t)
	same := f.review(t, page)
	code, _ := page.ByID("qr-text")
	cross, err := f.wallet.Scan(t.Context(), code)
	if err == nil {
		err = f.wallet.FaceCheck(t.Context(), cross.FaceCheckFor())
	}
	if err != nil {
		t.Fatal(err)
	}
	asked := f.requests(t)[0]
	fromSame, fromCross, fromBrowser := f.letter(t, same), f.letter(t, cross), f.respond(t, asked, wallet.ShareOptions{})

	status := func(uri, form string) int {
		resp, _ := f.send(t, http.MethodPost, uri, formType, form)
		return resp.StatusCode
	}
	script := func(data string) int {
		status, _ := f.script(t, "response", url.Values{"wallet": {"default"}, "protocol": {asked.Protocol}, "data": {data}})
		return status
	}
	for name, got := range map[string]int{
		"this device's, at the other's": status(cross.ResponseURI(), fromSame),
		"the other's, at this device's": status(same.ResponseURI(), fromCross),
		"the browser's, at a wallet's":  status(same.ResponseURI(), asForm(t, fromBrowser)),
		"the browser's, at the other's": status(cross.ResponseURI(), asForm(t, fromBrowser)),
		"a wallet's, at the browser's":  script(asData(t, fromSame)),
		"the other's, at the browser's": script(asData(t, fromCross)),
	} {
		if got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	f.press(t, f.browser.Current(), "again")
	for name, got := range map[string]int{
		"this device's": status(same.ResponseURI(), fromSame), "the other's": status(cross.ResponseURI(), fromCross),
		"the browser's": script(fromBrowser), // whose channel has another handle now, and no request
	} {
		if got != http.StatusNotFound {
			t.Errorf("after the person asked anew, %s: %d", name, got)
		}
	}
	f.requests(t)
	if got := script(fromBrowser); got != http.StatusBadRequest {
		t.Errorf("after the browser asked anew: %d", got)
	}
	f.recovers(t, f.browser.Current())
}

// A stranger who keeps sending invalid responses to a link has its channel closed; the page stays, and asks anew.
func TestInvalidResponsesAreBounded(t *testing.T) {
	for name, row := range map[string]config.WalletConfig{"by reference": {}, "in the link": {ByValue: true}} {
		t.Run(name, func(t *testing.T) {
			f := setUpWallets(t, nil, row)
			page := f.asked(t)
			target := f.review(t, page).ResponseURI()
			last, n := 0, 0
			for ; last != http.StatusGone && n < 1000; n++ {
				resp, _ := f.send(t, http.MethodPost, target, formType, "response=x")
				last = resp.StatusCode
			}
			if n != 101 {
				t.Errorf("closed after %d", n)
			}
			f.reloads(t, page)
			page, err := f.browser.Follow(t.Context(), page.URL.String())
			if f.must(t, page, err); page.Status != http.StatusOK || page.Has("open-wallet") || page.Has("closed") == page.Has("qr") {
				t.Fatalf("%d %s", page.Status, page.Text())
			}
			f.recovers(t, f.press(t, page, "again"))
		})
	}
}

// asForm writes what came through a browser as a wallet would post it.
func asForm(t *testing.T, data string) string {
	t.Helper()
	form := url.Values{"state": {"x"}}
	for name, value := range decoded(t, data) {
		if text, ok := value.(string); ok {
			form.Set(name, text)
		} else {
			form.Set(name, encoded(t, value))
		}
	}
	return form.Encode()
}

// asData writes what a wallet posted as it would have come through a browser.
func asData(t *testing.T, form string) string {
	t.Helper()
	posted, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	if posted.Has("response") {
		return encoded(t, map[string]any{"response": posted.Get("response")})
	}
	return encoded(t, map[string]any{"vp_token": decoded(t, posted.Get("vp_token"))})
}

func decoded(t *testing.T, text string) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
