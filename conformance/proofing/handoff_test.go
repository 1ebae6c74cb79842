package proofing_test

import (
	"crypto/ecdsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/proofing"
)

// handoff is a good hand-off with some claims changed.
func (b *bench) handoff(key *ecdsa.PrivateKey, typ, kid string, change map[string]any) string {
	b.t.Helper()
	claims := map[string]any{
		"iss": b.regain, "aud": b.StartURL(), "iat": b.now.Unix(), "exp": b.now.Add(5 * time.Minute).Unix(), "jti": "once", "OrgId": "Example",
		"RequestId": "reference", "redirectUrl": b.regain + "/recover/txn/proofed",
	}
	for name, value := range change {
		claims[name] = value
	}
	options := map[string]any{"typ": typ, "kid": kid}
	return b.StartURL() + "?" + url.Values{"token": {sign(b.t, key, options, claims)}}.Encode()
}

const handoffType = "proofing-handoff+jwt"

func (b *bench) open(address string) *browser.Page {
	b.t.Helper()
	page, err := b.newBrowser().Open(b.t.Context(), address)
	if err != nil {
		b.t.Fatal(err)
	}
	return page
}

func (b *bench) newBrowser() *browser.Browser {
	return browser.New(browser.Config{
		Clock: func() time.Time { return b.now }, StopAt: func(u *url.URL) bool { return strings.HasPrefix(u.String(), b.regain) },
	})
}

func TestHandoff(t *testing.T) {
	b := setUp(t)
	address := b.handoff(b.key, handoffType, "regain", nil)
	person := b.newBrowser()
	page, err := person.Open(t.Context(), address)
	if err != nil || !page.Has("agree") || strings.Contains(page.URL.String(), "token") {
		t.Fatalf("%s: %s, %v", page.URL, page.Text(), err)
	}
	if again, err := person.Open(t.Context(), address); err != nil || !again.Has("agree") {
		t.Errorf("the same browser again: %s, %v", again.Text(), err)
	}
	if other := b.open(address); other.Attr("problem", "data-problem") != "handoff" {
		t.Errorf("a second use: %s", other.Text())
	}
	form, ok := page.Form("cancel")
	if !ok {
		t.Fatal("no way out")
	}
	back, err := person.Submit(t.Context(), form, nil)
	if err != nil || back.URL.String() != b.regain+"/recover/txn/proofed?request_id=reference&status=cancelled" {
		t.Errorf("back at %v, %v", back, err)
	}
}

// Each row starts from a good hand-off and breaks one thing.
func TestHandoffsThatAreRefused(t *testing.T) {
	for name, make := range map[string]func(b *bench) string{
		"typ":         func(b *bench) string { return b.handoff(b.key, "JWT", "regain", nil) },
		"kid":         func(b *bench) string { return b.handoff(b.key, handoffType, "other", nil) },
		"another key": func(b *bench) string { return b.handoff(newKey(b.t), handoffType, "regain", nil) },
		"iss": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"iss": "https://x.example"})
		},
		"aud": func(b *bench) string { return b.handoff(b.key, handoffType, "regain", map[string]any{"aud": b.base}) },
		"expired": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"exp": b.now.Unix()})
		},
		"no exp": func(b *bench) string { return b.handoff(b.key, handoffType, "regain", map[string]any{"exp": nil}) },
		"lives long": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"exp": b.now.Add(time.Hour).Unix()})
		},
		"from long ago": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"iat": b.now.Add(-time.Hour).Unix()})
		},
		"no jti": func(b *bench) string { return b.handoff(b.key, handoffType, "regain", map[string]any{"jti": nil}) },
		"no request": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"RequestId": nil})
		},
		"long request": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"RequestId": strings.Repeat("x", 300)})
		},
		"elsewhere": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"redirectUrl": "https://evil.example/"})
		},
		"a script": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"redirectUrl": "javascript:alert(1)"})
		},
		"with a user": func(b *bench) string {
			return b.handoff(b.key, handoffType, "regain", map[string]any{"redirectUrl": strings.Replace(b.regain, "://", "://me@", 1)})
		},
		"nothing": func(b *bench) string { return b.StartURL() },
		"rubbish": func(b *bench) string { return b.StartURL() + "?token=a.b.c" },
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			page := b.open(make(b))
			if page.Attr("problem", "data-problem") != "handoff" || page.Status != http.StatusBadRequest {
				t.Errorf("status %d: %s", page.Status, page.Text())
			}
		})
	}
}

