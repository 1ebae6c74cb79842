package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/idp/visitor"
	"regain/conformance/jose"
)

// TestRecovery is the journey of the design, from the sign-in page to a new passkey that signs in.
func TestRecovery(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	page := w.recover(v, "  Ada@Example.org ")
	want(t, page, http.StatusOK, "recovered")
	if page.URL.Path != "/recovered" || page.URL.RawQuery != "" || page.Attr("pass", "type") != "password" || page.Attr("pass", "autocomplete") != "off" {
		t.Errorf("page %s, %s", page.URL, page.Body)
	}
	pass := page.Attr("pass", "value")
	if !strings.HasPrefix(pass, "PASS") || strings.Contains(page.Text(), pass) || !strings.Contains(page.Text(), ada) {
		t.Errorf("pass %q on %s", pass, page.Text())
	}
	if again := w.open(v.Browser, "/recovered"); again.Attr("pass", "value") != pass {
		t.Error("a reload lost the pass")
	}
	if _, err := v.SignInWithPass(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	created, err := v.CreatePasskey(t.Context())
	if err != nil || !strings.Contains(created.Text(), ada) {
		t.Fatalf("%v: %v", created, err)
	}
	for _, account := range []string{"", ada, "ADA@example.org"} {
		home, err := v.SignInAs(t.Context(), account)
		if err != nil || home.Attr("signed-in", "data-account") != ada {
			t.Fatalf("as %q: %v", account, err)
		}
	}
	w.press(v.Browser, w.open(v.Browser, "/home"), "sign-out")
	w.nothing(v.Browser)
	for _, secret := range []string{pass, "PASS", "code=", "eyJ"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(w.log.String(), `"txn":"the-transaction"`) {
		t.Error("the log does not name the transaction")
	}
}

// TestRefusedRecoveries breaks one thing of a good recovery in each row.
func TestRefusedRecoveries(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	without := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	says := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) {
			if inner, ok := c["recovery"].(map[string]any); ok {
				inner[name] = value
			}
		}
	}
	mode := func(value any) func(map[string]any) { return says("mode", value) }
	answer := func(name string, values ...string) func(url.Values) { return func(q url.Values) { q[name] = values } }
	past := func(claims map[string]any) {
		claims["iat"], claims["exp"] = time.Now().Add(-10*time.Minute).Unix(), time.Now().Add(-6*time.Minute).Unix()
	}
	const invalid = "invalid_response"
	for name, c := range map[string]struct {
		lies lies
		code string
	}{
		"denied":                        {lies{deny: "access_denied"}, "access_denied"},
		"out of order":                  {lies{deny: "temporarily_unavailable"}, "temporarily_unavailable"},
		"an error that is none":         {lies{deny: `"><script>`}, invalid},
		"wrong state":                   {lies{answer: answer("state", "another")}, invalid},
		"no state":                      {lies{answer: answer("state")}, invalid},
		"wrong iss":                     {lies{answer: answer("iss", "https://evil.example")}, invalid},
		"no iss":                        {lies{answer: answer("iss")}, invalid},
		"wrong iss with an error":       {lies{deny: "access_denied", answer: answer("iss", "https://evil.example")}, invalid},
		"two states":                    {lies{answer: func(q url.Values) { q.Add("state", "another") }}, invalid},
		"two codes":                     {lies{answer: func(q url.Values) { q.Add("code", "another") }}, invalid},
		"code and error":                {lies{answer: answer("error", "access_denied")}, invalid},
		"neither code nor error":        {lies{answer: answer("code")}, invalid},
		"a code that Regain never gave": {lies{answer: answer("code", "made-up")}, "invalid_grant"},
		"no ID token":                   {lies{tokens: without("id_token")}, invalid},
		"ID token: another nonce":       {lies{idToken: set("nonce", "another")}, invalid},
		"ID token: no nonce":            {lies{idToken: without("nonce")}, invalid},
		"ID token: another issuer":      {lies{idToken: set("iss", "https://evil.example")}, invalid},
		"ID token: another client":      {lies{idToken: set("aud", "other-idp")}, invalid},
		"ID token: two clients":         {lies{idToken: set("aud", []string{"main-idp", "other-idp"})}, invalid},
		"ID token: another account":     {lies{idToken: set("sub", bob)}, invalid},
		"ID token: expired":             {lies{idToken: past}, invalid},
		"ID token: no transaction":      {lies{idToken: without("txn")}, invalid},
		"ID token: another access":      {lies{tokens: set("access_token", "another")}, invalid},
		"no recovery token":             {lies{tokens: without("recovery_token")}, invalid},
		"another issuer":                {lies{recovery: set("iss", "https://evil.example")}, invalid},
		"another client":                {lies{recovery: set("aud", "other-idp")}, invalid},
		"two clients":                   {lies{recovery: set("aud", []string{"main-idp", "other-idp"})}, invalid},
		"another account":               {lies{recovery: set("sub", bob)}, invalid},
		"another account was named":     {lies{recovery: says("requested_account", bob)}, invalid},
		"another nonce":                 {lies{recovery: set("nonce", "another")}, invalid},
		"no nonce":                      {lies{recovery: without("nonce")}, invalid},
		"expired":                       {lies{recovery: past}, invalid},
		"no expiry":                     {lies{recovery: without("exp")}, invalid},
		"no time of issue":              {lies{recovery: without("iat")}, invalid},
		"lives too long":                {lies{recovery: set("exp", time.Now().Add(time.Hour).Unix())}, invalid},
		"from the future":               {lies{recovery: set("iat", time.Now().Add(4*time.Minute).Unix())}, invalid},
		"evaluation":                    {lies{recovery: mode("evaluation")}, invalid},
		"no mode":                       {lies{recovery: mode("")}, invalid},
		"another transaction":           {lies{recovery: set("txn", "another")}, invalid},
		"another acr":                   {lies{recovery: set("acr", "urn:regain:acr:other")}, invalid},
		"no jti":                        {lies{recovery: without("jti")}, invalid},
		"claims of another shape":       {lies{recovery: set("recovery", "yes")}, invalid},
		"no pass":                       {lies{pass: set("value", "")}, invalid},
		"a pass that has expired":       {lies{pass: set("expires_at", time.Now().Add(-time.Minute).Unix())}, invalid},
		"signed by another key":         {lies{signing: other}, invalid},
		"inner typ":                     {lies{inner: func(h map[string]any) { h["typ"] = "JWT" }}, invalid},
		"outer typ":                     {lies{outer: func(h map[string]any) { h["typ"] = "JWT" }}, invalid},
		"outer cty":                     {lies{outer: func(h map[string]any) { h["cty"] = "json" }}, invalid},
		"not encrypted":                 {lies{seal: func(signed string) (string, bool) { return signed, true }}, invalid},
		"not a token":                   {lies{seal: func(string) (string, bool) { return "a.b.c.d.e", true }}, invalid},
		"the ID token again":            {lies{tokens: func(a map[string]any) { a["recovery_token"] = a["id_token"] }}, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.regain.lies = c.lies
			v := w.visitor()
			page := w.recover(v, ada)
			want(t, page, http.StatusForbidden, "recovery-failed")
			if got := page.Attr("recovery-failed", "data-error"); got != c.code {
				t.Errorf("data-error %q, want %q", got, c.code)
			}
			if strings.Contains(string(page.Body), "PASS") {
				t.Error("the page has the pass")
			}
			for _, secret := range []string{"PASS", "eyJ", "code="} {
				if strings.Contains(w.log.String(), secret) {
					t.Errorf("the log has %q", secret)
				}
			}
			w.nothing(v.Browser)
			w.regain.lies = lies{}
			want(t, w.open(v.Browser, page.URL.RequestURI()), http.StatusForbidden, "recovery-failed") // the attempt is used up
		})
	}
}

