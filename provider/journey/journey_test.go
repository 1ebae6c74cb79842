package journey_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/provider/facetest"
	"regain/provider/journey"
	"regain/recovery"
)

// proofing is a provider that hands out one URL.
type proofing struct{ fail error }

func (proofing) Name() string { return "Example Proofing" }

func (p proofing) URL(_ context.Context, reference, back string) (string, error) {
	return "https://proofing.example/start?" + url.Values{"reference": {reference}, "back": {back}}.Encode(), p.fail
}

// pages are the journey of one environment.
func pages(t *testing.T, client journey.Client, change func(*recovery.Profile)) *facetest.Env {
	t.Helper()
	e := facetest.New(t, func(p *recovery.Profile) {
		p.Proofing = "example"
		if change != nil {
			change(p)
		}
	})
	p, err := journey.New(journey.Deps{
		Issuer: facetest.Issuer, Web: e.Web, Binding: e.Binding, Recovery: e.Recovery, Changes: e.Transactions, Wallets: facetest.Wallets{}, Clock: e.Clock,
		Proofing: map[string]journey.Proofing{"example": proofing{}},
		Client:   func(context.Context, recovery.Transaction) (journey.Client, error) { return client, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Mount(e.Txn)
	return e
}

func idp() journey.Client {
	return journey.Client{Organisation: "Example Org", PolicyURI: "https://org.example/privacy", TermsURI: "https://org.example/terms"}
}

// Each state has its page, whatever address the browser came from.
func TestPages(t *testing.T) {
	mismatch := func(e *recovery.Evidence) { e.Claims = nil }
	evaluation := func(p *recovery.Profile) { p.Mode = recovery.ModeEvaluation }
	for name, row := range map[string]struct {
		change func(*recovery.Profile)
		client func(*journey.Client)
		walk   func(t *testing.T, e *facetest.Env, s *facetest.Started)
		has    []string
		lacks  []string
	}{
		"information": {has: []string{`id="have-verified-id"`, `id="get-verified-id"`, "Example Proofing", "a•••@example.org", "Example Org", "Create a passkey"}},
		"information, for a sign-in": {
			client: func(c *journey.Client) { c.SignsIn = true },
			has:    []string{"wants to know that it is really you"}, lacks: []string{"Create a passkey"},
		},
		"information, where the pass is shown": {client: func(c *journey.Client) { c.ShowsPass = true }, has: []string{"you see a pass, once"}},
		"information, without proofing":        {change: func(p *recovery.Profile) { p.Proofing = "" }, lacks: []string{`id="get-verified-id"`}},
		"proofing": {
			walk: func(_ *testing.T, e *facetest.Env, s *facetest.Started) {
				e.Post(s.Path("/proofing"), s.Form(nil), s.Cookie)
			},
			has: []string{"Get your Verified ID", "Example Proofing"},
		},
		"presentation": {
			walk: func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t) },
			has:  []string{`id="open-wallet"`, "Open Example Wallet", `id="qr"`, "flow=same_device", "flow=cross_device", "every 60 seconds", "Waiting for your wallet", "/events?seen="},
		},
		"answered, on the same device": {
			walk: func(t *testing.T, _ *facetest.Env, s *facetest.Started) {
				s.Ask(t).Answer(t, recovery.FlowSameDevice, nil)
			},
			has: []string{"Your wallet has answered. Come back through the page it opened"}, lacks: []string{`id="open-wallet"`, `id="code"`},
		},
		"answered, on another device": {
			walk: func(t *testing.T, _ *facetest.Env, s *facetest.Started) {
				s.Ask(t).Answer(t, recovery.FlowCrossDevice, nil)
			},
			has: []string{`id="code"`, "six digits"}, lacks: []string{`id="open-wallet"`},
		},
		"approved": {
			walk: func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t).Decide(t, nil) },
			has:  []string{"We confirmed it is you", `id="finish"`, "Continue to Example Org", "create a passkey"},
		},
		"approved, and the pass is shown": {
			client: func(c *journey.Client) { c.ShowsPass = true },
			walk:   func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t).Decide(t, nil) },
			has:    []string{`id="show-pass"`}, lacks: []string{`id="finish"`},
		},
		"evaluated": {
			change: evaluation,
			walk:   func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t).Decide(t, nil) },
			has:    []string{`id="evaluated"`, "would have been recovered", "Back to Example Org"},
		},
		"denied": {
			walk: func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t).Decide(t, mismatch) },
			has:  []string{`id="denied"`, "does not match this account", "help desk", "Back to Example Org"}, lacks: []string{"mismatch"},
		},
		"cancelled": {
			walk: func(_ *testing.T, e *facetest.Env, s *facetest.Started) {
				e.Post(s.Path("/cancel"), s.Form(nil), s.Cookie)
			},
			has: []string{`id="cancelled"`},
		},
		"expired": {
			walk: func(_ *testing.T, e *facetest.Env, _ *facetest.Started) { e.Turn(15 * time.Minute) },
			has:  []string{`id="expired"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := idp()
			if row.client != nil {
				row.client(&client)
			}
			e := pages(t, client, row.change)
			s := e.Start(t)
			if row.walk != nil {
				row.walk(t, e, s)
			}
			got := e.Get(s.Path(""), s.Cookie)
			body := got.Body.String()
			if got.Code != http.StatusOK || got.Header().Get("Cache-Control") != "no-store" || strings.Contains(body, "Lovelace") || strings.Contains(body, "ada@") {
				t.Errorf("%d: %s", got.Code, body)
			}
			for _, part := range append(row.has, "https://org.example/privacy", `id="reference"`) {
				if !strings.Contains(body, part) {
					t.Errorf("no %q on the page: %s", part, body)
				}
			}
			for _, part := range row.lacks {
				if strings.Contains(body, part) {
					t.Errorf("%q is on the page: %s", part, body)
				}
			}
		})
	}
}

// The proofing provider gets a reference that opens nothing here, and the address to come back to.
func TestLeaveForProofing(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t)
	got := e.Post(s.Path("/proofing"), s.Form(nil), s.Cookie)
	body := got.Body.String()
	if got.Code != http.StatusOK || !strings.Contains(body, "https://proofing.example/start?back=") || !strings.Contains(body, url.QueryEscape(facetest.Issuer+s.Path("/proofed"))) {
		t.Fatalf("%d: %s", got.Code, body)
	}
	if strings.Contains(body, s.Cookie.Value) {
		t.Error("the browser's secret leaves")
	}
	if got := e.Get(s.Path("/proofed?status=completed"), s.Cookie); got.Code != http.StatusSeeOther || s.Reload(t).State != recovery.StateInformed {
		t.Errorf("%d, %s", got.Code, s.State)
	}
}

func TestNoProofing(t *testing.T) {
	e := pages(t, idp(), func(p *recovery.Profile) { p.Proofing = "" })
	s := e.Start(t)
	if got := e.Post(s.Path("/proofing"), s.Form(nil), s.Cookie); got.Code != http.StatusConflict || s.Reload(t).State != recovery.StateStarted {
		t.Errorf("%d, %s", got.Code, s.State)
	}
}

// The wallet's redirect counts in the browser that started, and ends the recovery in any other one.
func TestWalletReturn(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t).Ask(t)
	code := s.Answer(t, recovery.FlowSameDevice, nil)
	if got := e.Get(s.Path("/return?response_code=wrong"), s.Cookie); got.Code != http.StatusSeeOther || s.Reload(t).State != recovery.StatePresented {
		t.Errorf("an old link: %d, %s", got.Code, s.State)
	}
	if got := e.Get(s.Path("/return?response_code=wrong"), nil); got.Code != http.StatusForbidden || s.Reload(t).State != recovery.StatePresented {
		t.Errorf("a stranger without the code: %d, %s", got.Code, s.State)
	}
	if got := e.Get(s.Path("/return?response_code="+code), s.Cookie); got.Code != http.StatusSeeOther || s.Reload(t).State != recovery.StateApproved {
		t.Errorf("%d, %s", got.Code, s.State)
	}
	led := e.Start(t).Ask(t)
	code = led.Answer(t, recovery.FlowSameDevice, nil)
	if got := e.Get(led.Path("/return?response_code="+code), s.Cookie); got.Code != http.StatusForbidden || led.Reload(t).State != recovery.StateCancelled {
		t.Errorf("led there by somebody else: %d, %s", got.Code, led.State)
	}
}

// The six digits are shown at the wallet's device to the holder of the response code, and typed where it began.
func TestConfirmation(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t).Ask(t)
	code := s.Answer(t, recovery.FlowCrossDevice, nil)
	digits := s.Presentation.Answer.Confirmation
	if got := e.Get(s.Path("/confirmation?response_code=wrong"), nil); got.Code != http.StatusForbidden || strings.Contains(got.Body.String(), digits[:3]+" "+digits[3:]) {
		t.Errorf("without the code: %d", got.Code)
	}
	if got := e.Get(s.Path("/confirmation"), nil); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "Nothing was shared") {
		t.Errorf("after declining: %d", got.Code)
	}
	got := e.Get(s.Path("/confirmation?response_code="+code), nil)
	for _, part := range []string{digits[:3] + " " + digits[3:], "a•••@example.org", "Example Org", "Firefox on Linux", "just now"} {
		if !strings.Contains(got.Body.String(), part) {
			t.Errorf("no %q: %s", part, got.Body)
		}
	}
	wrong := "000000"
	if digits == wrong {
		wrong = "000001"
	}
	if got := e.Post(s.Path("/confirm"), s.Form(url.Values{"code": {wrong}}), s.Cookie); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "That is not the code") {
		t.Errorf("a wrong code: %d", got.Code)
	}
	if got := e.Post(s.Path("/confirm"), s.Form(url.Values{"code": {digits[:3] + " - " + digits[3:]}}), s.Cookie); got.Code != http.StatusSeeOther || s.Reload(t).State != recovery.StateApproved {
		t.Errorf("the code as people type it: %d, %s", got.Code, s.State)
	}
}

func TestThreeWrongCodes(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t).Ask(t)
	s.Answer(t, recovery.FlowCrossDevice, nil)
	body := ""
	for range 3 {
		body = e.Post(s.Path("/confirm"), s.Form(url.Values{"code": {"wrong"}}), s.Cookie).Body.String()
	}
	if !strings.Contains(body, "no longer counts") || s.Reload(t).State != recovery.StateRequested {
		t.Errorf("%s: %s", s.State, body)
	}
}

// The pass is shown in answer to one form, to a client that cannot receive it, and never again.
func TestShowPass(t *testing.T) {
	client := idp()
	client.ShowsPass = true
	e := pages(t, client, nil)
	s := e.Start(t).Ask(t).Decide(t, nil)
	got := e.Post(s.Path("/pass"), s.Form(nil), s.Cookie)
	if !strings.Contains(got.Body.String(), "PASS2345") || !strings.Contains(got.Body.String(), "13:00 UTC on 24 November 2026") || got.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d: %s", got.Code, got.Body)
	}
	if again := e.Post(s.Path("/pass"), s.Form(nil), s.Cookie); again.Code != http.StatusSeeOther || strings.Contains(again.Body.String(), "PASS2345") {
		t.Errorf("again: %d", again.Code)
	}
	if page := e.Get(s.Path(""), s.Cookie); strings.Contains(page.Body.String(), "PASS2345") || !strings.Contains(page.Body.String(), "is not shown again") {
		t.Errorf("on the page: %s", page.Body)
	}
	if strings.Contains(e.Log.String(), "PASS2345") {
		t.Error("the pass is in the log")
	}
}

func TestShowPassIsForClientsThatCannotReceiveIt(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t).Ask(t).Decide(t, nil)
	if got := e.Post(s.Path("/pass"), s.Form(nil), s.Cookie); got.Code != http.StatusConflict || s.Reload(t).State != recovery.StateApproved {
		t.Errorf("%d, %s", got.Code, s.State)
	}
}

func TestQR(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t)
	if got := e.Get(s.Path("/qr.svg?wallet=any"), s.Cookie); got.Code != http.StatusConflict {
		t.Errorf("before anything is asked: %d", got.Code)
	}
	s.Ask(t)
	if got := e.Get(s.Path("/qr.svg?wallet=any"), s.Cookie); got.Code != http.StatusOK || got.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(got.Body.String(), "<path d=") {
		t.Errorf("%d: %.60s", got.Code, got.Body)
	}
	if got := e.Get(s.Path("/qr.svg?wallet=other"), s.Cookie); got.Code != http.StatusConflict {
		t.Errorf("a wallet that is not asked: %d", got.Code)
	}
}

// A page that shows something else than what is stored is told so at once.
func TestEvents(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t).Ask(t)
	if got := e.Get(s.Path("/events?seen=something-else"), s.Cookie); !strings.Contains(got.Body.String(), `"reload":true`) || got.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("%s", got.Body)
	}
	ctx, end := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Path("/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(s.Cookie)
	end() // the person left: one event, and the stream ends
	if got := e.Do(r); !strings.Contains(got.Body.String(), "Waiting for your wallet") || strings.Contains(got.Body.String(), `"reload":true`) {
		t.Errorf("%s", got.Body)
	}
}

// A wallet that cannot be reached is an error with a reference, and not half a page.
func TestAWalletThatCannotBeReached(t *testing.T) {
	e := facetest.New(t, nil)
	p, err := journey.New(journey.Deps{
		Issuer: facetest.Issuer, Web: e.Web, Binding: e.Binding, Recovery: e.Recovery, Changes: e.Transactions, Wallets: facetest.Wallets{Fail: errors.New("secret cause")}, Clock: e.Clock,
		Client: func(context.Context, recovery.Transaction) (journey.Client, error) { return idp(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Mount(e.Txn)
	s := e.Start(t).Ask(t)
	got := e.Get(s.Path(""), s.Cookie)
	if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "secret") || !strings.Contains(e.Log.String(), "secret cause") {
		t.Errorf("%d: %s", got.Code, got.Body)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := journey.New(journey.Deps{}); err == nil {
		t.Error("made of nothing")
	}
}
