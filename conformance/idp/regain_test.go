package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"regain/conformance/jose"
)

// regain is a small and honest Regain: it checks the client's assertion, PKCE and redirect URI, and signs and encrypts
// real tokens. Its journey is one page with one button. A test breaks one thing by setting one field of lies.
type regain struct {
	t      *testing.T
	url    string
	clock  func() time.Time
	client jose.JWKSet
	key    *ecdsa.PrivateKey
	lies   lies

	mu       sync.Mutex
	requests map[string]url.Values // by request_uri, and then by code
	passes   map[string]string     // active ones: pass → account
	used     map[string]bool       // jti of assertions
	counts   map[string]int        // requests by path
}

// lies are what a Regain that is broken, or somebody between, does otherwise.
type lies struct {
	metadata func(m map[string]any)             // edits the metadata
	deny     string                             // end in this OAuth error
	answer   func(q url.Values)                 // edits the authorization response
	idToken  func(claims map[string]any)        // edits the claims before they are signed
	recovery func(claims map[string]any)        // likewise
	pass     func(claims map[string]any)        // edits temporary_access_pass
	signing  *ecdsa.PrivateKey                  // signs the recovery token instead
	inner    func(header map[string]any)        // edits the inner header
	outer    func(header map[string]any)        // edits the outer header
	seal     func(signed string) (string, bool) // encrypts instead, where true
	tokens   func(answer map[string]any)        // edits the token response
	status   map[string]int                     // answers a path with this status and no JSON
	refuse   map[string]string                  // answers a path with status 400 and this OAuth error
}

func newRegain(t *testing.T, clock func() time.Time) *regain {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &regain{
		t: t, clock: clock, key: key, requests: map[string]url.Values{}, passes: map[string]string{}, used: map[string]bool{}, counts: map[string]int{},
	}
}

