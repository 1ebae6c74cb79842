package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/requests"
)

// Each test is named after a defect of fosite v0.49 (docs/decisions/0001-fosite.md), provokes it through this package,
// and shows that it is contained.

// A wrong verifier deletes fosite's PKCE session but not the code, which then redeems without a verifier.
func TestFositePKCEDowngrade(t *testing.T) {
	b := setUp(t)
	code := b.code()
	for wrong, why := range map[string]string{strings.Repeat("w", 50): "code challenge did not match", "short": "code verifier must be at least 43 characters"} {
		form := tokenRequest(code)
		form.Set("code_verifier", wrong)
		_, err := b.redeem(b.authenticated("main-idp", form))
		problemtest.WantRefusal(t, err, "invalid_grant", why)
	}
	form := tokenRequest(code)
	form.Del("code_verifier")
	_, err := b.redeem(b.authenticated("main-idp", form)) // after a wrong verifier
	problemtest.WantRefusal(t, err, "invalid_grant", "code verifier must be at least 43 characters")
	if _, err := b.redeem(b.authenticated("main-idp", tokenRequest(code))); err != nil {
		t.Errorf("the honest client lost its code: %v", err)
	}
}

// PKCE is optional, and plain is accepted where it is not switched off.
func TestFositePKCEIsOptional(t *testing.T) {
	b := setUp(t)
	for name, row := range map[string]struct {
		change func(url.Values)
		why    string
	}{
		"no challenge": {func(f url.Values) { f.Del("code_challenge") }, "PKCE is required"},
		"no method":    {func(f url.Values) { f.Del("code_challenge_method") }, "PKCE is required"},
		"plain":        {func(f url.Values) { f.Set("code_challenge_method", "plain") }, "PKCE is required"},
		"unknown":      {func(f url.Values) { f.Set("code_challenge_method", "S512") }, "PKCE is required"},
	} {
		t.Run(name, func(t *testing.T) {
			form := request()
			row.change(form)
			_, err := b.Authorize(t.Context(), form)
			problemtest.WantRefusal(t, err, "invalid_request", row.why)
		})
	}
}

// Two callers can both read a code before either marks it used.
func TestFositeCodeRace(t *testing.T) {
	b := setUp(t)
	code := b.code()
	const redeemers = 64
	forms := make([]url.Values, redeemers)
	for i := range forms {
		forms[i] = b.authenticated("main-idp", tokenRequest(code))
		forms[i].Set("client_assertion", b.sign("main-idp", map[string]any{
			"iss": "main-idp", "sub": "main-idp", "aud": issuer, "jti": "race" + string(rune('0'+i)), "exp": b.now.Add(time.Minute).Unix(),
		}))
	}
	var wg sync.WaitGroup
	won := make(chan map[string]any, redeemers)
	for _, form := range forms {
		wg.Go(func() {
			if tokens, err := b.redeem(form); err == nil {
				won <- tokens
			} else {
				problemtest.WantRefusal(t, err, "invalid_grant", "already been used")
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d of %d redeemed one code", len(won), redeemers)
	}
}

// Request objects are accepted with alg none, and without a look at iss, aud, typ or exp.
func TestFositeRequestObjects(t *testing.T) {
	b := setUp(t)
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(`{"nonce":"injected","login_hint":"victim@example.org"}`)) + "."
	form := request()
	form.Set("request", unsigned)
	_, err := b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "request_not_supported", "registered no request objects")
	_, err = b.push(b.authenticated("main-idp", form))
	problemtest.WantRefusal(t, err, "request_not_supported", "registered no request objects")
}

// A request_uri of anybody is fetched, without a bound.
func TestFositeRequestURIIsFetched(t *testing.T) {
	b := setUp(t)
	visited := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	t.Cleanup(server.Close)
	form := request()
	form.Set("request_uri", server.URL)
	_, err := b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "request_uri_not_supported", "Only request URIs of this server")
	_, err = b.push(b.authenticated("main-idp", form))
	problemtest.WantRefusal(t, err, "invalid_request", "request_uri cannot be pushed")
	if visited {
		t.Error("somebody's URL was fetched")
	}
}

