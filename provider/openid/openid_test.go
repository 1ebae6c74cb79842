package openid_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/fetch"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/facetest"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/provider/oauth"
	"regain/provider/openid"
	"regain/provider/remotekeys"
	"regain/provider/sessions"
	"regain/provider/web"
	"regain/recovery"
)

const (
	callback = "https://idp.example/callback"
	secret   = "a-client-secret-of-more-than-thirty-two-characters"
)

// provider is the OpenID face, with a client that names accounts and one whose people say who they are.
type provider struct {
	*facetest.Env
	passes passes
	told   notes
}

// passes answers for one pass.
type passes struct{ fail error }

func (p *passes) Verify(_ context.Context, client recovery.ClientID, account recovery.AccountID, pass string) (openid.PassVerdict, error) {
	return openid.PassVerdict{Active: client == "idp" && account == facetest.AdaID && pass == "PASS2345", UsableOnce: true, Transaction: "T1"}, p.fail
}

// notes are what clients were told.
type notes struct {
	mu   sync.Mutex // clients are told at once
	sent []string
}

func (n *notes) PostForm(_ context.Context, address string, form url.Values) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, address+" "+strings.Join(form["logout_token"], ""))
	return nil
}

// offline fetches nothing.
type offline struct{}

func (offline) Get(context.Context, string, string) (fetch.Response, error) {
	return fetch.Response{}, errors.New("this test has no network")
}

func newProvider(t *testing.T, change func(*recovery.Profile)) *provider {
	t.Helper()
	p := &provider{Env: facetest.New(t, change)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ring, err := keys.NewRing([]keys.Key{{Private: key}}, p.Clock)
	must(err)
	registered := func(id string, change func(*clients.Client)) *clients.Client {
		c := &clients.Client{
			ID: id, Name: "Example Org", AuthMethod: clients.ClientSecretBasic, SecretDigest: sha256.Sum256([]byte(secret)), AllowUnpushed: true,
			RedirectURIs: []string{callback}, Scopes: []string{"openid", "profile"},
		}
		if change != nil {
			change(c)
		}
		return c
	}
	registry, err := clients.NewFixed([]*clients.Client{
		registered("idp", nil),
		registered("asks", func(c *clients.Client) { c.AskAccount = true }),
		registered("okta", func(c *clients.Client) {
			c.Contract, c.Scopes, c.AllowUnpushed, c.IDTokenAlgorithm = contract.OktaIDV, nil, false, jose.ES256
		}),
		registered("broker", func(c *clients.Client) { broker(c, clients.SubjectName) }),
		registered("broker-by-id", func(c *clients.Client) { broker(c, clients.SubjectID) }),
		registered("sessions", func(c *clients.Client) { c.ReuseSession, c.BackChannelLogoutURI = true, "https://idp.example/logout" }),
	})
	must(err)
	remote, err := remotekeys.New(offline{}, p.Clock)
	must(err)
	published, err := clients.NewKeySource(remote)
	must(err)
	tenants, err := contract.NewTenants(remote, p.Clock)
	must(err)
	source, err := mtls.New(mtls.Config{})
	must(err)
	server, err := oauth.New(oauth.Config{Issuer: facetest.Issuer, ACR: openid.ACR, Secret: bytes.Repeat([]byte{2}, 32)},
		oauth.Deps{Clients: registry, Keys: published, Store: p.Store, Ring: ring, Source: source, Tenants: tenants, Accounts: p.Recovery, Clock: p.Clock})
	must(err)
	remembered, err := sessions.New(p.Store, p.Clock, rand.Reader)
	must(err)
	endpoints, err := openid.New(openid.Config{Issuer: facetest.Issuer}, openid.Deps{
		Web: p.Web, Binding: p.Binding, OAuth: server, Recovery: p.Recovery, Sessions: remembered, Ring: ring, Passes: &p.passes, Notify: &p.told, Clock: p.Clock,
	})
	must(err)
	endpoints.Mount(p.Router, p.Txn)
	return p
}

// broker is a client that only signs people in, for long.
func broker(c *clients.Client, subject clients.SubjectSource) {
	c.Scopes, c.ReuseSession, c.BackChannelLogoutURI, c.SubjectFrom = []string{"openid", "profile", "offline_access"}, true, "https://idp.example/logout/"+c.ID, subject
}

const verifier = "a-code-verifier-of-forty-three-characters-or-more"

// query is a valid authorization request, with changes; an empty list removes a parameter.
func query(client string, change url.Values) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {client}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "login_hint": {string(facetest.Ada)},
	}
	for name, values := range change {
		if q[name] = values; len(values) == 0 {
			delete(q, name)
		}
	}
	return q
}

