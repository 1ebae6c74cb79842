package oidf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/oidf"
	"regain/conformance/oidf/target"
)

// counterparts are our wallet and our issuer, without either.
type counterparts struct {
	oidf.Party // nobody asks for the rest
	fake       *fakeSuite
	wants      []string // pictures that the suite wants after a visit
	visited    string
	answered   target.Answered
	asked      target.Asked
	err        error
}

func (c *counterparts) Visit(ctx context.Context, address string) (*browser.Page, error) {
	c.visited = address
	page, err := browser.New(browser.Config{}).Open(ctx, address)
	if err == nil && !strings.Contains(address, "/test/") {
		c.fake.mu.Lock()
		defer c.fake.mu.Unlock()
		c.fake.wanted, c.fake.asked = c.wants, len(c.wants) > 0 || page.Has("shared") || page.Has("declined") || page.Status == http.StatusOK
	}
	return page, errors.Join(err, c.err)
}

func (c *counterparts) Ask(_ context.Context, wallet string, a target.Asked) (target.Answered, error) {
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	c.fake.wanted, c.asked = c.wants, a
	return c.answered, c.err
}

func (c *counterparts) Offer(_ context.Context, issuer, configuration string) (string, error) {
	return fmt.Sprintf("?offer=%s,%s,%d", issuer, configuration, len(c.fake.offers)), c.err
}

// driven runs the one module "driven", with our side and what the suite wants.
func driven(t *testing.T, d oidf.Drive, running func(suite string) any, c *counterparts) oidf.Outcome {
	t.Helper()
	fake, suite := setUp(t)
	fake.modules, fake.results = []string{"driven"}, map[string]string{"driven": "PASSED"}
	fake.running, fake.waits = running(fake.url), 1
	c.fake, suite.Party = fake, c
	p := plan(t)
	p.Drive = d
	o, err := suite.Run(t.Context(), p, nil, &bytes.Buffer{})
	if err != nil || len(o.Modules) != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	return o
}

// wallet serves a page of a wallet's with one element of that id.
func wallet(t *testing.T, id string, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<title>Wallet</title><h1 id=%q>said</h1>", id)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func problem(o oidf.Outcome) string {
	for _, f := range o.Modules[0].Findings {
		if f.Source == "runner" {
			return f.Message
		}
	}
	return ""
}

func links(list ...string) func(string) any {
	return func(string) any { return map[string]any{"browser": map[string]any{"urls": list}} }
}

func TestAWalletIsVisited(t *testing.T) {
	for id, c := range map[string]struct {
		wants   []string
		problem string
	}{
		"shared": {}, "declined": {}, "refused": {wants: []string{"one"}},
		"failed": {problem: `page "Wallet": said`},
	} {
		ours := &counterparts{wants: c.wants}
		o := driven(t, oidf.Drive{Present: "open"}, links(wallet(t, id, 200)), ours)
		if got := problem(o); (got == "") != (c.problem == "") || !strings.Contains(got, c.problem) || (ours.fake.picture != "") != (c.wants != nil) {
			t.Errorf("%s: %q, picture %.30q", id, got, ours.fake.picture)
		}
	}
	if o := driven(t, oidf.Drive{Present: "open"}, links(), &counterparts{}); problem(o) == "" {
		t.Error("nothing to visit")
	}
	if o := driven(t, oidf.Drive{Present: "open"}, links(wallet(t, "shared", 200)), &counterparts{err: errors.New("no way")}); !strings.Contains(problem(o), "no way") {
		t.Error(problem(o))
	}
}

// A wallet sends the browser back to a page whose script tells the suite the fragment.
func TestTheBrowserArrives(t *testing.T) {
	ours := &counterparts{}
	driven(t, oidf.Drive{Present: "open"}, func(suite string) any { return links(suite + "/test/callback#secret=1")(suite) }, ours)
	if !slices.Equal(ours.fake.posted, []string{"#secret=1"}) {
		t.Errorf("posted %q", ours.fake.posted)
	}
	o := driven(t, oidf.Drive{Present: "open"}, func(suite string) any { return links(suite + "/test/elsewhere")(suite) }, &counterparts{})
	if !strings.Contains(problem(o), "sends nothing") {
		t.Error(problem(o))
	}
}

