package oauth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/fetch"
	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/remotekeys"
	"regain/provider/requests"
)

const oktaClaims = `{"id_token":{"verified_claims":[{"verification":{"trust_framework":{"value":"IDV-DELEGATED"},"assurance_level":{"value":"VERIFIED"}},"claims":{"given_name":{"value":"Ada"}}}]}}`

// oktaRequest is a request of Okta's, with its credentials.
func (p *parts) oktaRequest() url.Values {
	form := request()
	form.Set("client_id", "okta")
	form.Set("client_secret", secret)
	form.Set("claims", oktaClaims)
	form.Set("scope", "openid identity_assurance idv_flow_employees")
	return form
}

func (p *parts) pushOkta() requests.Authorization {
	p.t.Helper()
	pushed, err := p.push(p.oktaRequest())
	p.must(err)
	a, err := p.Authorize(p.t.Context(), url.Values{"request_uri": {pushed.RequestURI}}) // Okta sends no client_id
	p.must(err)
	return a
}

// signedBy returns the claims of a token that the server's key for an algorithm signed.
func (p *parts) signedBy(alg jose.SignatureAlgorithm, typ, text string) map[string]any {
	p.t.Helper()
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{alg})
	p.must(err)
	if got := token.Headers[0].ExtraHeaders["typ"]; got != typ {
		p.t.Errorf("typ %v, want %s", got, typ)
	}
	claims := map[string]any{}
	for _, key := range p.deps.Ring.Public(token.Headers[0].KeyID) {
		p.must(token.Claims(key.Key, &claims))
	}
	return claims
}

// Okta gets a code for an approval and for a failure, and for it an ID token that says no more than its contract has.
func TestOktaTokens(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil, jose.RS256)
	for _, failed := range []bool{false, true} {
		response, err := p.Grant(t.Context(), p.pushOkta(), oauth.Grant{Transaction: "txn", Account: "A1", Subject: "A1", AuthTime: p.now, ACR: "urn:acr", AMR: []string{"face"}, Failed: failed})
		p.must(err)
		form := tokenRequest(response.Parameters.Get("code"))
		form.Set("client_id", "okta")
		form.Set("client_secret", secret)
		p.accounts.err = map[bool]error{true: errDown}[failed] // a failure is nobody's account, which nobody looks up
		r, read, err := p.post(form)
		p.must(err)
		redeemed, err := p.Redeem(r, read, unprepared)
		p.must(err)
		p.accounts.err = nil
		if redeemed.Failed != failed || redeemed.Account.ID == "" != failed || redeemed.ClaimsRequest != oktaClaims {
			t.Errorf("failed %t: %+v", failed, redeemed)
		}
		tokens, err := p.Tokens(t.Context(), redeemed, map[string]any{"verified_claims": []any{"said"}, "sub": "mallory"})
		p.must(err)
		text, _ := tokens["id_token"].(string)
		claims := p.signedBy(jose.RS256, "JWT", text)
		if len(tokens) != 3 || tokens["token_type"] != "Bearer" || tokens["expires_in"] != 600 {
			t.Errorf("failed %t: %v", failed, tokens)
		}
		if len(claims) != 7 || claims["iss"] != issuer || claims["aud"] != "okta" || claims["sub"] != "A1" || claims["nonce"] != "n" || claims["iat"] != float64(p.now.Unix()) || claims["exp"] != float64(p.now.Unix()+600) {
			t.Errorf("failed %t: %v", failed, claims)
		}
	}
	// A server without a key for RS256 makes no token that Okta could not verify.
	bare := assemble(t, contract.Tenant{}, nil)
	response, err := bare.Grant(t.Context(), bare.pushOkta(), oauth.Grant{Transaction: "txn", Account: "A1", Subject: "A1"})
	bare.must(err)
	form := tokenRequest(response.Parameters.Get("code"))
	form.Set("client_id", "okta")
	form.Set("client_secret", secret)
	_, err = bare.redeem(form)
	problemtest.WantRefusal(t, err, "server_error", "no signing key for RS256")
}