// max_age=0 and max_age=abc are ignored, and prompt=none may come back with a login.
func TestFositeMaxAgeAndPrompt(t *testing.T) {
	b := setUp(t)
	requirements := func(name, value string) (requests.AuthnRequirements, error) {
		form := request()
		form.Set(name, value)
		a, err := b.Authorize(t.Context(), form)
		if a.Form.Has(name) {
			t.Errorf("%s=%s reaches fosite", name, value)
		}
		return a.AuthnRequirements, err
	}
	for _, maxAge := range []string{"abc", "-1", "99999999999999999999", "1.5", " 1"} {
		_, err := requirements("max_age", maxAge)
		problemtest.WantRefusal(t, err, "invalid_request", "max_age must be a number of seconds")
	}
	for prompt, why := range map[string]string{
		"none login": "prompt=none cannot be combined", "login none": "prompt=none cannot be combined", "create": "prompt is unknown", "NONE": "prompt is unknown",
	} {
		_, err := requirements("prompt", prompt)
		problemtest.WantRefusal(t, err, "invalid_request", why)
	}
	// One signed in an hour ago satisfies …
	hourAgo := b.now.Add(-time.Hour)
	for _, c := range []struct {
		name, value string
		allowed     bool
	}{
		{"max_age", "0", false}, {"max_age", "3599", false}, {"max_age", "3600", true}, {"max_age", "", true},
		{"prompt", "none", true}, {"prompt", "login", false}, {"prompt", "consent", false}, {"prompt", "select_account", false}, {"prompt", "", true},
	} {
		d, err := requirements(c.name, c.value)
		b.must(err)
		if d.Allow(hourAgo, b.now) != c.allowed || d.Silent != (c.value == "none") {
			t.Errorf("%s=%s: %+v", c.name, c.value, d)
		}
	}
}