// TestRecoveryTokenSealedOtherwise encrypts good claims in ways that are not the agreed one.
func TestRecoveryTokenSealedOtherwise(t *testing.T) {
	for name, seal := range map[string]func(g *regain, signed string) string{
		"another content encryption": func(g *regain, signed string) string {
			return g.encrypt(signed, "A128GCM", sealedAs())
		},
		"to another key": func(g *regain, signed string) string {
			mine := g.client
			defer func() { g.client = mine }()
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				g.t.Fatal(err)
			}
			g.client = jose.JWKSet{Keys: []jose.JWK{{Key: key.Public(), KeyID: "enc", Algorithm: jose.ECDHES}}}
			return g.encrypt(signed, "A256GCM", sealedAs())
		},
		"claims that are not signed": func(g *regain, _ string) string {
			return g.encrypt(`{"sub":"`+ada+`"}`, "A256GCM", sealedAs())
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.regain.lies.seal = func(signed string) (string, bool) { return seal(w.regain, signed), true }
			want(t, w.recover(w.visitor(), ada), http.StatusForbidden, "recovery-failed")
		})
	}
}

// TestReplayedRecoveryToken has Regain send a token that it sent before, with everything else fresh.
func TestReplayedRecoveryToken(t *testing.T) {
	w := newWorld(t)
	w.regain.lies.recovery = func(c map[string]any) { c["jti"] = "the same" }
	want(t, w.recover(w.visitor(), ada), http.StatusOK, "recovered")
	want(t, w.recover(w.visitor(), ada), http.StatusForbidden, "recovery-failed")
}