func TestAWalletIsAskedThroughThePage(t *testing.T) {
	request := func(suite string) any {
		asked := map[string]any{"protocol": "openid4vp-v1-unsigned", "data": map[string]string{"nonce": "n"}}
		return map[string]any{"browser": map[string]any{"browserApiRequests": []any{map[string]any{
			"request": map[string]any{"digital": map[string]any{"requests": []any{asked}}}, "submitUrl": suite + "/test/submit",
		}}}}
	}
	ours := &counterparts{answered: target.Answered{Data: json.RawMessage(`{"vp_token":{}}`)}}
	o := driven(t, oidf.Drive{Present: "open"}, request, ours)
	if got := fmt.Sprint(ours.fake.posted); problem(o) != "" || got != `[{"data":{"vp_token":{}},"protocol":"openid4vp-v1-unsigned"}]` {
		t.Errorf("%s: posted %s", problem(o), got)
	}
	if ours.asked.Protocol != "openid4vp-v1-unsigned" || string(ours.asked.Data) != `{"nonce":"n"}` || !strings.HasPrefix(ours.asked.Origin, "http://") {
		t.Errorf("asked %+v", ours.asked)
	}
	ours = &counterparts{answered: target.Answered{Refusal: "invalid_request"}, wants: []string{"one"}}
	o = driven(t, oidf.Drive{Present: "open"}, request, ours)
	if problem(o) != "" || len(ours.fake.posted) != 1 || !strings.Contains(ours.fake.posted[0], `"exception"`) || ours.fake.picture == "" {
		t.Errorf("%s: posted %s, picture %.30q", problem(o), ours.fake.posted, ours.fake.picture)
	}
	elsewhere := func(suite string) any {
		text, _ := json.Marshal(request("https://elsewhere.example"))
		return json.RawMessage(text)
	}
	if o := driven(t, oidf.Drive{Present: "open"}, elsewhere, &counterparts{}); !strings.Contains(problem(o), "would post to https://elsewhere.example") {
		t.Error(problem(o))
	}
}

func TestAnOfferIsTakenUp(t *testing.T) {
	if o := driven(t, oidf.Drive{Accept: true}, links(wallet(t, "x", 200)), &counterparts{}); problem(o) != "" {
		t.Error(problem(o))
	}
	if o := driven(t, oidf.Drive{Accept: true}, links(wallet(t, "x", 502)), &counterparts{}); !strings.Contains(problem(o), "status 502") {
		t.Error(problem(o))
	}
	if o := driven(t, oidf.Drive{Accept: true}, links(), &counterparts{}); problem(o) == "" {
		t.Error("nothing to visit")
	}
}

// A module may want a second offer, and what it answers to one is for its log to explain.
func TestOffersAreBrought(t *testing.T) {
	waiting := func(suite string) any {
		return map[string]any{"exposed": map[string]string{"credential_offer_endpoint": suite + "/test/offer"}}
	}
	ours := &counterparts{}
	o := driven(t, oidf.Drive{Offer: oidf.Offered{Issuer: "ours", Configuration: "id"}}, waiting, ours)
	if want := []string{"offer=ours,id,0", "offer=ours,id,1"}; problem(o) != "" || !slices.Equal(ours.fake.offers, want) {
		t.Errorf("%s: brought %q", problem(o), ours.fake.offers)
	}
	o = driven(t, oidf.Drive{Offer: oidf.Offered{Issuer: "ours", Configuration: "id"}}, waiting, &counterparts{err: errors.New("no offers")})
	if !strings.Contains(problem(o), "no offers") {
		t.Error(problem(o))
	}
}
