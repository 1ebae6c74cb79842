package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"regain/conformance/testenv"
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
	answers := make([]heard, 16)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			<-start
			resp, body := f.send(t, http.MethodPost, f.Regain+path, formType, form.Encode())
			answers[i] = heard{resp.StatusCode, body}
		})
	}
	close(start)
	all.Wait()
	return answers
}
