package oauth_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/requests"
	"regain/storage"
)

// Nobody gets past an endpoint of the back channel without the client's secret, whatever else they hold.
func TestEveryEndpointAuthenticates(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	tokens, code := p.stockTokens(), p.brokersCode()
	calls := map[string]func(form url.Values) error{
		"push":       func(form url.Values) error { _, err := p.push(form); return err },
		"redeem":     func(form url.Values) error { _, err := p.redeem(form); return err },
		"refresh":    func(form url.Values) error { _, err := p.refresh(form); return err },
		"introspect": func(form url.Values) error { _, err := p.introspect(form); return err },
		"revoke":     p.revoke,
	}
	good := map[string]url.Values{
		"push": p.broker(stock()), "redeem": code, "refresh": p.broker(refreshRequest(tokens["refresh_token"])), "introspect": p.broker(tokenForm(tokens["access_token"])), "revoke": p.broker(tokenForm(tokens["access_token"])),
	}
	for name, call := range calls {
		for why, value := range map[string]string{"wrong id, secret or method": secret + "x", "no client authentication": ""} {
			form := cloned(good[name])
			form.Set("client_secret", value)
			problemtest.WantRefusal(t, call(form), "invalid_client", why)
		}
	}
	if err := p.access(tokens["access_token"]); err != nil {
		t.Errorf("a stranger's revocation: %v", err)
	}
	for _, name := range []string{"push", "redeem", "refresh", "introspect", "revoke"} {
		if err := calls[name](good[name]); err != nil {
			t.Errorf("%s, by the client: %v", name, err)
		}
	}
	form := cloned(good["redeem"])
	for _, grantType := range []string{"", "password", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"} {
		form.Set("grant_type", grantType)
		problemtest.WantRefusal(t, calls["redeem"](form), "unsupported_grant_type", "authorization_code and refresh_token")
	}
	if got := oauth.GrantTypes(); !slices.Equal(got, []string{"authorization_code", "refresh_token"}) {
		t.Errorf("grant types %v", got)
	}
}

// A client that is removed takes its codes and tokens along; one that cannot be looked up does not.
func TestClientsThatAreGone(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	tokens := p.stockTokens()
	p.registry.err = errDown
	problemtest.WantRefusal(t, p.access(tokens["access_token"]), "temporarily_unavailable", "down")
	p.registry.err = nil
	if err := p.access(tokens["access_token"]); err != nil {
		t.Errorf("when it can be looked up again: %v", err)
	}
	broker := p.registry.Fixed["broker"]
	delete(p.registry.Fixed, "broker")
	problemtest.WantRefusal(t, p.access(tokens["access_token"]), "invalid_token", "unknown, expired or revoked")
	changed := *broker // which may refresh no more
	changed.Scopes = []string{"openid", "email"}
	p.registry.Fixed["broker"] = &changed
	_, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"])))
	problemtest.WantRefusal(t, err, "invalid_grant", "The refresh token is unknown")
}

