package oauth_test

import (
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"regain/provider/clients"
	"regain/provider/problem/problemtest"
)

// A client that must push gets no answer to a request by value, however it comes (RFC 9126 §6).
func TestUnpushedRequests(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Set("client_id", "legacy idp")
	_, err := b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "This client must push its requests")
	form.Set("request", "x") // an object by value is not pushed either
	_, err = b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "This client must push its requests")
	form = url.Values{"client_id": {"legacy idp"}, "request_uri": {"https://idp.example.org/request.jwt"}}
	_, err = b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "request_uri_not_supported", "Only request URIs of this server")
	for _, uri := range []string{"urn:ietf:params:oauth:request_uri:", "urn:ietf:params:oauth:request_uri:guess"} {
		_, err = b.Authorize(t.Context(), url.Values{"client_id": {"legacy idp"}, "request_uri": {uri}})
		problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already")
	}
}

// downgraded is a server whose one client may leave PKCE out until it is changed.
func downgraded(t *testing.T) (*bench, *clients.Client) {
	t.Helper()
	client := &clients.Client{
		ID: "broker", Name: "Broker", AuthMethod: clients.ClientSecretPost, SecretDigest: sha256.Sum256([]byte(secret)), AllowUnpushed: true, AllowNoPKCE: true,
		RedirectURIs: []string{"https://broker.example.org/callback"}, Scopes: []string{"openid", "email", "offline_access"},
	}
	return serverWith(t, func(*bench) []*clients.Client { return []*clients.Client{client} }), client
}

// A code of a request without a challenge is worth nothing once PKCE is required, and one with a challenge nothing
// without its verifier, whatever the attacker leaves out on either side (RFC 9700 §4.8.2, PKCE downgrade).
func TestPKCEDowngrade(t *testing.T) {
	b, client := downgraded(t)
	redeem := func(code, verifier string) error {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://broker.example.org/callback"}}
		if verifier != "" {
			form.Set("code_verifier", verifier)
		}
		_, err := b.redeem(b.broker(form))
		return err
	}
	bare := b.grant(stock()).Parameters.Get("code")
	client.AllowNoPKCE = false
	problemtest.WantRefusal(t, redeem(bare, ""), "invalid_grant", "had no code_challenge")
	client.AllowNoPKCE = true
	problemtest.WantRefusal(t, redeem(bare, verifier), "invalid_grant", "code challenge was absent")
	if err := redeem(bare, ""); err != nil {
		t.Errorf("without PKCE on either side: %v", err)
	}
	challenged := stock()
	challenged.Set("code_challenge", request().Get("code_challenge"))
	challenged.Set("code_challenge_method", "S256")
	code := b.grant(challenged).Parameters.Get("code")
	problemtest.WantRefusal(t, redeem(code, ""), "invalid_grant", "code verifier must be at least 43 characters")
	problemtest.WantRefusal(t, redeem(code, verifier+"x"), "invalid_grant", "code challenge did not match")
	if err := redeem(code, verifier); err != nil {
		t.Errorf("with the verifier: %v", err)
	}
}

// A client whose tokens are bound to a certificate gets none without one, however it authenticates, and not at a refresh.
func TestCertificateBoundTokens(t *testing.T) {
	b, client := downgraded(t)
	client.CertificateBound = true
	certificate := b.certify(pkixName("broker"), nil)
	redeem := func(form url.Values, shown *x509.Certificate) (map[string]any, error) {
		r, read, err := b.post(b.broker(form))
		b.must(err)
		withTLS(r, shown)
		if form.Get("grant_type") == "refresh_token" {
			return b.Refresh(r, read)
		}
		redeemed, err := b.Redeem(r, read, unprepared)
		if err != nil {
			return nil, err
		}
		return b.Tokens(t.Context(), redeemed, nil)
	}
	code := url.Values{"grant_type": {"authorization_code"}, "code": {b.grant(stock()).Parameters.Get("code")}, "redirect_uri": {"https://broker.example.org/callback"}}
	_, err := redeem(code, nil)
	problemtest.WantRefusal(t, err, "invalid_request", "bound to its certificate")
	tokens, err := redeem(code, certificate)
	b.must(err)
	_, err = redeem(refreshRequest(tokens["refresh_token"]), nil)
	problemtest.WantRefusal(t, err, "invalid_request", "bound to its certificate")
	again, err := redeem(refreshRequest(tokens["refresh_token"]), certificate)
	b.must(err)
	for _, token := range []any{tokens["access_token"], again["access_token"]} {
		access, _ := token.(string)
		for shown, why := range map[*x509.Certificate]string{nil: "another certificate", b.certify(pkixName("other"), nil): "another certificate", certificate: ""} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/userinfo", nil)
			r.Header.Set("Authorization", "Bearer "+access)
			withTLS(r, shown)
			if _, err := b.Access(r, nil); why != "" {
				problemtest.WantRefusal(t, err, "invalid_token", why)
			} else if err != nil {
				t.Errorf("its holder: %v", err)
			}
		}
		r, read, err := b.post(b.broker(url.Values{"token": {access}}))
		b.must(err)
		_, found, err := b.Introspect(r, read)
		if err != nil || found.Binding == nil || found.Binding.Certificate == "" || found.Binding.Key != "" || found.TokenType != "Bearer" {
			t.Errorf("introspection: %+v, %v", found, err)
		}
	}
}

