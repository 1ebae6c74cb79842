package oauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"regain/provider/clients"
	"regain/provider/oauth"
)

// Each parameter of a request has an end, one octet before which it is taken.
func TestLimitsOfParameters(t *testing.T) {
	b := setUp(t)
	for name, row := range map[string]struct {
		most int
		why  string
	}{"state": {4 << 10, "state is too long"}, "nonce": {1 << 10, "nonce is too long"}, "login_hint": {320, "name is too long"}} {
		form := request()
		form.Set(name, strings.Repeat("x", row.most))
		if _, err := b.Authorize(t.Context(), form); err != nil {
			t.Errorf("%s of %d: %v", name, row.most, err)
		}
		form.Set(name, strings.Repeat("x", row.most+1))
		_, err := b.Authorize(t.Context(), form)
		wantRefusal(t, err, "invalid_request", row.why)
	}
	for name, row := range map[string]struct{ value, code, why string }{
		"claims":        {strings.Repeat("x", 16<<10+1), "invalid_request", "claims parameter is too long"},
		"login_hint":    {strings.Repeat("x", 8<<10+1), "invalid_request", "hint is too long"},
		"id_token_hint": {strings.Repeat("x", 8<<10+1), "invalid_request", "hint is too long"},
		"registration":  {"{}", "registration_not_supported", "registration parameter is not supported"},
	} {
		form := request()
		form.Set(name, row.value)
		_, err := b.Authorize(t.Context(), form)
		wantRefusal(t, err, row.code, row.why)
	}
	form := request()
	form.Del("login_hint")
	_, err := b.Authorize(t.Context(), form) // a client that may not leave it to the person
	wantRefusal(t, err, "invalid_request", "Name the account to recover")
	_, err = b.Authorize(t.Context(), url.Values{"client_id": {"nobody"}})
	wantRefusal(t, err, "invalid_request", "names no registered client")
}

// A form has an end, a type and one place, and its parameters are text.
func TestLimitsOfForms(t *testing.T) {
	many := func(n int) string {
		var parameters []string
		for i := range n {
			parameters = append(parameters, fmt.Sprintf("p%d=1", i))
		}
		return strings.Join(parameters, "&")
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if form, err := readForm(t, method, many(64)); err != nil || len(form) != 64 {
			t.Errorf("%s of 64: %v", method, err)
		}
		_, err := readForm(t, method, many(65))
		wantRefusal(t, err, "invalid_request", "too many parameters")
		_, err = readForm(t, method, "a=%ff")
		wantRefusal(t, err, "invalid_request", "The parameter a is not UTF-8")
		_, err = readForm(t, method, "a=%zz")
		wantRefusal(t, err, "invalid_request", "cannot be parsed")
		_, err = readForm(t, method, "a="+strings.Repeat("x", 64<<10))
		wantRefusal(t, err, "invalid_request", "too large")
	}
	read := func(method, media, query, body string) error {
		r := httptest.NewRequestWithContext(t.Context(), method, issuer+"/par"+query, strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		_, err := oauth.ReadPushed(httptest.NewRecorder(), r)
		return err
	}
	const form = "application/x-www-form-urlencoded"
	for why, err := range map[string]error{
		"must be application/x-www-form-urlencoded": read(http.MethodPost, "multipart/form-data; boundary=x", "", "a=1"),
		"Send the parameters in the body":           read(http.MethodPost, form, "?a=1", "b=2"),
		"This method is not allowed here":           read(http.MethodPut, form, "", "a=1"),
		"The body is not a JSON object":             read(http.MethodPost, "application/json", "", "[]"),
		"cannot be read, or is too large":           read(http.MethodPost, "application/json", "", `{"a":"`+strings.Repeat("x", 64<<10)+`"}`),
		"The parameter a is not UTF-8":              read(http.MethodPost, form, "", "a=%ff"),
		"too many parameters":                       read(http.MethodPost, "application/json", "", `{"`+strings.ReplaceAll(many(65), "=1&", `":"1","`)[:len(strings.ReplaceAll(many(65), "=1&", `":"1","`))-2]+`":"1"}`),
	} {
		wantRefusal(t, err, "invalid_request", why)
	}
	for _, err := range []error{read(http.MethodPost, form+"; charset=UTF-8", "", "a=1"), read(http.MethodPost, "application/json", "", `{"a":"1"}`), read(http.MethodHead, "", "?a=1", "")} {
		if err != nil {
			t.Error(err)
		}
	}
}

// JSON at PAR is Okta's contract, and nobody else's.
func TestJSONIsForOneContract(t *testing.T) {
	b := setUp(t)
	r, read, err := b.post(b.authenticated("main-idp", request()))
	b.must(err)
	r.Header.Set("Content-Type", "application/json")
	_, err = b.Push(r, read)
	wantRefusal(t, err, "invalid_request", "must be application/x-www-form-urlencoded")
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
		wantRefusal(t, err, "invalid_request", why)
	}
}

// A client of message signing gets signed responses, and an essential acr that nobody has ends the request.
func TestWhatARequestCannotHave(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Set("claims", `{"id_token":{"acr":{"essential":true,"values":["urn:other"]}}}`)
	_, err := b.Authorize(t.Context(), form)
	wantRefusal(t, err, "unmet_authentication_requirements", "None of the essential acr values can be met")
	form.Set("claims", `{"id_token":{"sub":{"value":"bob@example.org"}}}`)
	_, err = b.Authorize(t.Context(), form)
	wantRefusal(t, err, "invalid_request", "login_hint names another account")
	form.Set("claims", `{"id_token":{"sub":{"values":["ada@example.org","bob@example.org"]}}}`)
	_, err = b.Authorize(t.Context(), form)
	wantRefusal(t, err, "invalid_request", "name different accounts")
	form.Set("claims", `{"id_token":{"sub":{"value":"ada@example.org"}}}`)
	if a, err := b.Authorize(t.Context(), form); err != nil || a.Account != "ada@example.org" {
		t.Errorf("%+v, %v", a, err)
	}
	form.Set("claims", "{")
	_, err = b.Authorize(t.Context(), form)
	wantRefusal(t, err, "invalid_request", "claims parameter is malformed")

	k := openBank(t)
	claims := map[string]any{"iss": "bank", "aud": issuer, "nbf": k.now.Unix(), "exp": k.now.Unix() + 60, "response_mode": "query"}
	for name, values := range request() {
		claims[name] = values[0]
	}
	claims["client_id"] = "bank"
	plain := k.requestOf(claims)
	_, err = k.Push(k.at(http.MethodPost, alias+"/par", plain, shown{certificate: k.certificate}))
	wantRefusal(t, err, "invalid_request", "responses must be signed")
}