// start opens a recovery, and returns its path and the browser's cookie.
func (p *provider) start(t *testing.T, client string) (id recovery.TransactionID, cookie *http.Cookie) {
	t.Helper()
	got := p.Get("/authorize?"+query(client, nil).Encode(), nil)
	path := got.Header().Get("Location")
	if got.Code != http.StatusSeeOther || !strings.HasPrefix(path, "/recover/") {
		t.Fatalf("%d to %s: %s", got.Code, path, got.Body)
	}
	return recovery.TransactionID(strings.TrimPrefix(path, "/recover/")), got.Result().Cookies()[0]
}

// decide has a wallet answer, and brings the verdict into force.
func (p *provider) decide(t *testing.T, id recovery.TransactionID, cookie *http.Cookie) recovery.Transaction {
	t.Helper()
	s := p.Resume(t, id, cookie)
	return s.Ask(t).Decide(t, nil).Transaction
}

// client posts a form as a client that authenticates.
func (p *provider) client(address, id string, form url.Values) *httptest.ResponseRecorder {
	r := facetest.FormRequest(address, form)
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return p.Do(r)
}

func decode(t *testing.T, got *httptest.ResponseRecorder) (body map[string]any) {
	t.Helper()
	if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	return body
}

// left is where a page sends the browser on.
func left(t *testing.T, got *httptest.ResponseRecorder) url.Values {
	t.Helper()
	_, rest, ok := strings.Cut(got.Body.String(), `content="0;url=`+callback+`?`)
	if !ok {
		t.Fatalf("%d: %s", got.Code, got.Body)
	}
	text, _, _ := strings.Cut(rest, `"`)
	values, err := url.ParseQuery(html.UnescapeString(text))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// From the authorization request to the ID token.
func TestACodeForAnApproval(t *testing.T) {
	p := newProvider(t, nil)
	id, cookie := p.start(t, "idp")
	p.decide(t, id, cookie)
	form := url.Values{"csrf": {web.FormToken(cookie.Value)}}
	back := left(t, p.Post("/recover/"+string(id)+"/finish", form, cookie))
	if back.Get("state") != "s" || back.Get("iss") != facetest.Issuer || back.Get("code") == "" {
		t.Fatalf("%v", back)
	}
	redeem := url.Values{"grant_type": {"authorization_code"}, "code": {back.Get("code")}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	got := p.client("/token", "idp", redeem)
	if body := decode(t, got); got.Code != http.StatusOK || body["id_token"] == nil || body["recovery_token"] != nil || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.Code, body)
	}
	if got := p.client("/token", "idp", redeem); decode(t, got)["error"] != "invalid_grant" {
		t.Errorf("redeemed again: %s", got.Body)
	}
	if over := left(t, p.Post("/recover/"+string(id)+"/finish", form, cookie)); over.Has("code") || over.Get("error") != "access_denied" {
		t.Errorf("a second code after the first was redeemed: %v", over)
	}
}

// A recovery that did not succeed is an error, with one sentence for every cause.
func TestErrorsForEverythingElse(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*recovery.Profile)
		walk   func(p *provider, id recovery.TransactionID, cookie *http.Cookie)
		says   string
	}{
		"cancelled": {nil, func(p *provider, id recovery.TransactionID, cookie *http.Cookie) {
			tx, _ := p.Recovery.Open(context.Background(), id, cookie.Value)
			_, _ = p.Recovery.Cancel(context.Background(), tx)
		}, "The recovery did not succeed."},
		"expired":   {nil, func(p *provider, _ recovery.TransactionID, _ *http.Cookie) { p.Turn(16 * 60e9) }, "The recovery did not succeed."},
		"evaluated": {func(r *recovery.Profile) { r.Mode = recovery.ModeEvaluation }, nil, "Evaluation mode"},
	} {
		p := newProvider(t, row.change)
		id, cookie := p.start(t, "idp")
		if row.walk != nil {
			row.walk(p, id, cookie)
		} else {
			p.decide(t, id, cookie)
		}
		back := left(t, p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie))
		if back.Get("error") != "access_denied" || back.Has("code") || !strings.Contains(back.Get("error_description"), row.says) {
			t.Errorf("%s: %v", name, back)
		}
	}
	p := newProvider(t, nil)
	id, cookie := p.start(t, "idp")
	if got := p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie); got.Code != http.StatusConflict {
		t.Errorf("before the end: %d", got.Code)
	}
}