// TestCallbackInAnotherBrowser carries the answer to a browser that did not start the recovery: nobody gets the pass.
func TestCallbackInAnotherBrowser(t *testing.T) {
	for name, prepare := range map[string]func(w *env, v *visitor.Visitor){
		"that has no recovery": func(*env, *visitor.Visitor) {},
		"that recovers the same account": func(w *env, v *visitor.Visitor) {
			if _, err := v.Recover(w.t.Context(), ada); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var callback string
			starting := browser.New(browser.Config{HTTPClient: &http.Client{Transport: local()}, Clock: w.clock.Now, StopAt: func(u *url.URL) bool { return u.Path == "/callback" }})
			v, err := visitor.New(starting, w.url)
			if err != nil {
				t.Fatal(err)
			}
			callback = w.recover(v, ada).URL.RequestURI()
			other := w.visitor()
			prepare(w, other)
			want(t, w.open(other.Browser, callback), http.StatusForbidden, "recovery-failed")
			w.nothing(other.Browser)
			if w.regain.count("/token") != 0 {
				t.Error("the code was redeemed")
			}
			// The code was seen elsewhere, so it is no good where it belongs either.
			if page := w.recoverAt(v, callback); page.Status != http.StatusForbidden {
				t.Errorf("page %q", page.Title)
			}
		})
	}
}

// recoverAt opens the callback with the cookies of a visitor whose own browser stops there.
func (w *env) recoverAt(v *visitor.Visitor, callback string) *browser.Page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+callback, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	cookies := v.Browser.Cookies(w.url + callback)
	if len(cookies) != 1 {
		w.t.Fatalf("cookies %v", cookies)
	}
	r.AddCookie(&http.Cookie{Name: cookies[0].Name, Value: cookies[0].Value})
	resp, err := local().RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	return &browser.Page{Status: resp.StatusCode, Header: resp.Header, URL: r.URL}
}