func (g *regain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts[r.URL.Path]++
	if status, lie := g.lies.status[r.URL.Path]; lie {
		w.WriteHeader(status)
		return
	}
	if code, lie := g.lies.refuse[r.URL.Path]; lie {
		reply(w, http.StatusBadRequest, map[string]any{"error": code})
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		m := map[string]any{
			"issuer": g.url, "authorization_endpoint": g.url + "/authorize", "pushed_authorization_request_endpoint": g.url + "/par",
			"token_endpoint": g.url + "/token", "jwks_uri": g.url + "/jwks", "temporary_access_pass_endpoint": g.url + "/pass/verify",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		}
		if g.lies.metadata != nil {
			g.lies.metadata(m)
		}
		reply(w, http.StatusOK, m)
	case "/jwks":
		reply(w, http.StatusOK, jose.JWKSet{Keys: []jose.JWK{{Key: g.key.Public(), KeyID: "regain", Use: "sig", Algorithm: "ES256"}}})
	case "/par", "/token", "/pass/verify":
		if err := g.authenticate(r); err != nil {
			g.t.Errorf("%s: client authentication: %v", r.URL.Path, err)
			reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
			return
		}
		map[string]func(http.ResponseWriter, *http.Request){"/par": g.push, "/token": g.token, "/pass/verify": g.verify}[r.URL.Path](w, r)
	case "/authorize":
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<form method="post" action="/finish?%s"><button id="have-verified-id">I have a Verified ID</button></form>`, r.URL.RawQuery)
	case "/finish":
		g.finish(w, r)
	default:
		http.NotFound(w, r)
	}
}

// authenticate is RFC 7523 §3 as docs/protocols.md §1 narrows it.
func (g *regain) authenticate(r *http.Request) error {
	if r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return errors.New("client_assertion_type")
	}
	token, err := jose.Parse(r.PostFormValue("client_assertion"))
	if err != nil {
		return err
	}
	keys := g.client.Key(token.KeyID)
	if len(keys) != 1 || keys[0].Use != "sig" || keys[0].Algorithm != "ES256" {
		return fmt.Errorf("kid %q", token.KeyID)
	}
	var claims jose.Claims
	if err := token.Open(keys[0].Key, &claims); err != nil {
		return err
	}
	now := g.clock()
	if claims.ID == "" || g.used[claims.ID] || claims.Expiry == nil || *claims.Expiry > now.Add(5*time.Minute).Unix() || claims.Subject != "main-idp" {
		return errors.New("jti, exp or sub")
	}
	g.used[claims.ID] = true
	return claims.Check("main-idp", g.url, now)
}

func (g *regain) push(w http.ResponseWriter, r *http.Request) {
	f := r.PostForm
	if f.Get("response_type") != "code" || f.Get("scope") != "openid recovery" || f.Get("client_id") != "main-idp" ||
		f.Get("code_challenge_method") != "S256" || len(f.Get("code_challenge")) != 43 || f.Get("state") == "" || f.Get("nonce") == "" || f.Get("login_hint") == "" {
		g.t.Errorf("pushed %v", f)
	}
	uri := "urn:ietf:params:oauth:request_uri:" + text()
	g.requests[uri] = f
	reply(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": 60})
}

func (g *regain) finish(w http.ResponseWriter, r *http.Request) {
	request := g.requests[r.URL.Query().Get("request_uri")]
	answer := url.Values{"iss": {g.url}, "state": {request.Get("state")}}
	if g.lies.deny != "" {
		answer.Set("error", g.lies.deny)
	} else {
		code := text()
		g.requests[code] = request
		answer.Set("code", code)
	}
	if g.lies.answer != nil {
		g.lies.answer(answer)
	}
	http.Redirect(w, r, request.Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

func (g *regain) token(w http.ResponseWriter, r *http.Request) {
	f := r.PostForm
	request, known := g.requests[f.Get("code")]
	delete(g.requests, f.Get("code"))
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	if !known || f.Get("redirect_uri") != request.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != request.Get("code_challenge") {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	access := text()
	hash := sha256.Sum256([]byte(access))
	account, pass, now := request.Get("login_hint"), "PASS"+text(), g.clock()
	g.passes[pass] = account
	id := map[string]any{
		"iss": g.url, "aud": "main-idp", "sub": account, "nonce": request.Get("nonce"), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]), "txn": "the-transaction",
	}
	tap := map[string]any{"value": pass, "starts_at": now.Unix(), "expires_at": now.Add(time.Hour).Unix(), "usable_once": true, "issuer": "local"}
	recovery := map[string]any{
		"iss": g.url, "aud": "main-idp", "sub": account, "nonce": request.Get("nonce"), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"jti": text(), "txn": "the-transaction", "acr": "urn:regain:acr:verified-id-face-check", "amr": []string{"pop", "face"},
		"recovery": map[string]any{"requested_account": id["sub"], "profile": "employees", "mode": "production", "flow": "same_device", "temporary_access_pass": tap},
	}
	for _, edit := range []struct {
		how    func(map[string]any)
		claims map[string]any
	}{{g.lies.idToken, id}, {g.lies.pass, tap}, {g.lies.recovery, recovery}} {
		if edit.how != nil {
			edit.how(edit.claims)
		}
	}
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300,
		"id_token": g.sign(id, g.key, map[string]any{"typ": "JWT"}), "recovery_token": g.sealed(recovery),
	}
	if g.lies.tokens != nil {
		g.lies.tokens(answer)
	}
	reply(w, http.StatusOK, answer)
}

// sealed signs and encrypts the claims of a recovery token.
func (g *regain) sealed(claims map[string]any) string {
	inner := map[string]any{"typ": "recovery+jwt"}
	if g.lies.inner != nil {
		g.lies.inner(inner)
	}
	key := g.key
	if g.lies.signing != nil {
		key = g.lies.signing
	}
	signed := g.sign(claims, key, inner)
	if g.lies.seal != nil {
		if token, done := g.lies.seal(signed); done {
			return token
		}
	}
	outer := sealedAs()
	if g.lies.outer != nil {
		g.lies.outer(outer)
	}
	return g.encrypt(signed, "A256GCM", outer)
}

// sealedAs is the header of a recovery token's outer layer.
func sealedAs() map[string]any { return map[string]any{"typ": "recovery+jwt", "cty": "JWT"} }

func (g *regain) encrypt(signed, encoding string, header map[string]any) string {
	compact, err := jose.Recipient{Key: g.client.Key("enc")[0], Encoding: encoding}.Seal([]byte(signed), header)
	if err != nil {
		g.t.Fatal(err)
	}
	return compact
}

func (g *regain) sign(claims map[string]any, key *ecdsa.PrivateKey, header map[string]any) string {
	header["kid"] = "regain"
	token, err := jose.Sign(key, header, claims)
	if err != nil {
		g.t.Fatal(err)
	}
	return token
}

// verify uses a pass up.
func (g *regain) verify(w http.ResponseWriter, r *http.Request) {
	pass := r.PostFormValue("pass")
	if account, active := g.passes[pass]; !active || account != r.PostFormValue("account") {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	delete(g.passes, pass)
	reply(w, http.StatusOK, map[string]any{"active": true, "usable_once": true, "expires_at": g.clock().Add(time.Hour).Unix(), "txn": "the-transaction"})
}

// give makes a pass without a recovery, as a help desk does.
func (g *regain) give(account string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	pass := "PASS" + text()
	g.passes[pass] = account
	return pass
}

func (g *regain) count(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts[path]
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func text() string { return rand.Text() }