// An error goes to the client where its redirect URI is its own, and is a page where it is not.
func TestRefusedRequests(t *testing.T) {
	p := newProvider(t, nil)
	for name, row := range map[string]struct {
		client string
		change url.Values
		code   string // "": a page
		says   string
	}{
		"another response type": {"idp", url.Values{"response_type": {"token"}}, "unsupported_response_type", ""},
		"nothing without them":  {"idp", url.Values{"prompt": {"none"}}, "login_required", ""},
		"no account":            {"idp", url.Values{"login_hint": nil}, "invalid_request", "login_hint"},
		"another redirect URI":  {"idp", url.Values{"redirect_uri": {"https://evil.example/"}}, "", "redirect"},
		"no such client":        {"nobody", nil, "", "client"},
	} {
		got := p.Get("/authorize?"+query(row.client, row.change).Encode(), nil)
		location, err := url.Parse(got.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if row.code == "" {
			if got.Code != http.StatusBadRequest || location.Host != "" || !strings.Contains(got.Body.String(), row.says) {
				t.Errorf("%s: %d to %s: %s", name, got.Code, location, got.Body)
			}
			continue
		}
		if q := location.Query(); !strings.HasPrefix(location.String(), callback) || q.Get("error") != row.code || q.Get("state") != "s" || !strings.Contains(q.Get("error_description"), row.says) {
			t.Errorf("%s: %d to %s", name, got.Code, location)
		}
	}
}

// Each row breaks one thing of the form that names an account.
func TestNameAccount(t *testing.T) {
	p := newProvider(t, nil)
	page := p.Get("/authorize?"+query("asks", url.Values{"login_hint": nil}).Encode(), nil).Body.String()
	_, rest, ok := strings.Cut(page, `name="request_uri" value="`)
	if !ok {
		t.Fatal(page)
	}
	uri, _, _ := strings.Cut(rest, `"`)
	good := func() url.Values {
		return url.Values{"client_id": {"asks"}, "request_uri": {uri}, "account": {" ada@example.org "}}
	}
	for name, row := range map[string]struct {
		spoil  func(form url.Values)
		status int
		says   string
	}{
		"no name":            {func(form url.Values) { form.Set("account", "  ") }, http.StatusUnprocessableEntity, "Type the name you sign in with"},
		"a name without end": {func(form url.Values) { form.Set("account", strings.Repeat("a", 321)) }, http.StatusUnprocessableEntity, "Type the name you sign in with"},
		"no request":         {func(form url.Values) { form.Del("request_uri") }, http.StatusConflict, "not possible now"},
		"another client's":   {func(form url.Values) { form.Set("client_id", "idp") }, http.StatusBadRequest, "not understood"},
	} {
		form := good()
		row.spoil(form)
		if got := p.Post("/authorize/account", form, nil); got.Code != row.status || !strings.Contains(got.Body.String(), row.says) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	elsewhere := facetest.FormRequest("/authorize/account", good())
	elsewhere.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := p.Do(elsewhere); got.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", got.Code)
	}
	got := p.Post("/authorize/account", good(), nil)
	if got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/recover/") || len(got.Result().Cookies()) != 1 {
		t.Fatalf("%d to %s: %s", got.Code, got.Header().Get("Location"), got.Body)
	}
	cookie := got.Result().Cookies()[0]
	tx, err := p.Recovery.Open(t.Context(), recovery.TransactionID(strings.TrimPrefix(cookie.Name, web.CookiePrefix)), cookie.Value)
	if err != nil || tx.Requested != facetest.Ada || tx.Account != facetest.AdaID {
		t.Errorf("%v", err)
	}
}

// The headers that OAuth wants beside an error.
func TestChallenges(t *testing.T) {
	p := newProvider(t, nil)
	wrong := facetest.FormRequest("/token", url.Values{"grant_type": {"authorization_code"}})
	wrong.SetBasicAuth("idp", "wrong")
	if got := p.Do(wrong); got.Code != http.StatusUnauthorized || got.Header().Get("WWW-Authenticate") != `Basic realm="regain"` || decode(t, got)["error"] != "invalid_client" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	for name, row := range map[string]struct{ header, challenge string }{
		"no token":      {"", `Bearer error="invalid_token"`},
		"unknown token": {"Bearer unknown", `Bearer error="invalid_token"`},
	} {
		r := httptest.NewRequest(http.MethodGet, "/userinfo", nil)
		if row.header != "" {
			r.Header.Set("Authorization", row.header)
		}
		if got := p.Do(r); got.Code != http.StatusUnauthorized || got.Header().Get("WWW-Authenticate") != row.challenge {
			t.Errorf("%s: %d %v", name, got.Code, got.Header())
		}
	}
}