// id_token_hint is checked for its sub only, with the server's own key.
func TestFositeIDTokenHint(t *testing.T) {
	b := setUp(t)
	hint := func(change map[string]any) url.Values {
		claims := map[string]any{"iss": "main-idp", "aud": issuer, "sub": "ada@example.org", "iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix()}
		for name, value := range change {
			claims[name] = value
		}
		form := request()
		form.Del("login_hint")
		form.Set("id_token_hint", b.sign("main-idp", claims))
		return form
	}
	if a := b.authorized(hint(nil)); a.Account != "ada@example.org" || a.Form.Has("id_token_hint") {
		t.Errorf("a good hint names %q, and reaches fosite: %t", a.Account, a.Form.Has("id_token_hint"))
	}
	for name, row := range map[string]struct {
		claim string
		value any
		why   string
	}{
		"iss":           {"iss", "other-idp", "iss is not the client id"},
		"no iss":        {"iss", nil, "iss is not the client id"},
		"aud":           {"aud", "https://evil.example", "aud is not the issuer"},
		"two audiences": {"aud", []string{issuer, "x"}, "aud is not the issuer"},
		"expired":       {"exp", b.now.Add(-time.Second).Unix(), "exp is missing or past"},
		"no exp":        {"exp", nil, "exp is missing or past"},
		"no iat":        {"iat", nil, "iat is missing or in the future"},
		"iat ahead":     {"iat", b.now.Add(time.Minute).Unix(), "iat is missing or in the future"},
		"no sub":        {"sub", nil, "sub is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Authorize(t.Context(), hint(map[string]any{row.claim: row.value}))
			problemtest.WantRefusal(t, err, "invalid_request", row.why)
		})
	}
	foreign := hint(nil)
	foreign.Set("id_token_hint", b.sign("other-idp", map[string]any{"iss": "main-idp", "aud": issuer, "sub": "ada", "iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix()}))
	_, err := b.Authorize(t.Context(), foreign) // signed by another client
	problemtest.WantRefusal(t, err, "invalid_request", "no registered key verifies the signature")
	both := hint(nil)
	both.Set("login_hint", "bob@example.org")
	_, err = b.Authorize(t.Context(), both)
	problemtest.WantRefusal(t, err, "invalid_request", "login_hint names another account")
}

// state is required, with eight characters or one.
func TestFositeStateIsForced(t *testing.T) {
	b := setUp(t)
	for _, state := range []string{"", "x"} {
		form := request()
		form.Set("state", state)
		if state == "" {
			form.Del("state")
		}
		u, err := b.Reject(t.Context(), b.authorized(form), problem.AccessDenied("no"))
		b.must(err)
		if got := u.Parameters; got.Get("state") != state || got.Has("state") != (state != "") {
			t.Errorf("state %q came back as %q", state, got.Get("state"))
		}
	}
}

// A nonce of fewer than eight characters is refused.
func TestFositeNonceLength(t *testing.T) {
	b := setUp(t)
	for _, nonce := range []string{"", "n", strings.Repeat("n", 64)} {
		form := request()
		form.Set("nonce", nonce)
		if _, err := b.Authorize(t.Context(), form); err != nil {
			t.Errorf("nonce of %d characters: %v", len(nonce), err)
		}
	}
}

// Of a parameter that stands twice the first one wins.
func TestFositeDuplicateParameters(t *testing.T) {
	b := setUp(t)
	for name := range request() {
		form := b.authenticated("main-idp", request())
		form.Add(name, "again")
		_, _, err := b.post(form)
		problemtest.WantRefusal(t, err, "invalid_request", "The parameter "+name+" occurs more than once")
	}
}

// redirect_uri: plain http and localhost are accepted.
func TestFositeRedirectURIs(t *testing.T) {
	b := setUp(t)
	for _, uri := range []string{
		"http://idp.example.org/callback", "https://idp.example.org/callback/", "https://idp.example.org/callback?x=1", "https://idp.example.org:443/callback",
		"https://IDP.example.org/callback", "https://idp.example.org/callback#f", "https://evil.example/callback", "http://localhost/callback",
		"https://idp.example.org.evil.example/callback", "https://idp.example.org/Callback", "javascript:alert(1)", "//evil.example",
	} {
		form := request()
		form.Set("redirect_uri", uri)
		_, err := b.Authorize(t.Context(), form)
		var refused *oauth.AuthorizeError
		if !asAuthorize(err, &refused) || refused.Response != nil || !strings.Contains(err.Error(), "'redirect_uri' parameter does not match any") {
			t.Errorf("%s: %v, redirected: %t", uri, err, refused != nil && refused.Response != nil)
		}
	}
}

// Client assertions: any audience, a jti that is checked and then set, for all clients together, and burned early.
func TestFositeClientAssertions(t *testing.T) {
	b := setUp(t)
	with := func(client string, change map[string]any) url.Values {
		claims := b.assertion(client)
		for name, value := range change {
			claims[name] = value
		}
		form := b.authenticated(client, request())
		form.Set("client_assertion", b.sign(client, claims))
		return form
	}
	for name, row := range map[string]struct {
		claim string
		value any
		why   string
	}{
		"aud is another endpoint":   {"aud", issuer + "/revoke", "aud must be the issuer"},
		"aud is another's endpoint": {"aud", "https://other.example/token", "aud must be the issuer"},
		"aud has two":               {"aud", []string{issuer, "https://other.example"}, "aud must be the issuer"},
		"aud has two, ours last":    {"aud", []string{"https://other.example", issuer + "/token"}, "aud must be the issuer"},
		"aud is empty":              {"aud", []string{}, "aud must be the issuer"},
		"no aud":                    {"aud", nil, "aud must be the issuer"},
		"iss is another":            {"iss", "other-idp", "iss is not the client id"},
		"sub is another":            {"sub", "other-idp", "no registered key verifies the signature"},
		"no jti":                    {"jti", nil, "jti is missing"},
		"expired":                   {"exp", b.now.Unix(), "exp is missing or past"},
		"no exp":                    {"exp", nil, "exp is missing or past"},
		"lives too long":            {"exp", b.now.Add(time.Hour).Unix(), "exp is more than 5m0s ahead"},
		"iat a minute ahead":        {"iat", b.now.Add(time.Minute).Unix(), "iat is in the future"},
		"nbf a minute ahead":        {"nbf", b.now.Add(time.Minute).Unix(), "nbf is in the future"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.push(with("main-idp", map[string]any{row.claim: row.value}))
			problemtest.WantRefusal(t, err, "invalid_client", row.why)
		})
	}
	for _, change := range []map[string]any{nil, {"iat": b.now.Add(10 * time.Second).Unix()}, {"aud": []string{issuer}}, {"iat": nil},
		{"aud": issuer + "/token"}, {"aud": []string{issuer + "/par"}}, {"aud": []string{issuer, issuer + "/token"}}} {
		if _, err := b.push(with("main-idp", change)); err != nil {
			t.Errorf("%v: %v", change, err)
		}
	}
	// A jti works once for one client, is another's to use too, and is not burned by an assertion that is refused.
	_, err := b.push(with("main-idp", map[string]any{"jti": "shared", "aud": "https://evil.example"}))
	problemtest.WantRefusal(t, err, "invalid_client", "aud must be the issuer")
	if _, err := b.push(with("main-idp", map[string]any{"jti": "shared"})); err != nil {
		t.Errorf("a refused assertion burned the jti: %v", err)
	}
	_, err = b.push(with("main-idp", map[string]any{"jti": "shared"}))
	problemtest.WantRefusal(t, err, "invalid_client", "jti was used before")
	other := with("other-idp", map[string]any{"jti": "shared"})
	other.Set("client_id", "other-idp")
	other.Set("redirect_uri", "https://other.example.org/callback")
	if _, err := b.push(other); err != nil {
		t.Errorf("another client's jti: %v", err)
	}
}

// A jti that several present at once is taken by one.
func TestFositeAssertionRace(t *testing.T) {
	b := setUp(t)
	form := b.authenticated("main-idp", request())
	var wg sync.WaitGroup
	won := make(chan struct{}, 32)
	for range 32 {
		wg.Go(func() {
			if _, err := b.push(form); err == nil {
				won <- struct{}{}
			} else {
				problemtest.WantRefusal(t, err, "invalid_client", "jti was used before")
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("one assertion worked %d times", len(won))
	}
}

// Credentials in the header and in the body at once, in the body, or of the wrong method.
func TestFositeClientAuthenticationMethods(t *testing.T) {
	b := setUp(t)
	basic := func(id, password string, form url.Values) error {
		r, read, err := b.post(form)
		b.must(err)
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(password))
		_, err = b.Push(r, read)
		return err
	}
	legacy := request()
	legacy.Set("client_id", "legacy idp")
	if err := basic("legacy idp", secret, legacy); err != nil {
		t.Errorf("client_secret_basic: %v", err)
	}
	problemtest.WantRefusal(t, basic("legacy idp", secret+"x", legacy), "invalid_client", "wrong id, secret or method")
	problemtest.WantRefusal(t, basic("nobody", secret, legacy), "invalid_client", "wrong id, secret or method")
	problemtest.WantRefusal(t, basic("main-idp", secret, request()), "invalid_client", "wrong id, secret or method")
	problemtest.WantRefusal(t, basic("main-idp", "", request()), "invalid_client", "wrong id, secret or method")
	problemtest.WantRefusal(t, basic("legacy idp", secret, b.authenticated("legacy idp", legacy)), "invalid_client", "two client authentications at once")
	problemtest.WantRefusal(t, basic("legacy idp", secret, request()), "invalid_client", "client_id is not the authenticated client") // client_id of another
	inBody := request()
	inBody.Set("client_id", "legacy idp")
	inBody.Set("client_secret", secret)
	_, err := b.push(inBody)
	problemtest.WantRefusal(t, err, "invalid_client", "wrong id, secret or method")
	_, err = b.push(b.authenticated("legacy idp", legacy))
	problemtest.WantRefusal(t, err, "invalid_client", "no such client with private_key_jwt")
	_, err = b.push(request())
	problemtest.WantRefusal(t, err, "invalid_client", "no client authentication")
	symmetric, signErr := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, nil)
	b.must(signErr)
	claims, marshalErr := json.Marshal(b.assertion("main-idp"))
	b.must(marshalErr)
	signed, signErr := symmetric.Sign(claims)
	b.must(signErr)
	form := b.authenticated("main-idp", request())
	compact, signErr := signed.CompactSerialize()
	b.must(signErr)
	form.Set("client_assertion", compact)
	_, err = b.push(form)
	problemtest.WantRefusal(t, err, "invalid_client", "unexpected signature algorithm \"HS256\"")
}

// An unknown grant_type is invalid_request, and the requester is nil.
func TestFositeUnknownGrantType(t *testing.T) {
	b := setUp(t)
	for _, grant := range []string{"", "password", "client_credentials", "implicit", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"} {
		form := tokenRequest(b.code())
		form.Set("grant_type", grant)
		_, err := b.redeem(b.authenticated("main-idp", form))
		problemtest.WantRefusal(t, err, "unsupported_grant_type", "supported grant types are")
	}
}

// A pushed request is deleted at the first visit, before the client is checked: a reload ends it, and anybody burns it.
func TestFositePushedRequests(t *testing.T) {
	b := setUp(t)
	pushed, err := b.push(b.authenticated("main-idp", request()))
	b.must(err)
	if !strings.HasPrefix(pushed.RequestURI, "urn:ietf:params:oauth:request_uri:") || pushed.ExpiresIn < 1 || pushed.ExpiresIn >= 600 {
		t.Errorf("%s for %d seconds", pushed.RequestURI, pushed.ExpiresIn)
	}
	visit := func(client string) (requests.Authorization, error) {
		return b.Authorize(t.Context(), url.Values{"client_id": {client}, "request_uri": {pushed.RequestURI}})
	}
	_, err = visit("other-idp")
	problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already")
	first, err := visit("main-idp")
	b.must(err)
	if _, err := visit("main-idp"); err != nil {
		t.Errorf("a reload: %v", err)
	}
	if first.Account != "ada@example.org" || first.State != "s" {
		t.Errorf("the pushed request names %q with state %q", first.Account, first.State)
	}
	_, err = b.Reject(t.Context(), first, problem.AccessDenied("no"))
	b.must(err)
	_, err = visit("main-idp")
	problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already")
	again, err := b.push(b.authenticated("main-idp", request()))
	b.must(err)
	b.now = b.now.Add(5 * time.Minute)
	_, err = b.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {again.RequestURI}})
	problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already")
}

// There is no iss in responses.
func TestFositeNoIss(t *testing.T) {
	b := setUp(t)
	u, err := b.Reject(t.Context(), b.authorized(request()), problem.AccessDenied("no"))
	b.must(err)
	if u.Parameters.Get("iss") != issuer || u.Parameters.Get("error") != "access_denied" {
		t.Errorf("an error: %s", u.Parameters)
	}
	form := request()
	form.Set("scope", "recovery")
	_, err = b.Authorize(t.Context(), form)
	var refused *oauth.AuthorizeError
	if !asAuthorize(err, &refused) || refused.Response == nil || refused.Response.Parameters.Get("iss") != issuer || refused.Response.Parameters.Get("state") != "s" {
		t.Errorf("an early error: %v", err)
	}
}

// acr becomes "0" when it was asked for, and auth_time is now.
func TestFositeACRAndAuthTime(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Set("acr_values", "urn:wanted")
	u, err := b.Grant(t.Context(), b.authorized(form), oauth.Grant{Transaction: "txn", Subject: "ada@example.org", AuthTime: b.now.Add(-time.Minute), ACR: "urn:given", AMR: []string{"face"}})
	b.must(err)
	tokens, err := b.redeem(b.authenticated("main-idp", tokenRequest(u.Parameters.Get("code"))))
	b.must(err)
	id, _ := tokens["id_token"].(string)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(id, ".")[1])
	b.must(err)
	var claims map[string]any
	b.must(json.Unmarshal(payload, &claims))
	for name, want := range map[string]any{
		"acr": "urn:given", "auth_time": float64(b.now.Add(-time.Minute).Unix()), "sub": "ada@example.org", "aud": "main-idp", "iss": issuer, "nonce": "n", "txn": "txn",
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
}

// Access tokens are accepted in the query, and as form parameters.
func TestFositeAccessTokenInTheQuery(t *testing.T) {
	b := setUp(t)
	tokens, err := b.redeem(b.authenticated("main-idp", tokenRequest(b.code())))
	b.must(err)
	access, _ := tokens["access_token"].(string)
	if info, err := b.userInfo("bearer "+access, ""); err != nil || info.Subject != "ada@example.org" {
		t.Errorf("with the header: %v, %v", info, err)
	}
	for name, row := range map[string]struct{ header, query, why string }{
		"in the query": {"", "?access_token=" + access, "Send the access token as Authorization"},
		"DPoP":         {"DPoP " + access, "", "an unbound token as DPoP"},
		"none":         {"", "", "Send the access token as Authorization"},
		"another":      {"Bearer " + access + "x", "", "unknown, expired or revoked"},
		"no scheme":    {access, "", "Send the access token as Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.userInfo(row.header, row.query)
			problemtest.WantRefusal(t, err, "invalid_token", row.why)
		})
	}
	b.now = b.now.Add(10 * time.Minute)
	_, err = b.userInfo("Bearer "+access, "")
	problemtest.WantRefusal(t, err, "invalid_token", "unknown, expired or revoked")
}