// An access token is sent once, in the header or in the body of a POST, and means nothing anywhere else (RFC 6750 §2).
func TestHowTokensAreSent(t *testing.T) {
	b := setUp(t)
	access, _ := b.mustRedeem()["access_token"].(string)
	for name, row := range map[string]struct {
		method    string
		headers   []string
		form      url.Values
		code, why string
	}{
		"in the header":                {http.MethodGet, []string{"Bearer " + access}, nil, "", ""},
		"in the header of a POST":      {http.MethodPost, []string{"Bearer " + access}, nil, "", ""},
		"in the body":                  {http.MethodPost, nil, url.Values{"access_token": {access}}, "", ""},
		"in the body of a GET":         {http.MethodGet, nil, url.Values{"access_token": {access}}, "invalid_token", "Send the access token as Authorization"},
		"in both":                      {http.MethodPost, []string{"Bearer " + access}, url.Values{"access_token": {access}}, "invalid_request", "Send the access token once"},
		"in both, one of another":      {http.MethodPost, []string{"Bearer x"}, url.Values{"access_token": {access}}, "invalid_request", "Send the access token once"},
		"in two headers":               {http.MethodGet, []string{"Bearer " + access, "Bearer " + access}, nil, "invalid_request", "Send the access token once"},
		"as DPoP in the body":          {http.MethodPost, []string{"DPoP " + access}, url.Values{"access_token": {access}}, "invalid_request", "Send the access token once"},
		"nowhere":                      {http.MethodPost, nil, url.Values{}, "invalid_token", "Send the access token as Authorization"},
		"as a scheme alone":            {http.MethodGet, []string{"Bearer"}, nil, "invalid_token", "Send the access token as Authorization"},
		"with another scheme":          {http.MethodGet, []string{"Basic " + access}, nil, "invalid_token", "Send the access token as Authorization"},
		"cut":                          {http.MethodGet, []string{"Bearer " + access[:len(access)-1]}, nil, "invalid_token", "unknown, expired or revoked"},
		"a token of another kind":      {http.MethodPost, nil, url.Values{"access_token": {b.code()}}, "invalid_token", "unknown, expired or revoked"},
		"the ID token":                 {http.MethodGet, []string{"Bearer " + b.mustRedeem()["id_token"].(string)}, nil, "invalid_token", "unknown, expired or revoked"}, //nolint:forcetypeassert // a test
		"with a proof it is not bound": {http.MethodGet, []string{"DPoP " + access}, nil, "invalid_token", "an unbound token as DPoP"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), row.method, issuer+"/userinfo", nil)
		for _, header := range row.headers {
			r.Header.Add("Authorization", header)
		}
		if got, err := b.Access(r, row.form); row.why != "" {
			problemtest.WantRefusal(t, err, row.code, row.why)
		} else if err != nil || got.Subject != "ada@example.org" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// A token that is bound to nothing says so: a resource server must not have to guess.
	r, read, err := b.post(b.authenticated("main-idp", url.Values{"token": {access}}))
	b.must(err)
	if _, found, err := b.Introspect(r, read); err != nil || !found.Active || found.Binding != nil || found.TokenType != "Bearer" || found.Expiry-found.IssuedAt != 600 || found.Issuer != issuer {
		t.Errorf("introspection: %+v, %v", found, err)
	}
	r, read, err = b.post(b.authenticated("main-idp", url.Values{}))
	b.must(err)
	_, _, err = b.Introspect(r, read)
	problemtest.WantRefusal(t, err, "invalid_request", "The parameter token is required")
}

// A refresh token is bound as it was: with DPoP where a proof comes, and it is no access token.
func TestRefreshedTokensAreBound(t *testing.T) {
	b := setUp(t)
	tokens := b.stockTokens()
	key := b.newKey("dpop")
	r, read, err := b.post(b.broker(refreshRequest(tokens["refresh_token"])))
	b.must(err)
	r.Header.Set("DPoP", b.proof(key, nil))
	bound, err := b.Refresh(r, read)
	b.must(err)
	access, _ := bound["access_token"].(string)
	_, err = b.userInfo("Bearer "+access, "")
	problemtest.WantRefusal(t, err, "invalid_token", "a DPoP-bound token as Bearer")
	refresh, _ := tokens["refresh_token"].(string)
	_, err = b.userInfo("Bearer "+refresh, "")
	problemtest.WantRefusal(t, err, "invalid_token", "unknown, expired or revoked")
	if bound["token_type"] != "DPoP" {
		t.Errorf("token_type %v", bound["token_type"])
	}
}