// A record that cannot be decoded, or that has no session, is no reason to go on, and none to fall over.
func TestRecordsThatAreGarbled(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	tokens, code := p.stockTokens(), p.brokersCode()
	pushed, err := p.push(p.authenticated("main-idp", request()))
	p.must(err)
	visit := func() (requests.Authorization, error) {
		return p.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
	}
	waiting, err := visit()
	p.must(err)
	calls := map[string]func() error{
		"redeem": func() error { _, err := p.redeem(cloned(code)); return err }, "use": func() error { return p.access(tokens["access_token"]) },
		"refresh":             func() error { _, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"]))); return err },
		"introspect, access":  func() error { return p.inactive(tokens["access_token"]) },
		"introspect, refresh": func() error { return p.inactive(tokens["refresh_token"]) },
		"revoke":              func() error { return p.revoke(p.broker(tokenForm(tokens["refresh_token"]))) },
		"visit":               func() error { _, err := visit(); return err }, "hold": func() error { _, err := p.Hold(t.Context(), waiting); return err },
	}
	id := p.grant(stock()).CodeID
	p.store.garbled = []byte("x")
	for _, call := range calls {
		problemtest.WantRefusal(t, call(), "server_error", "")
	}
	if err := p.Withdraw(t.Context(), id); err == nil || !strings.Contains(err.Error(), "withdraw code: decode code") {
		t.Errorf("withdraw: %v", err)
	}
	p.store.garbled, err = storage.Encode(struct {
		ID     string `json:"id"`
		Client string `json:"client"`
	}{"id", "broker"})
	p.must(err)
	problemtest.WantRefusal(t, calls["redeem"](), "invalid_grant", "")
	problemtest.WantRefusal(t, calls["use"](), "invalid_token", "unknown, expired or revoked")
	problemtest.WantRefusal(t, calls["refresh"](), "invalid_grant", "The refresh token is unknown")
	for _, name := range []string{"introspect, access", "introspect, refresh"} {
		if err := calls[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// inactive introspects a token of the broker, and is an error if it is active.
func (p *parts) inactive(token any) error {
	found, err := p.introspect(p.broker(tokenForm(token)))
	if err == nil && found.Active {
		return fmt.Errorf("it is active: %+v", found)
	}
	return err
}

// What we sign for a client says for whom, and until when.
func TestWhatIsSigned(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	client, err := p.Client(t.Context(), "main-idp")
	p.must(err)
	text, err := p.SignedIntrospection(client, oauth.Introspection{Active: true, Subject: "ada"})
	p.must(err)
	claims := p.signedBy(jose.ES256, "token-introspection+jwt", text)
	if inner, _ := claims["token_introspection"].(map[string]any); len(claims) != 4 || claims["iss"] != issuer || claims["aud"] != "main-idp" || claims["iat"] != float64(p.now.Unix()) || inner["active"] != true || inner["sub"] != "ada" {
		t.Errorf("introspection: %v", claims)
	}
	text, err = p.SignedUserInfo(client, map[string]any{"sub": "ada", "iss": "https://evil.example", "aud": "other"})
	p.must(err)
	if claims := p.signedBy(jose.ES256, "userinfo+jwt", text); len(claims) != 3 || claims["iss"] != issuer || claims["aud"] != "main-idp" || claims["sub"] != "ada" {
		t.Errorf("userinfo: %v", claims)
	}
	text, err = p.LogoutToken(client, "S1", "ada", "J1")
	p.must(err)
	claims = p.signedBy(jose.ES256, "logout+jwt", text)
	events, _ := claims["events"].(map[string]any)
	if claims["iss"] != issuer || claims["aud"] != "main-idp" || claims["sub"] != "ada" || claims["sid"] != "S1" || claims["jti"] != "J1" || claims["iat"] != float64(p.now.Unix()) || claims["exp"] != float64(p.now.Unix()+120) ||
		events["http://schemas.openid.net/event/backchannel-logout"] == nil || claims["nonce"] != nil || len(claims) != 8 { // Back-Channel Logout 1.0 §2.4
		t.Errorf("logout: %v", claims)
	}
	key, err := p.EncryptionKey(t.Context(), client)
	if err != nil || key.KeyID != "enc" {
		t.Errorf("encryption key: %q, %v", key.KeyID, err)
	}
	form := request()
	form.Set("response_mode", "jwt")
	claims = p.signedBy(jose.ES256, "jarm+jwt", p.grant(form).Parameters.Get("response"))
	if claims["aud"] != "main-idp" || claims["exp"] != float64(p.now.Unix()+300) { // JARM §2.1
		t.Errorf("response: %v", claims)
	}
}

// The ID token says what was granted, and what a claims parameter adds replaces none of it.
func TestIDTokens(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	for _, id := range []string{"asks", "edwards"} {
		form := request()
		form.Set("client_id", id)
		form.Set("scope", "openid")
		response, err := p.Grant(t.Context(), p.authorized(form), oauth.Grant{Transaction: "txn", Session: "S1", Account: "A1", Subject: "ada@example.org", AuthTime: p.now.Add(-time.Minute), ACR: "urn:acr", AMR: []string{"face"}})
		p.must(err)
		form = tokenRequest(response.Parameters.Get("code"))
		form.Set("client_id", id)
		form.Set("client_secret", secret)
		r, read, err := p.post(form)
		p.must(err)
		redeemed, err := p.Redeem(r, read, unprepared)
		p.must(err)
		extra := map[string]any{"email": "ada@example.org", "sub": "mallory", "aud": "other", "exp": 1, "acr": "urn:other", "nonce": "m"}
		tokens, err := p.Tokens(t.Context(), redeemed, maps.Clone(extra))
		p.must(err)
		alg := map[string]jose.SignatureAlgorithm{"asks": jose.ES256, "edwards": jose.EdDSA}[id]
		text, _ := tokens["id_token"].(string)
		claims := p.signedBy(alg, "JWT", text)
		if claims["sub"] != "ada@example.org" || claims["aud"] != id || claims["acr"] != "urn:acr" || claims["nonce"] != "n" || claims["email"] != "ada@example.org" || claims["txn"] != "txn" || claims["sid"] != "S1" ||
			claims["iat"] != float64(p.now.Unix()) || claims["exp"] != float64(p.now.Unix()+600) || claims["auth_time"] != float64(p.now.Unix()-60) || claims["iss"] != issuer {
			t.Errorf("%s: %v", id, claims)
		}
		if (claims["at_hash"] == nil) != (alg == jose.EdDSA) { // which would need SHA-512 (OpenID Connect Core 1.0 §3.1.3.6)
			t.Errorf("%s: at_hash %v ", id, claims["at_hash"])
		}
		if tokens["scope"] != "openid" || tokens["token_type"] != "Bearer" || tokens["refresh_token"] != nil {
			t.Errorf("%s: %v", id, tokens)
		}
	}
}

// A token is over at the second that its lifetime says, and so is a pushed request (FAPI 2.0 Security Profile §5.3.2.2).
func TestLifetimes(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	start := p.now
	tokens := p.stockTokens()
	more, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"])))
	p.must(err)
	if more["expires_in"] != 600 {
		t.Errorf("expires_in %v", more["expires_in"])
	}
	for token, within := range map[any]int64{more["access_token"]: 0, tokens["access_token"]: 60} { // fosite's own clock runs on
		found, err := p.introspect(p.broker(tokenForm(token)))
		if late := found.Expiry - start.Unix() - 600; err != nil || late < 0 || late > within || found.IssuedAt != found.Expiry-600 {
			t.Errorf("%+v, %v", found, err)
		}
	}
	pushed, err := p.push(p.authenticated("main-idp", request()))
	p.must(err)
	if pushed.ExpiresIn != 300 {
		t.Errorf("expires_in %d", pushed.ExpiresIn)
	}
	visit := func() error {
		_, err := p.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
		return err
	}
	code := p.brokersCode()
	redeem := func() error { _, err := p.redeem(cloned(code)); return err }
	p.now = start.Add(time.Minute)
	problemtest.WantRefusal(t, redeem(), "invalid_grant", "")
	p.now = start.Add(time.Minute - time.Second)
	p.must(redeem())
	p.now = start.Add(5*time.Minute - time.Second)
	p.must(visit())
	p.now = start.Add(5 * time.Minute)
	problemtest.WantRefusal(t, visit(), "invalid_request_uri", "unknown, expired or was used already")
	for _, token := range []any{tokens["access_token"], more["access_token"]} {
		p.now = start.Add(10*time.Minute - time.Second)
		p.must(p.access(token))
		p.now = start.Add(10 * time.Minute)
		problemtest.WantRefusal(t, p.access(token), "invalid_token", "unknown, expired or revoked")
		p.must(p.inactive(token))
	}
	p.now = start.Add(30*24*time.Hour - time.Second)
	if _, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"]))); err != nil {
		t.Errorf("a refresh token in its last second: %v", err)
	}
}

// An access token without openid is good for nothing at userinfo (OpenID Connect Core 1.0 §5.3.1).
func TestUserInfoNeedsOpenID(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	form := p.broker(refreshRequest(p.stockTokens()["refresh_token"]))
	form.Set("scope", "email")
	narrow, err := p.refresh(form)
	p.must(err)
	problemtest.WantRefusal(t, p.access(narrow["access_token"]), "insufficient_scope", "lacks the scope openid")
	form.Set("scope", "unknown")
	_, err = p.refresh(form)
	problemtest.WantRefusal(t, err, "invalid_scope", "None of these scopes was granted")
	form.Set("scope", "\x01")
	_, err = p.refresh(form)
	problemtest.WantRefusal(t, err, "invalid_scope", "a character that no scope may have")
}

// What cannot be signed is no answer, and is not sent without the signature.
func TestAnswersThatCannotBeSigned(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	form := request()
	form.Set("client_id", "unsigned")
	form.Set("scope", "openid")
	form.Set("response_mode", "jwt")
	if response, err := p.Grant(t.Context(), p.authorized(form), oauth.Grant{Subject: "ada"}); err == nil || !strings.Contains(err.Error(), "no signing key for PS256") || response.Parameters != nil {
		t.Errorf("%+v, %v", response, err)
	}
	form.Set("scope", "profile")
	_, err := p.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "server_error", "no signing key for PS256")
	var refused *oauth.AuthorizeError
	if !asAuthorize(err, &refused) || refused.Response != nil || !errors.Is(refused, refused.Problem) {
		t.Errorf("%+v", refused)
	}
}

// Claims at their limit are read; two that name one account agree; and an answer in a mode that there is not goes into the query.
func TestRequestsAtTheirLimits(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	form := request()
	const sub = `{"id_token":{"sub":{"value":"ada@example.org"}},"userinfo":{"sub":{"value":"ADA@example.org"}}}`
	form.Set("claims", sub+strings.Repeat(" ", 16<<10-len(sub)))
	if a, err := p.Authorize(t.Context(), form); err != nil || !strings.EqualFold(a.Account, "ada@example.org") {
		t.Errorf("%+v, %v", a, err)
	}
	form = request()
	form.Set("response_mode", "fragment")
	_, err := p.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "response_mode is not supported")
	var refused *oauth.AuthorizeError
	if !asAuthorize(err, &refused) || refused.Response == nil || refused.Response.Mode != requests.ModeQuery {
		t.Errorf("%+v", refused)
	}
}

// The status of a refusal is that of its specification: RFC 6750 §3.1, RFC 9449 §8, RFC 6749 §5.2.
func TestStatuses(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	k := openBank(t)
	_, unsent := p.userInfo("", "")
	_, nonce := k.redeemAt(alias+"/token", k.codeAt(alias), shown{certificate: k.certificate, proof: map[string]any{"nonce": nil}})
	_, proof := k.redeemAt(alias+"/token", k.codeAt(alias), shown{certificate: k.certificate, proof: map[string]any{"htm": "GET"}})
	form := p.broker(refreshRequest(p.stockTokens()["refresh_token"]))
	form.Set("scope", "email")
	narrow, err := p.refresh(form)
	p.must(err)
	for name, row := range map[string]struct {
		err    error
		status int
	}{
		"no token": {unsent, http.StatusUnauthorized}, "a token of nobody's": {p.access("x"), http.StatusUnauthorized}, "a narrow one": {p.access(narrow["access_token"]), http.StatusForbidden},
		"no nonce": {nonce, http.StatusBadRequest}, "a wrong proof": {proof, http.StatusBadRequest}, "an outage": {p.failing("get token", func() error { return p.access("x") }), http.StatusServiceUnavailable},
	} {
		var shown *problem.Error
		if !errors.As(row.err, &shown) || shown.Status != row.status {
			t.Errorf("%s: %v", name, row.err)
		}
	}
}

// A token that is bound to no certificate works beside any: many connections have one for other reasons.
func TestUnboundTokensBesideACertificate(t *testing.T) {
	k := openBank(t)
	access, _ := k.mustRedeem()["access_token"].(string)
	for name, s := range map[string]shown{"with one": {certificate: k.stranger, scheme: "Bearer", token: access}, "without": {scheme: "Bearer", token: access}} {
		if _, err := k.Access(k.at(http.MethodGet, issuer+"/userinfo", nil, s)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := assemble(t, contract.Tenant{}, nil)
	client, err := p.Client(t.Context(), "main-idp")
	p.must(err)
	changed := *client
	changed.UserInfoAlgorithm = "PS256"
	if text, err := p.SignedUserInfo(&changed, map[string]any{"sub": "ada"}); err == nil || text != "" || !strings.Contains(err.Error(), "no signing key for PS256") {
		t.Errorf("%q, %v", text, err)
	}
}

// Without a client_id a request that is over is told on a page: whose form it is nobody knows.
func TestHeldByNobody(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	_, err := p.AuthorizeHeld(t.Context(), url.Values{"request_uri": {"urn:ietf:params:oauth:request_uri:over"}, "redirect_uri": {redirect}})
	var refused *oauth.AuthorizeError
	if !asAuthorize(err, &refused) || refused.Response != nil || refused.Problem.Code != "invalid_request_uri" {
		t.Errorf("%v", err)
	}
	_, err = p.Authorize(t.Context(), url.Values{})
	problemtest.WantRefusal(t, err, "invalid_request", "names no registered client")
}

// Nothing of a server may be missing.
func TestNewNeedsEverything(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	for name, row := range map[string]struct {
		change func(cfg *oauth.Config, deps *oauth.Deps)
		why    string
	}{
		"issuer":         {func(c *oauth.Config, _ *oauth.Deps) { c.Issuer = "" }, `issuer "": an https URL`},
		"issuer's slash": {func(c *oauth.Config, _ *oauth.Deps) { c.Issuer += "/" }, `issuer "https://recover.example.org/": an https URL`},
		"issuer, no URL": {func(c *oauth.Config, _ *oauth.Deps) { c.Issuer = "recover" }, "an absolute URL"},
		"alias, no URL":  {func(c *oauth.Config, _ *oauth.Deps) { c.MutualTLS = "recover" }, "an absolute URL"},
		"a short secret": {func(c *oauth.Config, _ *oauth.Deps) { c.Secret = c.Secret[:31] }, "32 bytes are required, not 31"},
		"a long secret":  {func(c *oauth.Config, _ *oauth.Deps) { c.Secret = make([]byte, 33) }, "32 bytes are required, not 33"},
		"clients":        {func(_ *oauth.Config, d *oauth.Deps) { d.Clients = nil }, "are required"},
		"keys":           {func(_ *oauth.Config, d *oauth.Deps) { d.Keys = nil }, "are required"},
		"store":          {func(_ *oauth.Config, d *oauth.Deps) { d.Store = nil }, "are required"},
		"ring":           {func(_ *oauth.Config, d *oauth.Deps) { d.Ring = nil }, "are required"},
		"source":         {func(_ *oauth.Config, d *oauth.Deps) { d.Source = nil }, "are required"},
		"tenants":        {func(_ *oauth.Config, d *oauth.Deps) { d.Tenants = nil }, "are required"},
		"accounts":       {func(_ *oauth.Config, d *oauth.Deps) { d.Accounts = nil }, "are required"},
		"clock":          {func(_ *oauth.Config, d *oauth.Deps) { d.Clock = nil }, "are required"},
	} {
		cfg, deps := p.cfg, p.deps
		row.change(&cfg, &deps)
		if s, err := oauth.New(cfg, deps); err == nil || s != nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
