package oidf_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/oidf"
	"regain/conformance/oidf/target"
)

// party recovers accounts at the fake suite, without a server.
type party struct {
	oidf.Party // nobody asks for the rest
	fake       *fakeSuite
	account    string
	wants      []string // pictures that the suite then wants
	ending     target.Ending
	err        error
}

func (p *party) Recover(_ context.Context, account string) (target.Ending, error) {
	p.fake.mu.Lock()
	defer p.fake.mu.Unlock()
	p.account, p.fake.asked, p.fake.wanted = account, true, p.wants
	return p.ending, p.err
}

// page is one that a browser shows.
func page(t *testing.T) *browser.Page {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>A title</title><p>a text"))
	}))
	t.Cleanup(server.Close)
	shown, err := browser.New(browser.Config{}).Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

func TestARecoveryIsDriven(t *testing.T) {
	for name, c := range map[string]struct {
		succeeds bool
		wants    []string
		err      error
		problem  string // "" for none
	}{
		"a success is shown":                     {succeeds: true, wants: []string{"one", "two"}},
		"a refusal is not":                       {},
		"a success that the suite did not want":  {succeeds: true, problem: "wants 0 pictures of a success, and the page says: a text"},
		"a refusal of what was good":             {wants: []string{"one"}, problem: "wants 1 pictures"},
		"a recovery that does not get that far":  {err: errors.New("no such page"), problem: "no such page"},
		"a recovery that fails after a question": {wants: []string{"one"}, err: errors.New("no such page"), problem: "no such page"},
	} {
		t.Run(name, func(t *testing.T) {
			fake, suite := setUp(t)
			fake.modules, fake.results = []string{"driven"}, map[string]string{"driven": "PASSED"}
			p := &party{fake: fake, wants: c.wants, err: c.err, ending: target.Ending{Page: page(t), Succeeded: c.succeeds}}
			suite.Party = p
			driven := plan(t)
			driven.Drive.Recover = "j@example.org"
			o, err := suite.Run(t.Context(), driven, nil, &bytes.Buffer{})
			if err != nil || len(o.Modules) != 1 || p.account != "j@example.org" {
				t.Fatalf("%+v, %v, recovered %q", o, err, p.account)
			}
			if c.problem != "" {
				if findings := o.Modules[0].Findings; o.Problems() != 1 || len(findings) == 0 || !strings.Contains(findings[0].Message, c.problem) || len(fake.stopped) != 1 {
					t.Errorf("%+v, stopped %v", o.Modules[0], fake.stopped)
				}
				return
			}
			if o.Problems() != 0 || (fake.picture != "") != c.succeeds || len(fake.wanted) > 0 {
				t.Errorf("%+v, picture %.30q, still wanted %v", o.Modules[0], fake.picture, fake.wanted)
			}
			if encoded, drawn := strings.CutPrefix(fake.picture, "data:image/png;base64,"); c.succeeds {
				image, err := base64.StdEncoding.DecodeString(encoded)
				if err != nil || !drawn {
					t.Fatalf("picture %.30q: %v", fake.picture, err)
				}
				if _, err := png.Decode(bytes.NewReader(image)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
