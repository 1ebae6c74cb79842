package oauth_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/oauth"
	"regain/provider/problem/problemtest"
)

// stock is a request of the stock broker: by value, no PKCE, with a refresh token.
func stock() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {"https://broker.example.org/callback"}, "scope": {"openid email offline_access"},
		"login_hint": {"ada@example.org"}, "state": {"s"},
	}
}

func (b *bench) grant(form url.Values) oauth.Response {
	b.t.Helper()
	response, err := b.Grant(b.t.Context(), b.authorized(form), oauth.Grant{Transaction: "txn", Profile: "employees", Subject: "ada@example.org", AuthTime: b.now, ACR: "urn:acr", AMR: []string{"face"}})
	b.must(err)
	return response
}

// broker adds the broker's credentials.
func (b *bench) broker(form url.Values) url.Values {
	form.Set("client_id", "broker")
	form.Set("client_secret", secret)
	return form
}

// stockTokens are the broker's.
func (b *bench) stockTokens() map[string]any {
	b.t.Helper()
	code := b.grant(stock()).Parameters.Get("code")
	tokens, err := b.redeem(b.broker(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://broker.example.org/callback"}}))
	b.must(err)
	return tokens
}

func (b *bench) refresh(form url.Values) (map[string]any, error) {
	r, read, err := b.post(form)
	if err != nil {
		return nil, err
	}
	return b.Refresh(r, read)
}

func refreshRequest(token any) url.Values {
	text, _ := token.(string)
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}}
}

// Without PKCE on one side there must be none on the other (RFC 9700 registered no request objects.8.2).
func TestStockBroker(t *testing.T) {
	b := setUp(t)
	tokens := b.stockTokens()
	if tokens["token_type"] != "Bearer" || tokens["refresh_token"] == nil {
		t.Errorf("%v", tokens)
	}
	code := b.grant(stock()).Parameters.Get("code")
	request := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://broker.example.org/callback"}, "code_verifier": {verifier}}
	_, err := b.redeem(b.broker(request))
	problemtest.WantRefusal(t, err, "invalid_grant", "code challenge was absent")
	sum := sha256.Sum256([]byte(verifier))
	form := stock()
	form.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	form.Set("code_challenge_method", "S256")
	request.Set("code", b.grant(form).Parameters.Get("code"))
	request.Del("code_verifier")
	_, err = b.redeem(b.broker(request))
	problemtest.WantRefusal(t, err, "invalid_grant", "code verifier must be at least 43 characters")
	request.Set("code_verifier", verifier)
	if _, err = b.redeem(b.broker(request)); err != nil {
		t.Errorf("with PKCE: %v", err)
	}
	form.Set("code_challenge_method", "plain")
	_, err = b.Authorize(t.Context(), form)
	problemtest.WantRefusal(t, err, "invalid_request", "PKCE is required")
}

func TestRefresh(t *testing.T) {
	b := setUp(t)
	tokens := b.stockTokens()
	again, err := b.refresh(b.broker(refreshRequest(tokens["refresh_token"])))
	b.must(err)
	if again["refresh_token"] != nil || again["access_token"] == tokens["access_token"] {
		t.Error("the refresh token was rotated, or the access token was not new")
	}
	info, err := b.userInfo("Bearer "+again["access_token"].(string), "") //nolint:forcetypeassert // a test
	if err != nil || info.Subject != "ada@example.org" || info.Profile != "employees" {
		t.Errorf("%+v, %v", info, err)
	}
	narrow := b.broker(refreshRequest(tokens["refresh_token"]))
	narrow.Set("scope", "openid")
	if got, err := b.refresh(narrow); err != nil || got["scope"] != "openid" {
		t.Errorf("narrower: %v, %v", got["scope"], err)
	}
	narrow.Set("scope", "openid phone")
	_, err = b.refresh(narrow)
	problemtest.WantRefusal(t, err, "invalid_scope", "A refresh cannot add scopes")
	_, err = b.refresh(b.broker(refreshRequest("x")))
	problemtest.WantRefusal(t, err, "invalid_grant", "The refresh token is unknown")
	_, err = b.refresh(b.authenticated("main-idp", refreshRequest(tokens["refresh_token"])))
	problemtest.WantRefusal(t, err, "invalid_grant", "The refresh token is unknown")
	b.now = b.now.Add(30 * 24 * time.Hour)
	_, err = b.refresh(b.broker(refreshRequest(tokens["refresh_token"])))
	problemtest.WantRefusal(t, err, "invalid_grant", "The refresh token is unknown")
}