// TestAttemptsAreOneAtATime starts twice in one browser: the first answer is no good any more.
func TestAttemptsAreOneAtATime(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	first, err := v.Recover(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	second, err := v.Recover(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	want(t, w.press(v.Browser, first, "have-verified-id"), http.StatusForbidden, "recovery-failed")
	want(t, w.press(v.Browser, second, "have-verified-id"), http.StatusForbidden, "recovery-failed") // used up by the first
	want(t, w.recover(v, bob), http.StatusOK, "recovered")
}

func TestAttemptExpires(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	page, err := v.Recover(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.forward(time.Hour)
	want(t, w.press(v.Browser, page, "have-verified-id"), http.StatusForbidden, "recovery-failed")
}

// TestUnknownAccountsLookAlike starts for an account that exists and one that does not.
func TestUnknownAccountsLookAlike(t *testing.T) {
	w := newWorld(t)
	for _, account := range []string{ada, "nobody@example.org"} {
		if page, err := w.visitor().Recover(t.Context(), account); err != nil || !page.Has("have-verified-id") {
			t.Errorf("%s: %v", account, err)
		}
	}
	for _, account := range []string{"", " ", "a\x00b", "a\nb", strings.Repeat("a", 255), "\xff"} {
		page, err := w.visitor().Recover(t.Context(), account)
		if !errors.Is(err, visitor.ErrPage) || page.Status != http.StatusBadRequest || !page.Has("account-missing") {
			t.Errorf("%q: %v", account, err)
		}
	}
}

// TestRegainIsUnreachable starts before Regain is up, and again afterwards.
func TestRegainIsUnreachable(t *testing.T) {
	for path, calls := range map[string]int{"/.well-known/openid-configuration": 1, "/par": 1} {
		w := newWorld(t)
		w.regain.lies.status = map[string]int{path: http.StatusBadGateway}
		v := w.visitor()
		page, err := v.Recover(t.Context(), ada)
		if err == nil || w.regain.count(path) != calls {
			t.Fatalf("%s: %v", path, err)
		}
		want(t, page, http.StatusServiceUnavailable, "recovery-unavailable")
		w.regain.lies.status = nil
		want(t, w.recover(v, ada), http.StatusOK, "recovered")
	}
	w := newWorld(t)
	w.server.Close()
	page, err := w.visitor().Recover(t.Context(), ada)
	if err == nil {
		t.Fatal("recovered without Regain")
	}
	want(t, page, http.StatusServiceUnavailable, "recovery-unavailable")
}

// TestRegainFailsOnTheWay has it fail after the person came back: no pass, and the page says which it was.
func TestRegainFailsOnTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		lies   lies
		status int
		id     string
	}{
		"no keys":             {lies{status: map[string]int{"/jwks": 500}}, http.StatusForbidden, "recovery-failed"},
		"no token endpoint":   {lies{status: map[string]int{"/token": 503}}, http.StatusServiceUnavailable, "recovery-unavailable"},
		"refused":             {lies{refuse: map[string]string{"/token": "invalid_grant"}}, http.StatusForbidden, "recovery-failed"},
		"an endless answer":   {lies{tokens: func(a map[string]any) { a["more"] = strings.Repeat("a", 2<<20) }}, http.StatusServiceUnavailable, "recovery-unavailable"},
		"an answer of others": {lies{tokens: func(a map[string]any) { a["access_token"] = []int{1} }}, http.StatusServiceUnavailable, "recovery-unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.regain.lies = c.lies
			v := w.visitor()
			want(t, w.recover(v, ada), c.status, c.id)
			w.nothing(v.Browser)
		})
	}
}

func TestPushIsRefused(t *testing.T) {
	w := newWorld(t)
	w.regain.lies.refuse = map[string]string{"/par": "invalid_client"}
	page, err := w.visitor().Recover(t.Context(), ada)
	if err == nil || page.Attr("recovery-failed", "data-error") != "invalid_client" {
		t.Errorf("%v", err)
	}
}

// TestMetadataMustBeSafe has an endpoint that secrets would travel to in the clear.
func TestMetadataMustBeSafe(t *testing.T) {
	w := newWorld(t)
	for _, endpoint := range []string{"http://evil.example/token", "", "/token"} {
		w.regain.lies.metadata = func(m map[string]any) { m["token_endpoint"] = endpoint }
		page, err := w.visitor().Recover(t.Context(), ada)
		if err == nil {
			t.Fatalf("%q was used", endpoint)
		}
		want(t, page, http.StatusServiceUnavailable, "recovery-unavailable")
	}
}

// TestJWKS is what the operator registers at Regain.
func TestJWKS(t *testing.T) {
	w := newWorld(t)
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(w.idp.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{{"use": "sig", "alg": "ES256", "kid": "sig"}, {"use": "enc", "alg": "ECDH-ES", "kid": "enc"}} {
		key := set.Keys[i]
		for name, value := range want {
			if key[name] != value {
				t.Errorf("key %d: %s is %q", i, name, key[name])
			}
		}
		if _, private := key["d"]; private || key["crv"] != "P-256" {
			t.Errorf("key %d: %v", i, key)
		}
	}
	w.idp.JWKS()[0] = 'x'
	if w.idp.JWKS()[0] != '{' || w.idp.RedirectURI() != w.url+"/callback" {
		t.Error("what was handed out changed the server")
	}
}
