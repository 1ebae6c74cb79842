package provider_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// Promises 1 and 7: after a whole recovery, neither the pass nor a claim nor any secret of the way is in the log, in
// the audit log, or on a page.
func TestNothingSecretIsLeftBehind(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	link, _ := page.Link("open-wallet")
	request := f.review(t, page)
	next := f.share(t, request)
	done, err := f.browser.Open(t.Context(), next)
	back := f.press(t, f.must(t, done, err), "finish")
	code, err := f.RP.Code(f.attempt, back.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens)
	if err != nil {
		t.Fatal(err)
	}
	audit, err := os.ReadFile(f.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for line := range strings.Lines(f.log.String()) {
		if strings.Contains(line, `"party":"regain"`) {
			log.WriteString(line)
		}
	}
	if log.Len() == 0 {
		t.Fatal("nothing was logged, so nothing was tested")
	}
	credential := f.wallet.Credentials()[0]
	secrets := map[string]string{
		"the pass": recovery.Recovery.Pass.Value, "the code": code, "the access token": tokens.AccessToken, "the ID token": tokens.IDToken,
		"the response code": next[strings.Index(next, "=")+1:], "the nonce": f.attempt.Nonce, "the state": f.attempt.State, "the PKCE verifier": f.attempt.Verifier,
		"the request's handle": link[strings.LastIndex(link, ".")+1 : strings.LastIndex(link, "&")], "the birthdate": credential.Claim("birthdate"),
		"the credential": credential.SDJWT()[:60], "the family name": "Lindqvist",
	}
	for _, c := range f.browser.Cookies(page.URL.String()) {
		secrets["the browser's secret"] = c.Value
	}
	for what, secret := range secrets {
		if len(secret) < 6 {
			t.Errorf("%s is %q: too short to look for", what, secret)
			continue
		}
		for where, text := range map[string]string{"log": log.String(), "audit log": string(audit)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in the %s", what, where)
			}
		}
	}
	again, err := f.browser.Open(t.Context(), page.URL.String())
	if f.must(t, again, err); strings.Contains(string(again.Body), recovery.Recovery.Pass.Value) {
		t.Error("the pass is on a page")
	}
	id := strings.Split(tokens.IDToken, ".")[1]
	if strings.Contains(id, "pass") {
		t.Error("the ID token carries the pass")
	}
}

func TestMetadata(t *testing.T) {
	f := setUp(t)
	var both [2]string
	for i, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		resp, body := f.send(t, http.MethodGet, f.Regain+path, "", "")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: status %d, %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		both[i] = body
	}
	if both[0] != both[1] {
		t.Error("the two metadata documents differ")
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(both[0]), &m); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"issuer": f.Regain, "token_endpoint": f.Regain + "/token", "pushed_authorization_request_endpoint": f.Regain + "/par",
		"authorization_response_iss_parameter_supported": true, "temporary_access_pass_endpoint": f.Regain + "/pass/verify",
	} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	resp, body := f.send(t, http.MethodGet, f.Regain+"/jwks", "", "")
	if resp.StatusCode != http.StatusOK || strings.Contains(body, `"d"`) || !strings.Contains(body, `"use":"sig"`) {
		t.Errorf("jwks: status %d: %s", resp.StatusCode, body)
	}
}