func TestVerifyPass(t *testing.T) {
	p := newProvider(t, nil)
	good := url.Values{"account": {string(facetest.Ada)}, "pass": {"PASS2345"}}
	if body := decode(t, p.client("/pass/verify", "idp", good)); body["active"] != true || body["txn"] != "T1" || body["usable_once"] != true {
		t.Errorf("%v", body)
	}
	no := decode(t, p.client("/pass/verify", "idp", url.Values{"account": {"bob@example.org"}, "pass": {"PASS2345"}}))
	if len(no) != 1 || no["active"] != false {
		t.Errorf("a no says more than that: %v", no)
	}
	for _, missing := range []string{"account", "pass"} {
		form := url.Values{"account": good["account"], "pass": good["pass"]}
		form.Del(missing)
		if got := p.client("/pass/verify", "idp", form); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "account and pass are required") {
			t.Errorf("without %s: %d %s", missing, got.Code, got.Body)
		}
	}
	p.passes.fail = errors.New("secret cause")
	if got := p.client("/pass/verify", "idp", good); got.Code != http.StatusServiceUnavailable || strings.Contains(got.Body.String(), "secret") {
		t.Errorf("an outage: %d %s", got.Code, got.Body)
	}
}

// A session answers the next request, and ends where the person says so; the client is told.
func TestSessions(t *testing.T) {
	p := newProvider(t, nil)
	id, cookie := p.start(t, "sessions")
	p.decide(t, id, cookie)
	finished := p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie)
	left(t, finished)
	i := slices.IndexFunc(finished.Result().Cookies(), func(c *http.Cookie) bool { return c.Name == "__Host-regain-session" })
	if i < 0 {
		t.Fatal("no session")
	}
	session := finished.Result().Cookies()[i]
	next := p.Get("/authorize?"+query("sessions", url.Values{"prompt": {"none"}}).Encode(), session)
	if location, err := url.Parse(next.Header().Get("Location")); err != nil || location.Query().Get("code") == "" {
		t.Errorf("from the session: %d to %s", next.Code, next.Header().Get("Location"))
	}
	other := p.Get("/authorize?"+query("sessions", url.Values{"prompt": {"none"}, "login_hint": {"bob@example.org"}}).Encode(), session)
	if !strings.Contains(other.Header().Get("Location"), "login_required") {
		t.Errorf("for another person: %s", other.Header().Get("Location"))
	}
	page := p.Get("/logout", session)
	if !strings.Contains(page.Body.String(), `id="sign-out"`) || len(p.told.sent) != 0 {
		t.Errorf("not asked first: %s", page.Body)
	}
	_, rest, _ := strings.Cut(page.Body.String(), `name="csrf" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	if forged := p.Post("/logout", url.Values{"csrf": {"guess"}}, session); !strings.Contains(forged.Body.String(), `id="sign-out"`) || len(p.told.sent) != 0 {
		t.Errorf("ended by a guess: %s", forged.Body)
	}
	done := p.Post("/logout", url.Values{"csrf": {token}}, session)
	if !strings.Contains(done.Body.String(), `id="signed-out"`) || len(p.told.sent) != 1 || !strings.HasPrefix(p.told.sent[0], "https://idp.example/logout ey") {
		t.Errorf("%d: %s; told %v", done.Code, done.Body, p.told.sent)
	}
	if after := p.Get("/authorize?"+query("sessions", url.Values{"prompt": {"none"}}).Encode(), session); !strings.Contains(after.Header().Get("Location"), "login_required") {
		t.Errorf("after it: %s", after.Header().Get("Location"))
	}
}

// Discovery and keys are public, and the same to the byte each time.
func TestMetadata(t *testing.T) {
	p := newProvider(t, nil)
	for _, address := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"} {
		first, second := p.Get(address, nil), p.Get(address, nil)
		if first.Code != http.StatusOK || first.Body.String() != second.Body.String() || first.Header().Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("%s: %d %s", address, first.Code, first.Body)
		}
	}
	body := decode(t, p.Get("/.well-known/openid-configuration", nil))
	for name, want := range map[string]any{"issuer": facetest.Issuer, "token_endpoint": facetest.Issuer + "/token", "registration_endpoint": nil, "mtls_endpoint_aliases": nil} {
		if body[name] != want {
			t.Errorf("%s is %v", name, body[name])
		}
	}
}