// A document and a face, by pages without scripts, end in an offer; the selfie of somebody else does not.
func TestJourney(t *testing.T) {
	b := setUp(t)
	person := b.newBrowser()
	page, err := person.Open(t.Context(), b.handoff(b.key, handoffType, "regain", nil))
	if err != nil {
		t.Fatal(err)
	}
	press := func(id string, change url.Values) {
		t.Helper()
		page = press(t, person, page, id, change)
	}
	press("agree", nil)
	press("person-ada.lindqvist", nil)
	press("confirm", nil)
	press("take-selfie", url.Values{"light": {"poor"}})
	if !page.Has("mismatch") {
		t.Errorf("a selfie in poor light: %s", page.Text())
	}
	press("take-selfie", url.Values{"light": {"good"}})
	if link, ok := page.Link("wallet-link"); !ok || !strings.HasPrefix(link, "https://wallet.example/offer?credential_offer_uri=") {
		t.Errorf("no offer: %s", page.Text())
	}
	if stranger := b.open(page.URL.String()); stranger.Has("wallet-link") {
		t.Error("another browser sees the offer")
	}
	forged, ok := page.Form("cancel")
	if !ok {
		t.Fatal("no way out")
	}
	if page, err = person.Submit(t.Context(), forged, url.Values{"csrf": {"x"}}); err != nil || page.Attr("problem", "data-problem") != "form" {
		t.Errorf("a forged form: %s, %v", page.Text(), err)
	}
}

func press(t *testing.T, person *browser.Browser, page *browser.Page, id string, change url.Values) *browser.Page {
	t.Helper()
	form, ok := page.Form(id)
	if !ok {
		t.Fatalf("page %q has no %s", page.Title, id)
	}
	next, err := person.Submit(t.Context(), form, change)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// Only who sees the page, and not just its QR code, gets the documents. Guessing ends the offer.
func TestJourneyWithATransactionCode(t *testing.T) {
	b := setUpWith(t, func(c *proofing.Config) {
		c.TransactionCode, c.Offers = true, []string{proofing.ConfigurationID, proofing.LicenceID}
	})
	person := b.newBrowser()
	page := press(t, person, b.arrive(person), "take-selfie", url.Values{"light": {"good"}})
	if code, ok := page.ByID("tx-code"); !ok || len(code) != 6 {
		t.Fatalf("no code for the person's eyes: %s", page.Text())
	}
	for range 3 {
		if status, _ := b.redeem(page, "000000x"); status != http.StatusBadRequest {
			t.Fatalf("a guess: %d", status)
		}
	}
	page, err := person.Open(t.Context(), b.base+"/journey")
	if err != nil || !page.Has("renew") {
		t.Fatalf("after three guesses: %s, %v", page.Text(), err)
	}
	page = press(t, person, page, "renew", nil)
	code, _ := page.ByID("tx-code")
	if status, answer := b.redeem(page, code); status != http.StatusOK {
		t.Errorf("with the code of the page: %d %v", status, answer)
	}
}

// redeem is what a wallet does with the page's link and the code that was typed into it.
func (b *bench) redeem(page *browser.Page, typed string) (int, map[string]any) {
	b.t.Helper()
	link, _ := page.Link("wallet-link")
	u, err := url.Parse(link)
	if err != nil {
		b.t.Fatal(err)
	}
	form := tokenForm(b.codeAt(u.Query().Get("credential_offer_uri")))
	form.Set("tx_code", typed)
	return b.post("/token", formType, "", form.Encode())
}

// arrive goes as far as the selfie.
func (b *bench) arrive(person *browser.Browser) *browser.Page {
	b.t.Helper()
	page, err := person.Open(b.t.Context(), b.handoff(b.key, handoffType, "regain", nil))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, id := range []string{"agree", "person-ada.lindqvist", "confirm"} {
		page = press(b.t, person, page, id, nil)
	}
	return page
}
