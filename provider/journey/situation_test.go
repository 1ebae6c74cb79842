package journey_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/provider/facetest"
	"regain/provider/journey"
	"regain/provider/web"
	"regain/recovery"
	"regain/storage"
)

// standing puts a transaction into a state, as a walk that the tests of the domain take would have.
func standing(t *testing.T, e *facetest.Env, change func(*recovery.Transaction)) *facetest.Started {
	t.Helper()
	s := e.Start(t)
	tx := s.Reload(t)
	change(&tx)
	if _, err := storage.NewTransactions(e.Store).Update(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	return s
}

// shown is the page of a transaction, without what is new on each.
func shown(e *facetest.Env, s *facetest.Started) string {
	body := e.Get(s.Path(""), s.Cookie).Body.String()
	body = strings.ReplaceAll(body, string(s.ID), "TXN")
	return regexp.MustCompile(`(name="csrf" value="|id="reference">|events\?seen=)[^"<]*`).ReplaceAllString(body, "$1")
}

// checkEnd checks that a page says what its situation says, once, with one next step and the reference.
func checkEnd(t *testing.T, name, body string, s web.Situation, client journey.Client) {
	t.Helper()
	words := s.Of(client.Organisation)
	heading := regexp.MustCompile(`(?s)<h1>(.*?)</h1>`).FindAllStringSubmatch(body, -1)
	text := strings.NewReplacer("&#39;", "'", "&#34;", `"`).Replace(body)
	if len(heading) != 1 || !strings.Contains(text, "<h1>"+words.Heading+"</h1>") || !strings.Contains(text, "<title>"+words.Heading+" · Example Org</title>") || !strings.Contains(text, words.Text) {
		t.Errorf("%s, %s: heading %q: %s", name, s, heading, text)
	}
	main := regexp.MustCompile(`class="(?:button )?main"[^>]*>([^<]*)<`).FindAllStringSubmatch(text, -1)
	if len(main) != 1 || words.Button != "" && main[0][1] != words.Button {
		t.Errorf("%s, %s: buttons %q, want %q", name, s, main, words.Button)
	}
	if !strings.Contains(body, `id="reference"`) {
		t.Errorf("%s: no reference", name)
	}
	for _, other := range web.Situations() {
		if h := other.Of(client.Organisation).Heading; h != words.Heading && strings.Contains(text, ">"+h+"<") {
			t.Errorf("%s, %s: has the heading of %s", name, s, other)
		}
	}
	for _, next := range words.Next {
		if !strings.Contains(text, next) {
			t.Errorf("%s, %s: does not say %q", name, s, next)
		}
	}
}

// Every reason for a denial has its own page, and those that depend on the account have one and the same.
func TestEveryDenialHasItsOwnWords(t *testing.T) {
	e := pages(t, idp(), nil)
	situations := map[recovery.PublicReason]web.Situation{
		recovery.PublicNotVerified: web.NotVerified, recovery.PublicFaceCheck: web.FaceCheck, recovery.PublicCredential: web.CredentialBad,
		recovery.PublicNetwork: web.FarAway, recovery.PublicTooManyAttempts: web.TooMany, recovery.PublicUnavailable: web.Unavailable,
	}
	alike := map[recovery.PublicReason]string{}
	for _, reason := range append(recovery.Reasons(), recovery.ReasonNone, "a reason of the future") {
		s := standing(t, e, func(tx *recovery.Transaction) {
			tx.State, tx.Decision = recovery.StateDenied, &recovery.Decision{Outcome: recovery.OutcomeDenied, Reason: reason}
		})
		body := shown(e, s)
		checkEnd(t, string(reason), body, situations[reason.Public()], idp())
		if other, seen := alike[reason.Public()]; seen && other != body {
			t.Errorf("%s is told apart from others that are %s", reason, reason.Public())
		}
		alike[reason.Public()] = body
		if reason != recovery.ReasonNone && reason != recovery.ReasonTooManyAttempts && strings.Contains(body, string(reason)) {
			t.Errorf("%s is on the page", reason)
		}
	}
	if len(alike) != len(situations) {
		t.Errorf("%d public reasons were met", len(alike))
	}
}

// Every other end has its own page too.
func TestEveryEndHasItsOwnWords(t *testing.T) {
	screen := idp()
	screen.ShowsPass = true
	for name, row := range map[string]struct {
		client    journey.Client
		situation web.Situation
		change    func(*recovery.Transaction)
	}{
		"approved":           {idp(), web.Approved, func(tx *recovery.Transaction) { tx.State = recovery.StateApproved }},
		"approved, screen":   {screen, web.PassReady, func(tx *recovery.Transaction) { tx.State = recovery.StateApproved }},
		"evaluated":          {idp(), web.Evaluated, func(tx *recovery.Transaction) { tx.State = recovery.StateEvaluated }},
		"issuing":            {idp(), web.PassLost, func(tx *recovery.Transaction) { tx.State = recovery.StateIssuing }},
		"issuing, screen":    {screen, web.PassNotMade, func(tx *recovery.Transaction) { tx.State = recovery.StateIssuing }},
		"signed in":          {idp(), web.Returned, func(tx *recovery.Transaction) { tx.State, tx.CodeRedeemedAt = recovery.StateApproved, tx.StartedAt }},
		"redeemed":           {idp(), web.Returned, func(tx *recovery.Transaction) { tx.State = recovery.StateRedeemed }},
		"shown":              {screen, web.PassShown, func(tx *recovery.Transaction) { tx.State = recovery.StateRedeemed }},
		"shown and returned": {screen, web.Returned, func(tx *recovery.Transaction) { tx.State, tx.CodeRedeemedAt = recovery.StateRedeemed, tx.StartedAt }},
		"cancelled":          {idp(), web.Cancelled, func(tx *recovery.Transaction) { tx.State = recovery.StateCancelled }},
		"ended elsewhere":    {idp(), web.EndedElsewhere, func(tx *recovery.Transaction) { tx.State, tx.EndedElsewhere = recovery.StateCancelled, true }},
		"expired":            {idp(), web.Expired, func(tx *recovery.Transaction) { tx.State = recovery.StateExpired }},
	} {
		e := pages(t, row.client, nil)
		checkEnd(t, name, shown(e, standing(t, e, row.change)), row.situation, row.client)
	}
}

// What a wallet did, or did not, has its own words while the recovery is open, on the page and in its events.
func TestEveryTurnOfAWalletHasItsOwnWords(t *testing.T) {
	answer := func(a recovery.Answer) func(*recovery.Transaction) {
		return func(tx *recovery.Transaction) {
			tx.State, tx.Presentation.Answer = recovery.StatePresented, &a
		}
	}
	for name, row := range map[string]struct {
		situation web.Situation
		progress  string // "" for a page without
		change    func(*recovery.Transaction)
	}{
		"declined":  {web.Declined, "Waiting for another answer", func(tx *recovery.Transaction) { tx.Presentation.WalletError = "access_denied" }},
		"a problem": {web.WalletProblem, "Waiting for another answer", func(tx *recovery.Transaction) { tx.Presentation.WalletError = "invalid_request" }},
		"a problem, opened": {web.Declined, "Waiting for another answer", func(tx *recovery.Transaction) {
			tx.State, tx.Presentation.WalletError, tx.Presentation.Requests[0].Request = recovery.StateRetrieved, "access_denied", []byte("{}")
		}},
		"all closed": {web.Closed, "No wallet can answer", func(tx *recovery.Transaction) {
			for i := range tx.Presentation.Requests {
				tx.Presentation.Requests[i].Closed = true
			}
		}},
		"come back":  {web.ComeBack, "Come back through the page", answer(recovery.Answer{Flow: recovery.FlowSameDevice})},
		"type code":  {web.TypeCode, "", answer(recovery.Answer{Flow: recovery.FlowCrossDevice, Confirmation: "123456"})},
		"was it you": {web.WasItYou, "", answer(recovery.Answer{Flow: recovery.FlowCrossDevice, NoRedirectBack: true})},
	} {
		e := pages(t, idp(), nil)
		s := e.Start(t).Ask(t)
		tx := s.Reload(t)
		row.change(&tx)
		if _, err := storage.NewTransactions(e.Store).Update(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		body := shown(e, s)
		if row.situation == web.ComeBack { // its next step is in the wallet, and the button to start over is not the main one
			body = strings.Replace(body, `<button id="again"`, `<button class="main" id="again"`, 1)
		}
		checkEnd(t, name, body, row.situation, idp())
		if row.progress != "" && !regexp.MustCompile(`id="progress"[^>]*>[^<]*`+row.progress).MatchString(body) {
			t.Errorf("%s: no %q: %s", name, row.progress, body)
		}
		if strings.Contains(body, "Opened in your wallet") || strings.Contains(body, "Waiting for your wallet") {
			t.Errorf("%s: says that a wallet is at it: %s", name, body)
		}
	}
}

// A page says which way was closed, where others are open.
func TestTheClosedWayIsTold(t *testing.T) {
	for i, what := range []string{"The link to a wallet on this device was closed", "The QR code was closed"} {
		e := pages(t, idp(), nil)
		s := e.Start(t).Ask(t)
		open, err := e.Recovery.Find(t.Context(), s.Handle([]recovery.Flow{recovery.FlowSameDevice, recovery.FlowCrossDevice}[i]))
		if err != nil {
			t.Fatal(err)
		}
		before := shown(e, s)
		for range 100 {
			if err := e.Recovery.CountInvalidResponse(t.Context(), open); err != nil {
				t.Fatal(err)
			}
		}
		body := shown(e, s)
		if strings.Contains(before, "was closed") || strings.Count(body, "was closed") != 1 || !strings.Contains(body, what) || !strings.Contains(body, "Waiting for your wallet") {
			t.Errorf("%s: %s", what, body)
		}
		for _, id := range []string{`id="open-wallet"`, `id="qr"`} {
			if strings.Contains(body, id) == (id == []string{`id="open-wallet"`, `id="qr"`}[i]) {
				t.Errorf("%s: %s", what, body)
			}
		}
	}
}

// A button that was pressed twice, or that Back, another tab or a restart brought up again, leads to the page that says where
// things stand, and changes nothing.
func TestButtonsOfPagesThatAreOver(t *testing.T) {
	states := map[string]func(t *testing.T, e *facetest.Env, s *facetest.Started){
		"decided": func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t).Decide(t, nil) },
		"denied": func(t *testing.T, _ *facetest.Env, s *facetest.Started) {
			s.Ask(t).Decide(t, func(e *recovery.Evidence) { e.Claims = nil })
		},
		"cancelled": func(_ *testing.T, e *facetest.Env, s *facetest.Started) {
			e.Post(s.Path("/cancel"), s.Form(nil), s.Cookie)
		},
		"expired": func(_ *testing.T, e *facetest.Env, _ *facetest.Started) { e.Turn(20 * time.Minute) },
		"asked":   func(t *testing.T, _ *facetest.Env, s *facetest.Started) { s.Ask(t) },
	}
	for name, reach := range states {
		for _, button := range []string{"/ask", "/cancel", "/proceed", "/confirm", "/proofing", "/return?response_code=old", "/proofed?status=completed"} {
			if name == "asked" && slices.Contains([]string{"/ask", "/cancel", "/proofing"}, button) {
				continue // these are steps then
			}
			e := pages(t, idp(), nil)
			s := e.Start(t)
			reach(t, e, s)
			before := s.Reload(t)
			got := e.Post(s.Path(button), s.Form(url.Values{"code": {"123456"}}), s.Cookie)
			if strings.Contains(button, "?") {
				got = e.Get(s.Path(button), s.Cookie)
			}
			if got.Code != http.StatusSeeOther || got.Header().Get("Location") != s.Path("") {
				t.Errorf("%s, %s: %d %s", name, button, got.Code, got.Body)
			}
			if after := s.Reload(t); after.State != before.State || after.Version != before.Version || fmt.Sprint(after.Decision) != fmt.Sprint(before.Decision) {
				t.Errorf("%s, %s: %s is now %s", name, button, before.State, after.State)
			}
		}
	}
}

