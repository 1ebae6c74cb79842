package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/provider/clients"
	"regain/provider/problem/problemtest"
)

// JSON at PAR is Okta's contract, and nobody else's.
func TestJSONIsForOneContract(t *testing.T) {
	b := setUp(t)
	r, read, err := b.post(b.authenticated("main-idp", request()))
	b.must(err)
	r.Header.Set("Content-Type", "application/json")
	_, err = b.Push(r, read)
	problemtest.WantRefusal(t, err, "invalid_request", "must be application/x-www-form-urlencoded")
}

// A sign-out leads back to a URI that the hint's client registered, and to no other (RP-Initiated Logout 1.0 §3).
func TestWhereASignOutLeads(t *testing.T) {
	const out = "https://idp.example.org/out"
	b := serverWith(t, func(b *bench) []*clients.Client {
		return []*clients.Client{{
			ID: "leaver", Name: "L", AuthMethod: clients.PrivateKeyJWT, RedirectURIs: []string{redirect}, PostLogoutRedirectURIs: []string{out}, Keys: b.jwks("leaver"), AllowUnpushed: true, Scopes: []string{"openid"},
		}}
	})
	form := request()
	form.Set("client_id", "leaver")
	form.Set("scope", "openid")
	tokens, err := b.redeem(b.authenticated("leaver", tokenRequest(b.grant(form).Parameters.Get("code"))))
	b.must(err)
	hint, _ := tokens["id_token"].(string)
	got, err := b.ReadLogout(t.Context(), url.Values{"id_token_hint": {hint}, "client_id": {"leaver"}, "post_logout_redirect_uri": {out}, "state": {"s"}})
	if err != nil || got.Location() != out+"?state=s" || got.Client.ID != "leaver" {
		t.Errorf("%+v, %v", got, err)
	}
	for why, change := range map[string]url.Values{
		"is not the client that the id_token_hint was issued to": {"client_id": {"main-idp"}},
		"is not registered for this client":                      {"post_logout_redirect_uri": {out + "/"}},
		"The state or the id_token_hint is too long":             {"state": {strings.Repeat("s", 4<<10+1)}},
		"is not an ID token of this server":                      {"id_token_hint": {hint + "x"}},
		"is too long":                                            {"id_token_hint": {strings.Repeat("x", 8<<10+1)}},
	} {
		form := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {out}}
		for name, values := range change {
			form[name] = values
		}
		_, err := b.ReadLogout(t.Context(), form)
		problemtest.WantRefusal(t, err, "invalid_request", why)
	}
}

// A client of message signing gets signed responses, and an essential acr that nobody has ends the request.
func TestWhatARequestCannotHave(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Set("claims", `{"id_token":{"acr":{"essential":true,"values":["urn:other"]}}}`)
	_, err := b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "unmet_authentication_requirements", "None of the essential acr values can be met")
	form.Set("claims", `{"id_token":{"sub":{"value":"bob@example.org"}}}`)
	_, err = b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "login_hint names another account")
	form.Set("claims", `{"id_token":{"sub":{"values":["ada@example.org","bob@example.org"]}}}`)
	_, err = b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "name different accounts")
	form.Set("claims", `{"id_token":{"sub":{"value":"ada@example.org"}}}`)
	if a, err := b.Authorize(t.Context(), form); err != nil || a.Account != "ada@example.org" {
		t.Errorf("%+v, %v", a, err)
	}
	form.Set("claims", "{")
	_, err = b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "claims parameter is malformed")

	k := openBank(t)
	claims := map[string]any{"iss": "bank", "aud": issuer, "nbf": k.now.Unix(), "exp": k.now.Unix() + 60, "response_mode": "query"}
	for name, values := range request() {
		claims[name] = values[0]
	}
	claims["client_id"] = "bank"
	plain := k.requestOf(claims)
	_, err = k.Push(k.at(http.MethodPost, alias+"/par", plain, shown{certificate: k.certificate}))
	problemtest.WantRefusal(t, err, "invalid_request", "responses must be signed")
}
