package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/requests"
	"regain/recovery"
	"regain/storage"
)

// While the store does not answer, no endpoint gives anything out, and none calls invalid what it could not look up: the
// client may try again, and then it goes on.
func TestTheStoreDoesNotAnswer(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	tokens := p.stockTokens()
	pushed, err := p.push(p.authenticated("main-idp", request()))
	p.must(err)
	visit := func() (requests.Authorization, error) {
		return p.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
	}
	waiting, err := visit()
	p.must(err)
	code, key := p.brokersCode(), p.newKey("dpop")
	refreshing := func() error { _, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"]))); return err }
	introspecting := func() error {
		found, err := p.introspect(p.broker(tokenForm(tokens["access_token"])))
		if found != (oauth.Introspection{}) && err != nil {
			t.Errorf("an outage says %+v", found)
		}
		return err
	}
	using := func() error { return p.access(tokens["access_token"]) }
	redeeming := func() error { _, err := p.redeem(cloned(code)); return err }
	for _, row := range []struct {
		what string
		call func() error
	}{
		{"create par", func() error { _, err := p.push(p.authenticated("main-idp", request())); return err }},
		{"create par", func() error { _, err := p.Hold(t.Context(), p.authorized(request())); return err }},
		{"get par", func() error { _, err := visit(); return err }},
		{"get par", func() error { _, err := p.Hold(t.Context(), waiting); return err }},
		{"update par", func() error { _, err := p.Hold(t.Context(), waiting); return err }},
		{"create jti", func() error { _, err := p.push(p.authenticated("main-idp", request())); return err }},
		{"create dpop", func() error { _, err := p.Push(p.withProof(p.authenticated("main-idp", request()), key)); return err }},
		{"create dpop", func() error { _, err := p.Redeem(first(p.withProof(cloned(code), key))); return err }},
		{"create dpop", func() error {
			_, err := p.Refresh(p.withProof(p.broker(refreshRequest(tokens["refresh_token"])), key))
			return err
		}},
		{"get code", redeeming}, {"update code", redeeming},
		{"get token", using}, {"get token", introspecting}, {"get token", func() error { return p.revoke(p.broker(tokenForm(tokens["access_token"]))) }},
		{"get refresh", refreshing}, {"create token", refreshing},
		{"get refresh", func() error { return p.revoke(p.broker(tokenForm(tokens["refresh_token"]))) }},
		{"get refresh", func() error { _, err := p.introspect(p.broker(tokenForm(tokens["refresh_token"]))); return err }},
	} {
		problemtest.WantRefusal(t, p.failing(row.what, row.call), "temporarily_unavailable", "down")
	}
	for name, call := range map[string]func() error{"visit": func() error { _, err := visit(); return err }, "hold": func() error { _, err := p.Hold(t.Context(), waiting); return err }, "redeem": redeeming, "use": using} {
		if err := call(); err != nil {
			t.Errorf("when it answers again, %s: %v", name, err)
		}
	}
	found, err := p.introspect(p.broker(tokenForm(tokens["access_token"])))
	if err != nil || !found.Active {
		t.Errorf("introspection when it answers again: %+v, %v", found, err)
	}
}

// first adapts a request with its form to Redeem.
func first(r *http.Request, form url.Values) (*http.Request, url.Values, func(oauth.Redemption) error) {
	return r, form, unprepared
}

// A revocation that was not carried out is not reported as one (RFC 7009 §2.2.1), wherever it stops.
func TestRevocationsThatFail(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	for what, token := range map[string]string{"delete token": "access_token", "list token": "refresh_token", "delete refresh": "refresh_token"} {
		tokens := p.stockTokens()
		form := func() url.Values { return p.broker(tokenForm(tokens[token])) }
		problemtest.WantRefusal(t, p.failing(what, func() error { return p.revoke(form()) }), "temporarily_unavailable", "revoke token")
		if err := p.revoke(form()); err != nil {
			t.Errorf("%s, again: %v", what, err)
		}
		if found, err := p.introspect(form()); err != nil || found.Active {
			t.Errorf("%s, when it was revoked: %+v, %v", what, found, err)
		}
		if found, err := p.introspect(p.broker(tokenForm(tokens["access_token"]))); err != nil || found.Active { // which a refresh token takes along, also at the second try
			t.Errorf("%s, the access token: %+v, %v", what, found, err)
		}
	}
}

// All access tokens of a grant end with its code's second use, however many there are, and with no other grant's.
func TestManyTokensOfOneGrant(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	code := p.brokersCode()
	tokens, err := p.redeem(cloned(code))
	p.must(err)
	others := p.stockTokens()
	all := []any{tokens["access_token"]}
	for range 230 {
		more, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"])))
		p.must(err)
		all = append(all, more["access_token"])
	}
	_, err = p.redeem(cloned(code))
	problemtest.WantRefusal(t, err, "invalid_grant", "already been used")
	for i, token := range all {
		if p.access(token) == nil {
			t.Fatalf("token %d works after its code was used twice", i)
		}
	}
	if err := p.access(others["access_token"]); err != nil {
		t.Errorf("another grant's token: %v", err)
	}
}

// A code that somebody else claimed meanwhile, or that ended, is used; and what the caller prepares comes before the claim.
func TestClaims(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	for _, meanwhile := range []error{storage.ErrConflict, storage.ErrNotFound} {
		code := p.brokersCode()
		p.store.err = meanwhile
		problemtest.WantRefusal(t, p.failing("update code", func() error { _, err := p.redeem(code); return err }), "invalid_grant", "already been used")
	}
	p.store.err = errDown
	code := p.brokersCode()
	r, read, err := p.post(cloned(code))
	p.must(err)
	unready := errors.New("unready")
	if _, err := p.Redeem(r, read, func(got oauth.Redemption) error {
		if got.Transaction != "txn" || got.Profile != "employees" || got.Subject != "ada@example.org" || got.Client.ID != "broker" || got.CodeID == "" || got.Recovery || got.Failed || got.FromSession || got.ACR != "urn:acr" || !got.AuthTime.Equal(p.now) {
			t.Errorf("%+v", got)
		}
		return unready
	}); !errors.Is(err, unready) {
		t.Errorf("what could not be prepared: %v", err)
	}
	if _, err := p.redeem(code); err != nil {
		t.Errorf("the code is used up by what failed before it: %v", err)
	}
	for what, want := range map[string]string{"create token": "down", "create refresh": "store refresh token: down"} {
		code := p.brokersCode()
		r, read, err := p.post(code)
		p.must(err)
		redeemed, err := p.Redeem(r, read, unprepared)
		p.must(err)
		err = p.failing(what, func() error { _, err := p.Tokens(t.Context(), redeemed, nil); return err })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An answer that could not be stored is none, and a pushed request that could not be forgotten gets none.
func TestAnswersThatFail(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	pushed, err := p.push(p.authenticated("main-idp", request()))
	p.must(err)
	a, err := p.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
	p.must(err)
	granting := func() error {
		response, err := p.Grant(t.Context(), a, oauth.Grant{Transaction: "txn", Subject: "ada", AuthTime: p.now})
		if err != nil && response.Parameters.Get("code") != "" {
			t.Error("a code comes with an error")
		}
		return err
	}
	rejecting := func() error { _, err := p.Reject(t.Context(), a, problem.AccessDenied("no")); return err }
	for _, row := range []struct {
		what, why string
		call      func() error
	}{{"create code", "make authorization code", granting}, {"delete par", "forget pushed request: down", granting}, {"delete par", "forget pushed request: down", rejecting}} {
		if err := p.failing(row.what, row.call); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", row.what, err)
		}
	}
	p.must(granting())
	_, err = p.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
	problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already") // FAPI 2.0 Security Profile §5.3.2.2 Note 3
	if _, err := p.Grant(t.Context(), p.authorized(request()), oauth.Grant{Failed: true}); err == nil || !strings.Contains(err.Error(), "a person who was not approved gets no code") {
		t.Errorf("a failure: %v", err)
	}
	broken := p.authorized(request())
	broken.Form = url.Values{"client_id": {"main-idp"}}
	if _, err := p.Grant(t.Context(), broken, oauth.Grant{}); err == nil || !strings.Contains(err.Error(), "check the authorization request again") {
		t.Errorf("a stored request that is none: %v", err)
	}
	p.registry.err = errDown
	for name, call := range map[string]func() error{
		"grant": granting, "reject": rejecting, "visit": func() error { _, err := p.Authorize(t.Context(), request()); return err },
		"held":     func() error { _, err := p.AuthorizeHeld(t.Context(), request()); return err },
		"sign-out": func() error { _, err := p.ReadLogout(t.Context(), url.Values{"client_id": {"main-idp"}}); return err },
	} {
		if err := call(); !errors.Is(err, errDown) {
			t.Errorf("%s while no client can be looked up: %v", name, err)
		}
	}
}

// A token is its account's, and ends with it: at every endpoint, and no outage of the directory ends one.
func TestAccountsThatMayHaveNoTokens(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	tokens, code := p.stockTokens(), p.brokersCode()
	redeeming := func() error { _, err := p.redeem(cloned(code)); return err }
	refreshing := func() error { _, err := p.refresh(p.broker(refreshRequest(tokens["refresh_token"]))); return err }
	using := func() error { return p.access(tokens["access_token"]) }
	p.accounts.err = errDown
	for _, call := range []func() error{redeeming, refreshing, using} {
		problemtest.WantRefusal(t, call(), "temporarily_unavailable", "down")
	}
	for _, token := range []string{"access_token", "refresh_token"} {
		_, err := p.introspect(p.broker(tokenForm(tokens[token])))
		problemtest.WantRefusal(t, err, "temporarily_unavailable", "down")
	}
	p.accounts.err = recovery.ErrIneligible
	problemtest.WantRefusal(t, redeeming(), "invalid_grant", "may have no tokens any more")
	problemtest.WantRefusal(t, refreshing(), "invalid_grant", "may have no tokens any more")
	problemtest.WantRefusal(t, using(), "invalid_token", "may have none any more")
	for _, token := range []string{"access_token", "refresh_token"} {
		if found, err := p.introspect(p.broker(tokenForm(tokens[token]))); err != nil || found != (oauth.Introspection{}) {
			t.Errorf("%s: %+v, %v", token, found, err)
		}
	}
	p.accounts.err = nil
	for name, call := range map[string]func() error{"redeem": redeeming, "refresh": refreshing, "use": using} {
		if err := call(); err != nil {
			t.Errorf("%s, when it may again: %v", name, err)
		}
	}
}

// A code that is withdrawn redeems no more; if it was redeemed before, its tokens are gone (RFC 6749 §4.1.2).
func TestWithdraw(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	grant := func() (url.Values, string) {
		response := p.grant(stock())
		return p.broker(url.Values{"grant_type": {"authorization_code"}, "code": {response.Parameters.Get("code")}, "redirect_uri": {"https://broker.example.org/callback"}}), response.CodeID
	}
	code, id := grant()
	p.must(p.Withdraw(t.Context(), id))
	_, err := p.redeem(cloned(code))
	problemtest.WantRefusal(t, err, "invalid_grant", "already been used")
	p.must(p.Withdraw(t.Context(), id))
	p.must(p.Withdraw(t.Context(), "unknown"))

	for _, what := range []string{"list token", "delete token", "list refresh", "delete refresh", "get code"} {
		code, id := grant()
		_, err := p.redeem(code)
		p.must(err)
		if err := p.failing(what, func() error { return p.Withdraw(t.Context(), id) }); err == nil || !strings.Contains(err.Error(), "withdraw code") || !errors.Is(err, errDown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	code, id = grant()
	tokens, err := p.redeem(code)
	p.must(err)
	p.must(p.Withdraw(t.Context(), id))
	problemtest.WantRefusal(t, p.access(tokens["access_token"]), "invalid_token", "unknown, expired or revoked")
	_, err = p.refresh(p.broker(refreshRequest(tokens["refresh_token"])))
	problemtest.WantRefusal(t, err, "invalid_grant", "The refresh token is unknown")

	code, id = grant()
	if err := p.failing("update code", func() error { return p.Withdraw(t.Context(), id) }); !errors.Is(err, errDown) {
		t.Errorf("a withdrawal that was not stored: %v", err)
	}
	if _, err := p.redeem(code); err != nil {
		t.Errorf("after a withdrawal that failed: %v", err)
	}
}

// A request that ended while the person typed is told to the client where the form says, if that is registered, and is shown
// as a page otherwise.
func TestHeldTooLong(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	form := url.Values{"client_id": {"main-idp"}, "request_uri": {"urn:ietf:params:oauth:request_uri:over"}, "redirect_uri": {redirect}, "state": {"s"}}
	_, err := p.AuthorizeHeld(t.Context(), form)
	problemtest.WantRefusal(t, err, "access_denied", "did not name the account in time")
	var refused *oauth.AuthorizeError
	if !asAuthorize(err, &refused) || refused.Response == nil || refused.Response.RedirectURI != redirect || refused.Response.Parameters.Get("error") != "access_denied" || refused.Response.Parameters.Get("state") != "s" || refused.Response.Parameters.Get("iss") != issuer {
		t.Errorf("%+v", refused)
	}
	for name, change := range map[string]url.Values{"an address of another's": {"redirect_uri": {"https://evil.example/"}}, "no address": {"redirect_uri": nil}, "a client of nobody's": {"client_id": {"nobody"}}} {
		changed := cloned(form)
		for parameter, values := range change {
			if changed[parameter] = values; values == nil {
				changed.Del(parameter)
			}
		}
		_, err := p.AuthorizeHeld(t.Context(), changed)
		if !asAuthorize(err, &refused) || refused.Response != nil || refused.Problem.Code == "access_denied" {
			t.Errorf("%s: %v", name, err)
		}
	}
	changed := request()
	changed.Set("response_type", "token") // what is wrong for another reason stays so
	_, err = p.AuthorizeHeld(t.Context(), changed)
	problemtest.WantRefusal(t, err, "unsupported_response_type", "")
	if a, err := p.AuthorizeHeld(t.Context(), request()); err != nil || a.Account != "ada@example.org" {
		t.Errorf("in time: %+v, %v", a, err)
	}
}

// A certificate that cannot be read is not one that is not there.
func TestCertificatesThatCannotBeRead(t *testing.T) {
	b, client := downgraded(t)
	client.CertificateBound = true
	certificate := b.certify(pkixName("broker"), nil)
	code := b.broker(url.Values{"grant_type": {"authorization_code"}, "code": {b.grant(stock()).Parameters.Get("code")}, "redirect_uri": {"https://broker.example.org/callback"}})
	r, read, err := b.post(code)
	b.must(err)
	withTLS(r, certificate)
	for range 4 {
		r.TLS.PeerCertificates = append(r.TLS.PeerCertificates, certificate)
	}
	_, err = b.Redeem(r, read, unprepared)
	problemtest.WantRefusal(t, err, "invalid_request", "a chain of 5 certificates")
	long := r.TLS
	r, read, err = b.post(code)
	b.must(err)
	withTLS(r, certificate)
	redeemed, err := b.Redeem(r, read, unprepared)
	b.must(err)
	tokens, err := b.Tokens(t.Context(), redeemed, nil)
	b.must(err)
	access, _ := tokens["access_token"].(string)
	r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+access)
	r.TLS = long
	_, err = b.Access(r, nil)
	problemtest.WantRefusal(t, err, "invalid_request", "a chain of 5 certificates")
}