// A request of Okta's has its claims, in JSON or a form, and no other client's request comes without its client_id.
func TestOktaRequests(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	for why, claims := range map[string]string{"not that of the contract okta-idv": `{"id_token":{}}`, "is malformed": "{"} {
		form := p.oktaRequest()
		form.Set("claims", claims)
		_, err := p.push(form)
		problemtest.WantRefusal(t, err, "invalid_request", why)
	}
	form := p.oktaRequest()
	form.Set("scope", "identity_assurance")
	_, err := p.push(form)
	problemtest.WantRefusal(t, err, "invalid_scope", "must contain openid")
	if a := p.pushOkta(); a.ClientID != "okta" || a.Form.Get("scope") != "openid" || a.Recovers() {
		t.Errorf("%+v", a)
	}
	members := map[string]any{}
	for name, values := range p.oktaRequest() {
		members[name] = values[0]
	}
	members["claims"] = json.RawMessage(oktaClaims)
	body, err := json.Marshal(members)
	p.must(err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/par", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	read, err := requests.ReadPushed(httptest.NewRecorder(), r)
	p.must(err)
	if _, err := p.Push(r, read); err != nil {
		t.Errorf("in JSON: %v", err)
	}
	for name, row := range map[string]struct{ method, query, media, why string }{
		"another method":  {http.MethodPut, "", "application/json", "This method is not allowed here"},
		"with a query":    {http.MethodPost, "?a=1", "application/json", "must be application/x-www-form-urlencoded"},
		"of a type, half": {http.MethodPost, "", "application/json; charset", "must be application/x-www-form-urlencoded"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), row.method, issuer+"/par"+row.query, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", row.media)
		form, err := requests.ReadPushed(httptest.NewRecorder(), r)
		problemtest.WantRefusal(t, err, "invalid_request", row.why)
		if form != nil {
			t.Errorf("%s: %v", name, form)
		}
	}
	pushed, err := p.push(p.authenticated("main-idp", request()))
	p.must(err)
	visit := func() error {
		_, err := p.Authorize(t.Context(), url.Values{"request_uri": {pushed.RequestURI}})
		return err
	}
	problemtest.WantRefusal(t, visit(), "invalid_request", "The client_id is missing")
	p.registry.err = errDown
	problemtest.WantRefusal(t, visit(), "temporarily_unavailable", "down")
	p.registry.err = nil
	problemtest.WantRefusal(t, p.failing("get par", visit), "temporarily_unavailable", "down")
	for _, uri := range []string{"urn:ietf:params:oauth:request_uri:guess", "https://okta.example/request", ""} {
		_, err := p.Authorize(t.Context(), url.Values{"request_uri": {uri}})
		if err == nil {
			t.Errorf("%q opens a recovery", uri)
		}
	}
	_, err = p.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {p.pushOkta().Pushed}})
	problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already") // bound to the client that pushed it
}

// entra is a parts with a tenant whose keys are published by a server of the test.
type entra struct {
	*parts
	tenant contract.Tenant
	key    *rsa.PrivateKey
	down   bool
}

func openEntra(t *testing.T, algorithms ...jose.SignatureAlgorithm) *entra {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e := &entra{key: key, tenant: contract.Tenant{ID: "11111111-2222-4333-8444-555555555555", Application: "66666666-7777-4888-9999-aaaaaaaaaaaa"}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case e.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": e.tenant.Issuer(), "jwks_uri": e.tenant.Authority + "/keys"})
		default:
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Use: "sig"}}})
		}
	}))
	t.Cleanup(server.Close)
	e.tenant.Authority = server.URL
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	fetcher, err := fetch.New(fetch.Config{AllowPrivateHosts: []string{strings.TrimPrefix(server.URL, "https://")}, RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return e.now }
	remote, err := remotekeys.New(fetcher, clock)
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := contract.NewTenants(remote, clock)
	if err != nil {
		t.Fatal(err)
	}
	e.parts = assemble(t, e.tenant, tenants, algorithms...)
	return e
}