// The wallet's device and a browser that the wallet opened have words of their own.
func TestWordsElsewhere(t *testing.T) {
	e := pages(t, idp(), nil)
	s := e.Start(t).Ask(t)
	code := s.Answer(t, recovery.FlowCrossDevice, nil)
	s.Ask(t)
	if got := e.Get(s.Path("/confirmation?response_code="+code), nil); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "There is no code to show here") {
		t.Errorf("a code that is over: %d %s", got.Code, got.Body)
	}
	code = s.Answer(t, recovery.FlowSameDevice, nil)
	if got := e.Get(s.Path("/return?response_code="+code), nil); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "Your wallet opened another browser") {
		t.Errorf("brought back elsewhere: %d %s", got.Code, got.Body)
	}
	if body := shown(e, s); !strings.Contains(body, "Your wallet came back to another browser") || strings.Contains(body, "You cancelled") {
		t.Errorf("where it began: %s", body)
	}
	if got := e.Get(s.Path(""), nil); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "needs a cookie") {
		t.Errorf("without a cookie: %d %s", got.Code, got.Body)
	}
}

// What the page says to do is there to be done, whichever ways were closed and whatever a wallet said: "below" there is a link
// or a QR code, also for a browser that runs no scripts or knows no Digital Credentials API, and one next step is a button.
func TestWordsFitTheWaysThatAreLeft(t *testing.T) {
	flows := []recovery.Flow{recovery.FlowBrowser, recovery.FlowSameDevice, recovery.FlowCrossDevice}
	hidden := regexp.MustCompile(`(?s)<section id="digital-credentials".*?</section>`)
	for has := 1; has < 1<<len(flows); has++ {
		var channels []recovery.Channel
		for i, flow := range flows {
			if has&(1<<i) != 0 {
				channels = append(channels, recovery.Channel{Wallet: "any", Flow: flow})
			}
		}
		if !slices.ContainsFunc(channels, func(c recovery.Channel) bool { return c.Flow == recovery.FlowSameDevice }) {
			continue // every wallet has a link
		}
		for closed := range 1 << len(channels) {
			for _, walletError := range []string{"", "access_denied", "invalid_request"} {
				e := pages(t, idp(), func(p *recovery.Profile) { p.Channels = channels })
				s := e.Start(t).Ask(t)
				tx := s.Reload(t)
				tx.Presentation.WalletError = walletError
				var left []recovery.Flow
				for i := range tx.Presentation.Requests {
					if tx.Presentation.Requests[i].Closed = closed&(1<<i) != 0; !tx.Presentation.Requests[i].Closed {
						left = append(left, tx.Presentation.Requests[i].Flow)
					}
				}
				if _, err := storage.NewTransactions(e.Store).Update(t.Context(), tx); err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("of %v are left %v, wallet says %q", channels, left, walletError)
				page := shown(e, s)
				body := hidden.ReplaceAllString(page, "")
				ways := strings.Contains(body, `id="open-wallet"`) || strings.Contains(body, `id="qr"`)
				if ways != slices.ContainsFunc(left, func(f recovery.Flow) bool { return f != recovery.FlowBrowser }) {
					t.Errorf("%s: ways to a wallet are shown: %t", name, ways)
				}
				if !ways && (strings.Contains(page, "below") || strings.Contains(body, "Waiting for")) {
					t.Errorf("%s: %s", name, page)
				}
				if main := strings.Count(body, `class="main" id="again"`); !ways && main != 1 || strings.Count(body, `id="again"`) != 1 {
					t.Errorf("%s: asking anew is the next step %d times", name, main)
				}
				if strings.Contains(page, "No wallet can answer") != (len(left) == 0) {
					t.Errorf("%s: %s", name, page)
				}
			}
		}
	}
}