// A code that is used twice takes the refresh token with it.
func TestCodeReuseRevokesRefreshTokens(t *testing.T) {
	b := setUp(t)
	code := b.grant(stock()).Parameters.Get("code")
	request := func() url.Values {
		return b.broker(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://broker.example.org/callback"}})
	}
	tokens, err := b.redeem(request())
	b.must(err)
	_, err = b.redeem(request())
	problemtest.WantRefusal(t, err, "invalid_grant", "already been used")
	_, err = b.refresh(b.broker(refreshRequest(tokens["refresh_token"])))
	problemtest.WantRefusal(t, err, "invalid_grant", "The refresh token is unknown")
}

func TestIntrospectAndRevoke(t *testing.T) {
	b := setUp(t)
	introspect := func(form url.Values) oauth.Introspection {
		r, read, err := b.post(form)
		b.must(err)
		_, found, err := b.Introspect(r, read)
		b.must(err)
		return found
	}
	revoke := func(form url.Values) {
		r, read, err := b.post(form)
		b.must(err)
		b.must(b.Revoke(r, read))
	}
	of := func(token any) url.Values { return url.Values{"token": {token.(string)}} } //nolint:forcetypeassert // a test
	tokens := b.stockTokens()
	for _, token := range []string{"access_token", "refresh_token"} {
		found := introspect(b.broker(of(tokens[token])))
		if !found.Active || found.Subject != "ada@example.org" || found.ClientID != "broker" || found.Scope != "openid email offline_access" {
			t.Errorf("%s: %+v", token, found)
		}
		if found := introspect(b.authenticated("main-idp", of(tokens[token]))); found != (oauth.Introspection{}) {
			t.Errorf("%s, of another client: %+v", token, found)
		}
		revoke(b.authenticated("main-idp", of(tokens[token])))
		if !introspect(b.broker(of(tokens[token]))).Active {
			t.Errorf("%s: another client revoked it", token)
		}
	}
	if introspect(b.broker(of("x"))).Active {
		t.Error("nonsense is active")
	}
	revoke(b.broker(of("x")))
	revoke(b.broker(of(tokens["refresh_token"])))
	for _, token := range []string{"access_token", "refresh_token"} {
		if introspect(b.broker(of(tokens[token]))).Active {
			t.Errorf("%s: alive after the refresh token was revoked", token)
		}
	}
	tokens = b.stockTokens()
	revoke(b.broker(of(tokens["access_token"])))
	if introspect(b.broker(of(tokens["access_token"]))).Active || !introspect(b.broker(of(tokens["refresh_token"]))).Active {
		t.Error("an access token is revoked alone")
	}
	r, read, err := b.post(b.broker(url.Values{}))
	b.must(err)
	problemtest.WantRefusal(t, b.Revoke(r, read), "invalid_request", "The parameter token is required")
}

// proof makes a DPoP proof for a POST to our token endpoint, or what change makes of it.
func (b *bench) proof(key *ecdsa.PrivateKey, change map[string]any) string {
	b.t.Helper()
	b.jti++
	claims := map[string]any{"jti": strings.Repeat("p", b.jti), "htm": http.MethodPost, "htu": issuer + "/x", "iat": b.now.Unix()}
	for name, value := range change {
		claims[name] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	b.must(err)
	payload, err := json.Marshal(claims)
	b.must(err)
	signed, err := signer.Sign(payload)
	b.must(err)
	text, err := signed.CompactSerialize()
	b.must(err)
	return text
}

// There is no DPoP. With ours, a token that was made with a proof works with that key alone, and not as a bearer token.
func TestFositeNoDPoP(t *testing.T) {
	b := setUp(t)
	key, other := b.newKey("dpop"), b.newKey("other dpop")
	redeem := func(proof string) (map[string]any, error) {
		r, read, err := b.post(b.authenticated("main-idp", tokenRequest(b.code())))
		b.must(err)
		r.Header.Set("DPoP", proof)
		redeemed, err := b.Redeem(r, read, unprepared)
		if err != nil {
			return nil, err
		}
		return b.Tokens(t.Context(), redeemed, nil)
	}
	tokens, err := redeem(b.proof(key, nil))
	b.must(err)
	if tokens["token_type"] != "DPoP" {
		t.Errorf("token_type %v", tokens["token_type"])
	}
	_, err = redeem("nonsense")
	problemtest.WantRefusal(t, err, "invalid_dpop_proof", "is not a compact JWS")
	access, _ := tokens["access_token"].(string)
	sum := sha256.Sum256([]byte(access))
	ath := map[string]any{"ath": base64.RawURLEncoding.EncodeToString(sum[:]), "htm": http.MethodGet, "htu": issuer + "/userinfo"}
	use := func(scheme, proof string) error {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/userinfo", nil)
		r.Header.Set("Authorization", scheme+" "+access)
		if proof != "" {
			r.Header.Set("DPoP", proof)
		}
		_, err := b.Access(r, nil)
		return err
	}
	if err := use("DPoP", b.proof(key, ath)); err != nil {
		t.Errorf("the key's holder: %v", err)
	}
	if err := use("dpop", b.proof(key, ath)); err != nil {
		t.Errorf("the scheme in small letters: %v", err)
	}
	problemtest.WantRefusal(t, use("Bearer", b.proof(key, ath)), "invalid_token", "a DPoP-bound token as Bearer")
	problemtest.WantRefusal(t, use("Bearer", ""), "invalid_token", "a DPoP-bound token as Bearer")
	problemtest.WantRefusal(t, use("DPoP", ""), "invalid_dpop_proof", "there must be one proof, not 0")
	problemtest.WantRefusal(t, use("DPoP", b.proof(other, ath)), "invalid_dpop_proof", "another key is bound")
	problemtest.WantRefusal(t, use("DPoP", b.proof(key, map[string]any{"htm": http.MethodGet, "htu": issuer + "/userinfo"})), "invalid_dpop_proof", "ath is not the access token's")
	access, _ = b.mustRedeem()["access_token"].(string)
	problemtest.WantRefusal(t, use("DPoP", b.proof(key, nil)), "invalid_token", "an unbound token as DPoP") // a bearer token does not become a DPoP one
}

func (b *bench) mustRedeem() map[string]any {
	tokens, err := b.redeem(b.authenticated("main-idp", tokenRequest(b.code())))
	b.must(err)
	return tokens
}

// A code that was asked for with a key is redeemed with that key alone (RFC 9449 no registered key verifies the signature).
func TestDPoPBoundCode(t *testing.T) {
	b := setUp(t)
	key, other := b.newKey("dpop"), b.newKey("other dpop")
	r, read, err := b.post(b.authenticated("main-idp", request()))
	b.must(err)
	r.Header.Set("DPoP", b.proof(key, nil))
	pushed, err := b.Push(r, read)
	b.must(err)
	a, err := b.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
	b.must(err)
	response, err := b.Grant(t.Context(), a, oauth.Grant{Transaction: "txn", Subject: "ada@example.org", AuthTime: b.now, ACR: "urn:acr"})
	b.must(err)
	redeem := func(proof string) error {
		r, read, err := b.post(b.authenticated("main-idp", tokenRequest(response.Parameters.Get("code"))))
		b.must(err)
		if proof != "" {
			r.Header.Set("DPoP", proof)
		}
		_, err = b.Redeem(r, read, unprepared)
		return err
	}
	problemtest.WantRefusal(t, redeem(""), "invalid_dpop_proof", "there must be one proof, not 0")
	problemtest.WantRefusal(t, redeem(b.proof(other, nil)), "invalid_dpop_proof", "another key is bound")
	if err := redeem(b.proof(key, nil)); err != nil {
		t.Errorf("the right key, after wrong ones: %v", err)
	}
	form := b.authenticated("main-idp", request())
	form.Set("dpop_jkt", "another")
	r, read, err = b.post(form)
	b.must(err)
	r.Header.Set("DPoP", b.proof(key, nil))
	_, err = b.Push(r, read)
	problemtest.WantRefusal(t, err, "invalid_dpop_proof", "another key is bound")
}

// There is no JARM. Ours carries one signed JWT, errors included.
func TestFositeNoJARM(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Set("response_mode", "jwt")
	read := func(r oauth.Response) map[string]any {
		t.Helper()
		if len(r.Parameters) != 1 {
			t.Errorf("beside the JWT there is %v", r.Parameters)
		}
		signed, err := jose.ParseSignedCompact(r.Parameters.Get("response"), []jose.SignatureAlgorithm{jose.ES256})
		b.must(err)
		payload, err := signed.Verify(b.keys["server"].Public())
		b.must(err)
		var claims map[string]any
		b.must(json.Unmarshal(payload, &claims))
		if claims["iss"] != issuer || claims["aud"] != "main-idp" || claims["state"] != "s" || claims["exp"] == nil {
			t.Errorf("%v", claims)
		}
		return claims
	}
	if claims := read(b.grant(form)); claims["code"] == nil {
		t.Errorf("no code in %v", claims)
	}
	form.Set("scope", "recovery")
	_, err := b.Authorize(t.Context(), form)
	var refused *oauth.AuthorizeError
	if !asAuthorize(err, &refused) || refused.Response == nil || read(*refused.Response)["error"] != "invalid_scope" {
		t.Errorf("an error: %v", err)
	}
}