// hint is an id_token_hint of the tenant's, with changes.
func (e *entra) hint(change map[string]any) string {
	e.t.Helper()
	claims := map[string]any{"iss": e.tenant.Issuer(), "aud": e.tenant.Application, "tid": e.tenant.ID, "oid": "O1", "sub": "S1", "iat": e.now.Unix()}
	for name, value := range change {
		claims[name] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: e.key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	e.must(err)
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	e.must(err)
	return text
}

func (e *entra) request() url.Values {
	return url.Values{
		"client_id": {"entra"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "scope": {"openid"}, "redirect_uri": {redirect}, "nonce": {"n"}, "state": {"s"},
		"claims":        {`{"id_token":{"amr":{"values":["face","fido"]},"acr":{"values":["possessionorinherence"]}}}`},
		"id_token_hint": {e.hint(nil)},
	}
}

// Entra's request names the account by a hint of its tenant, and its answer repeats what the request had; each row breaks
// one thing of a valid request.
func TestEntraRequests(t *testing.T) {
	e := openEntra(t, jose.RS256)
	a, err := e.Authorize(t.Context(), e.request())
	e.must(err)
	if a.Account != "O1" || a.Mode != requests.ModeFormPost || a.ClientID != "entra" || a.RedirectURI != redirect || a.State != "s" || a.Recovers() {
		t.Errorf("%+v", a)
	}
	text, err := oauth.EncodeAuthorization(a)
	e.must(err)
	stored, err := oauth.DecodeAuthorization(text)
	e.must(err)
	if _, err := oauth.DecodeAuthorization([]byte("x")); err == nil || !strings.Contains(err.Error(), "decode authorization request") {
		t.Errorf("a stored request that is none: %v", err)
	}
	response, err := e.Grant(t.Context(), stored, oauth.Grant{Transaction: "txn", Subject: "another", AuthTime: e.now})
	e.must(err)
	claims := e.signedBy(jose.RS256, "JWT", response.Parameters.Get("id_token"))
	if amr, _ := claims["amr"].([]any); len(amr) != 1 || amr[0] != "face" || claims["acr"] != "possessionorinherence" || claims["sub"] != "S1" || claims["nonce"] != "n" || claims["aud"] != "entra" || claims["iss"] != issuer ||
		claims["iat"] != float64(e.now.Unix()) || claims["exp"] != float64(e.now.Add(contract.EntraExternalMethod.Lifetime()).Unix()) {
		t.Errorf("%v", claims)
	}
	if response.Mode != requests.ModeFormPost || response.Parameters.Get("state") != "s" || response.Parameters.Has("iss") || response.Parameters.Has("code") || len(response.Parameters) != 2 {
		t.Errorf("%+v", response)
	}
	upper := e.request()
	upper.Set("response_type", "Id_token")
	if _, err := e.Authorize(t.Context(), upper); err != nil {
		t.Errorf("as Microsoft's documentation spells it: %v", err)
	}
	limits := e.request()
	limits.Set("nonce", strings.Repeat("n", 1<<10))
	limits.Set("state", strings.Repeat("s", 4<<10))
	limits.Set("claims", e.request().Get("claims")+strings.Repeat(" ", 16<<10-len(e.request().Get("claims"))))
	if _, err := e.Authorize(t.Context(), limits); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	for name, row := range map[string]struct{ parameter, value, code, why string }{
		"a code":                   {"response_type", "code", "unsupported_response_type", "The response_type of this client is id_token"},
		"in the query":             {"response_mode", "query", "invalid_request", "response_mode of this client is form_post"},
		"no openid":                {"scope", "profile", "invalid_scope", "must contain openid"},
		"no nonce":                 {"nonce", "", "invalid_request", "nonce is missing or too long"},
		"a long nonce":             {"nonce", strings.Repeat("n", 1<<10+1), "invalid_request", "nonce is missing or too long"},
		"long claims":              {"claims", strings.Repeat("x", 16<<10+1), "invalid_request", "A parameter is too long"},
		"a long hint":              {"id_token_hint", strings.Repeat("x", 8<<10+1), "invalid_request", "A parameter is too long"},
		"a hint at the limit":      {"id_token_hint", strings.Repeat("x", 8<<10), "invalid_request", "id_token_hint is not a current token"},
		"a long state":             {"state", strings.Repeat("x", 4<<10+1), "invalid_request", "A parameter is too long"},
		"another address":          {"redirect_uri", redirect + "x", "invalid_request", "redirect_uri is not registered"},
		"no address":               {"redirect_uri", "", "invalid_request", "redirect_uri is not registered"},
		"claims that are none":     {"claims", "{", "invalid_request", "claims parameter is malformed"},
		"a factor that nobody has": {"claims", `{"id_token":{"amr":{"values":["fpt"]},"acr":{"values":["inherence"]}}}`, "access_denied", "None of the factors asked for"},
		"no hint":                  {"id_token_hint", "", "invalid_request", "id_token_hint is not a current token"},
		"another application's":    {"id_token_hint", e.hint(map[string]any{"aud": "x"}), "invalid_request", "aud is not the application"},
		"another tenant's":         {"id_token_hint", e.hint(map[string]any{"tid": "x"}), "invalid_request", "tid is not the tenant"},
		"an old one":               {"id_token_hint", e.hint(map[string]any{"iat": e.now.Add(-11 * time.Minute).Unix()}), "invalid_request", "iat is more than ten minutes ago"},
		"ours":                     {"id_token_hint", e.sign("main-idp", map[string]any{"sub": "x"}), "invalid_request", "id_token_hint is not a current token"},
	} {
		form := e.request()
		form.Set(row.parameter, row.value)
		_, err := e.Authorize(t.Context(), form)
		problemtest.WantRefusal(t, err, row.code, row.why)
		var refused *oauth.AuthorizeError
		trusted := row.parameter != "redirect_uri" && name != "a long state"
		if !asAuthorize(err, &refused) || (refused.Response != nil) != trusted {
			t.Errorf("%s: %+v", name, refused)
		} else if trusted && (refused.Response.Mode != requests.ModeFormPost || refused.Response.Parameters.Has("iss")) {
			t.Errorf("%s: the answer is not the contract's: %+v", name, refused.Response)
		}
	}
}

// Entra's requests come from the browser, its answers only to requests of its own, and an outage of its keys is none of theirs.
func TestEntraBeside(t *testing.T) {
	e := openEntra(t, jose.RS256)
	e.down = true
	_, err := e.Authorize(t.Context(), e.request())
	problemtest.WantRefusal(t, err, "temporarily_unavailable", "503")
	if _, err := e.Grant(t.Context(), requests.Authorization{ClientID: "entra", RedirectURI: redirect}, oauth.Grant{}); err == nil || !strings.Contains(err.Error(), "not one of entra-external-method") {
		t.Errorf("a code flow's request: %v", err)
	}
	response, err := e.Reject(t.Context(), requests.Authorization{ClientID: "entra", RedirectURI: redirect, State: "s"}, problem.AccessDenied("no"))
	if err != nil || response.Mode != requests.ModeFormPost || response.Parameters.Get("error") != "access_denied" || response.Parameters.Has("iss") {
		t.Errorf("%+v, %v", response, err)
	}
	if _, err := e.Grant(t.Context(), requests.Authorization{ClientID: "entra"}, oauth.Grant{Failed: true}); err == nil || !strings.Contains(err.Error(), "not approved gets no code") {
		t.Errorf("a failure: %v", err)
	}
	bare := openEntra(t) // without a key that Entra verifies
	a, err := bare.Authorize(t.Context(), bare.request())
	bare.must(err)
	if response, err := bare.Grant(t.Context(), a, oauth.Grant{}); err == nil || !strings.Contains(err.Error(), "no signing key for RS256") || response.Parameters != nil {
		t.Errorf("%+v, %v", response, err)
	}
}
