package provider_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/storage/mongo/mongotest"
)

// The same request with the same assertion, many times at once, gets something once, at every endpoint where clients
// authenticate: all others hear that the client is not authenticated, whatever came of the rest of the request.
func TestAnAssertionShownManyTimesAtOnce(t *testing.T) {
	for _, store := range []string{"memory", "file"} {
		t.Run(store, func(t *testing.T) {
			f := setUpEnv(t, testenv.Options{Store: store})
			code := f.approvedCode(t)
			for _, row := range []struct {
				path string
				form url.Values
			}{
				{"/par", url.Values{
					"response_type": {"code"}, "client_id": {"program"}, "redirect_uri": {testenv.ProgramRedirect}, "scope": {"openid recovery"}, "login_hint": {"ada.lindqvist@example.org"},
					"nonce": {"nonce"}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
				}},
				{"/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {testenv.ProgramRedirect}, "code_verifier": {f.attempt.Verifier}}},
				{"/introspect", url.Values{"token": {"a"}}},
				{"/revoke", url.Values{"token": {"a"}}},
				{"/pass/verify", url.Values{"account": {"ada.lindqvist@example.org"}, "pass": {"ABCDEFGHJKLM"}}},
			} {
				assertion, err := f.RP.Assertion("once at " + row.path)
				if err != nil {
					t.Fatal(err)
				}
				row.form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
				row.form.Set("client_assertion", assertion)
				answers := f.sendManyTimes(t, row.path, row.form)
				good := 0
				for _, a := range answers {
					switch {
					case a.status < http.StatusMultipleChoices:
						good++
					case a.status != http.StatusUnauthorized || !strings.Contains(a.body, "invalid_client"):
						t.Errorf("%s: %d %s", row.path, a.status, a.body)
					}
				}
				if good != 1 {
					t.Errorf("%s: %d of %d got something", row.path, good, len(answers))
				}
			}
			if issued := issuings(audited(t, f, "ada.lindqvist@example.org"), ""); issued != 1 {
				t.Errorf("%d passes", issued)
			}
		})
	}
}

type heard struct {
	status int
	body   string
}

// sendManyTimes posts a form many times at once.
func (f *fixture) sendManyTimes(t *testing.T, path string, form url.Values) []heard {
	t.Helper()
	return f.sendAtOnce(t, slices.Repeat([]posted{{path, form}}, 16))
}

// posted is a form, and where it is posted to.
type posted struct {
	path string
	form url.Values
}

// sendAtOnce posts forms at once.
func (f *fixture) sendAtOnce(t *testing.T, forms []posted) []heard {
	t.Helper()
	answers := make([]heard, len(forms))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i, p := range forms {
		all.Go(func() {
			<-start
			resp, body := f.send(t, http.MethodPost, f.Regain+p.path, formType, p.form.Encode())
			answers[i] = heard{resp.StatusCode, body}
		})
	}
	close(start)
	all.Wait()
	return answers
}

// One assertion at every endpoint at the same moment gets something at one of them. The endpoints commit it with different
// changes, or with none, which must not make two of it; neither must a database that loses its answers.
func TestAnAssertionShownAtEveryEndpointAtOnce(t *testing.T) {
	for name, set := range map[string]func() (f *fixture, lose func()){
		"memory": func() (*fixture, func()) { return setUpEnv(t, testenv.Options{Store: "memory"}), func() {} },
		"file":   func() (*fixture, func()) { return setUpEnv(t, testenv.Options{Store: "file"}), func() {} },
		"mongo": func() (*fixture, func()) {
			m := setUpMongo(t, 10*time.Second)
			return m.fixture, func() {
				for _, command := range []string{"insert", "update", "findAndModify"} {
					m.proxy.Inject(mongotest.Fault{Command: command, Do: mongotest.Lost, Times: 2})
				}
			}
		},
	} {
		f, lose := set()
		for round := range 2 {
			assertion, err := f.RP.Assertion(fmt.Sprintf("everywhere, in %s, %d", name, round))
			if err != nil {
				t.Fatal(err)
			}
			var sent []posted
			for path, form := range map[string]url.Values{
				"/par": {
					"response_type": {"code"}, "client_id": {"program"}, "redirect_uri": {testenv.ProgramRedirect}, "scope": {"openid recovery"}, "login_hint": {"ada.lindqvist@example.org"},
					"nonce": {"nonce"}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
				},
				"/introspect":  {"token": {"a"}},
				"/revoke":      {"token": {"a"}},
				"/pass/verify": {"account": {"ada.lindqvist@example.org"}, "pass": {"ABCDEFGHJKLM"}},
			} {
				form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
				form.Set("client_assertion", assertion)
				sent = append(sent, posted{path, form}, posted{path, form}, posted{path, form})
			}
			if round > 0 {
				lose()
			}
			good := 0
			for i, a := range f.sendAtOnce(t, sent) {
				switch {
				case a.status < http.StatusMultipleChoices:
					good++
				case a.status != http.StatusUnauthorized || !strings.Contains(a.body, "invalid_client"):
					t.Errorf("%s: %s: %d %s", name, sent[i].path, a.status, a.body)
				}
			}
			if good != 1 {
				t.Errorf("%s: %d of %d got something", name, good, len(sent))
			}
		}
	}
}