// Implicit, hybrid and resource owner password grants exist.
func TestFositeImplicitAndHybrid(t *testing.T) {
	b := setUp(t)
	for _, kind := range []string{"token", "id_token", "code id_token", "code token", "id_token token", "none", ""} {
		form := request()
		form.Set("response_type", kind)
		_, err := b.Authorize(t.Context(), form)
		if kind == "" {
			problemtest.WantRefusal(t, err, "invalid_request", "response_type is missing")
		} else {
			problemtest.WantRefusal(t, err, "unsupported_response_type", "not allowed to request response_type '"+kind+"'")
		}
	}
	for _, mode := range []string{"fragment", "fragment.jwt", "web_message", "QUERY", "xjwt"} {
		form := request()
		form.Set("response_mode", mode)
		_, err := b.Authorize(t.Context(), form)
		problemtest.WantRefusal(t, err, "invalid_request", "response_mode is not supported")
	}
}

// A code that is used twice revokes what it led to; by another client it is refused and stays good.
func TestFositeCodeReuseRevokes(t *testing.T) {
	b := setUp(t)
	code := b.code()
	foreign := tokenRequest(code)
	_, err := b.redeem(b.authenticated("other-idp", foreign))
	problemtest.WantRefusal(t, err, "invalid_grant", "Client ID from this request does not match")
	elsewhere := tokenRequest(code)
	elsewhere.Set("redirect_uri", redirect+"/x")
	_, err = b.redeem(b.authenticated("main-idp", elsewhere))
	problemtest.WantRefusal(t, err, "invalid_grant", "'redirect_uri' from this request does not match")
	tokens, err := b.redeem(b.authenticated("main-idp", tokenRequest(code)))
	b.must(err)
	access, _ := tokens["access_token"].(string)
	_, err = b.redeem(b.authenticated("main-idp", tokenRequest(code)))
	problemtest.WantRefusal(t, err, "invalid_grant", "already been used")
	_, err = b.userInfo("Bearer "+access, "")
	problemtest.WantRefusal(t, err, "invalid_token", "unknown, expired or revoked")
}

// A code lives for a minute by the server's clock.
func TestFositeCodeLifetime(t *testing.T) {
	b := setUp(t)
	code := b.code()
	b.now = b.now.Add(time.Minute)
	_, err := b.redeem(b.authenticated("main-idp", tokenRequest(code)))
	problemtest.WantRefusal(t, err, "invalid_grant", "another client.: invalid_grant")
}

func asAuthorize(err error, target **oauth.AuthorizeError) bool {
	e, ok := err.(*oauth.AuthorizeError) //nolint:errorlint // Authorize returns it unwrapped
	*target = e
	return ok
}
