package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/testenv"
	"regain/internal/config"
)

const (
	brokerSecret   = "a-client-secret-of-more-than-thirty-two-characters"
	brokerRedirect = "https://program.localhost/broker"
)

// broker is a test environment with a stock broker: it pushes nothing, names nobody, knows no PKCE, and reuses sessions.
type broker struct {
	*fixture
	t       *testing.T
	logouts chan url.Values // what the broker's back-channel logout endpoint got
}

func setUpBroker(t *testing.T) *broker {
	t.Helper()
	return setUpBrokerWith(t, func(*config.ClientConfig) {})
}

// setUpBrokerWith is setUpBroker with another registration.
func setUpBrokerWith(t *testing.T, change func(*config.ClientConfig)) *broker {
	t.Helper()
	return setUpBrokerAt(t, "", change)
}

// setUpBrokerAt is setUpBrokerWith where the issuer has a path.
func setUpBrokerAt(t *testing.T, path string, change func(*config.ClientConfig)) *broker {
	t.Helper()
	b := &broker{t: t, logouts: make(chan url.Values, 4)}
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err == nil {
			b.logouts <- r.PostForm
		}
	}))
	t.Cleanup(listener.Close)
	address, err := url.Parse(listener.URL)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	no := false
	b.fixture = setUpEnv(t, testenv.Options{Path: path, Change: func(cfg *config.Config) {
		cfg.Fetch.AllowHTTPHosts = append(cfg.Fetch.AllowHTTPHosts, address.Host)
		cfg.Fetch.AllowPrivateHosts = append(cfg.Fetch.AllowPrivateHosts, address.Host)
		for i := range cfg.Profiles {
			cfg.Profiles[i].Credential.Document = config.DocumentConfig{Type: "passport", CheckMethod: "vpiruv", Organization: "Northlight Identity"}
		}
		client := config.ClientConfig{
			ID: "broker", Name: "Broker", AuthMethod: "client_secret_post", Secret: config.Secret{File: secret}, RedirectURIs: []string{brokerRedirect},
			Scope: []string{"openid", "profile", "offline_access"}, RequirePAR: &no, RequirePKCE: &no, AskAccount: true, ReuseSession: true,
			PostLogout: []string{"https://program.localhost/out"}, BackChannel: listener.URL + "/logout",
		}
		change(&client)
		cfg.Clients = append(cfg.Clients, client)
	}})
	return b
}

// open opens an authorization request in the browser.
func (b *broker) open(change url.Values) *browser.Page {
	b.t.Helper()
	query := url.Values{"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {brokerRedirect}, "scope": {"openid profile"}, "state": {"s"}, "nonce": {"n"}}
	for name, values := range change {
		query[name] = values
	}
	page, err := b.browser.Open(b.t.Context(), b.Regain+"/authorize?"+query.Encode())
	return b.must(b.t, page, err)
}

// prove goes from the information page to the end of the journey.
func (b *broker) prove(page *browser.Page) *browser.Page {
	b.t.Helper()
	page = b.press(b.t, page, "have-verified-id")
	next, err := b.browser.Open(b.t.Context(), b.share(b.t, b.review(b.t, page)))
	return b.press(b.t, b.must(b.t, next, err), "finish")
}

// signIn is the whole journey to the broker's redirect URI, and returns its query.
func (b *broker) signIn(change url.Values) url.Values {
	b.t.Helper()
	page := b.open(change)
	if form, ok := page.Form("name-account"); ok {
		next, err := b.browser.Submit(b.t.Context(), form, url.Values{"account": {"ada.lindqvist@example.org"}})
		page = b.must(b.t, next, err)
	}
	return b.prove(page).URL.Query()
}

func (b *broker) post(path string, form url.Values, into any) int {
	b.t.Helper()
	form.Set("client_id", "broker")
	form.Set("client_secret", brokerSecret)
	resp, body := b.send(b.t, http.MethodPost, b.Regain+path, formType, form.Encode())
	if err := json.Unmarshal([]byte(body), into); err != nil && body != "" {
		b.t.Fatalf("%s: %s", path, body)
	}
	return resp.StatusCode
}

type tokens struct {
	Access, Refresh, ID string
	claims              map[string]any
}

func (b *broker) redeem(code string) tokens {
	b.t.Helper()
	var answer map[string]any
	if status := b.post("/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {brokerRedirect}}, &answer); status != http.StatusOK {
		b.t.Fatalf("token: %d %v", status, answer)
	}
	if answer["recovery_token"] != nil {
		b.t.Error("a broker without the scope got a recovery token")
	}
	text := func(name string) string { s, _ := answer[name].(string); return s }
	got := tokens{Access: text("access_token"), Refresh: text("refresh_token"), ID: text("id_token")}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(got.ID, ".")[1])
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &got.claims); err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *broker) userInfo(access string) map[string]any {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.Regain+"/userinfo", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+access)
	resp, err := b.Client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var info map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		b.t.Fatal(err)
	}
	return info
}

// A stock broker signs somebody in: the person names the account, shows the Verified ID, and the broker reads the ID
// token and userinfo, and nothing more.
func TestAStockBrokerSignsIn(t *testing.T) {
	b := setUpBroker(t)
	answer := b.signIn(url.Values{"claims": {`{"id_token":{"given_name":null,"verified_claims":{"verification":{"trust_framework":null},"claims":{"family_name":null}}}}`}})
	if answer.Get("state") != "s" || answer.Get("iss") != b.Regain {
		t.Errorf("answered with %v", answer)
	}
	got := b.redeem(answer.Get("code"))
	if got.claims["sub"] != "ada.lindqvist@example.org" || got.claims["given_name"] != "Ada" || got.claims["nonce"] != "n" || got.Refresh != "" {
		t.Errorf("ID token %v", got.claims)
	}
	verified, _ := json.Marshal(got.claims["verified_claims"])
	if string(verified) != `{"claims":{"family_name":"Lindqvist"},"verification":{"trust_framework":"urn:regain:trust-framework:verified-id"}}` {
		t.Errorf("verified_claims %s", verified)
	}
	info := b.userInfo(got.Access)
	if info["sub"] != got.claims["sub"] || info["family_name"] != "Lindqvist" || info["verified_claims"] != nil || info["email"] != nil {
		t.Errorf("userinfo %v", info)
	}
}

// A mapper of the broker finds an attribute under the name that it looks for, and what was verified keeps its own.
func TestMappedClaims(t *testing.T) {
	b := setUpBrokerWith(t, func(c *config.ClientConfig) {
		c.Claims = []config.ClaimConfig{{Name: "surname", Attribute: "family_name"}, {Name: "given_name", Attribute: "family_name"}, {Name: "shoe_size", Attribute: "shoes"}}
	})
	const ask = `{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"given_name":null}}}}`
	got := b.redeem(b.signIn(url.Values{"scope": {"openid"}, "claims": {ask}}).Get("code"))
	info := b.userInfo(got.Access)
	for where, claims := range map[string]map[string]any{"ID token": got.claims, "userinfo": info} {
		if claims["surname"] != "Lindqvist" || claims["given_name"] != "Lindqvist" || claims["shoe_size"] != nil || claims["family_name"] != nil {
			t.Errorf("%s %v", where, claims)
		}
	}
	if text, _ := json.Marshal(got.claims["verified_claims"]); !strings.Contains(string(text), `"given_name":"Ada"`) {
		t.Errorf("verified_claims %s", text)
	}
}

// What stands behind the Verified ID is told as far as it is asked for, and as the operator says it.
func TestEvidence(t *testing.T) {
	b := setUpBroker(t)
	ask := func(evidence string) string {
		t.Helper()
		got := b.redeem(b.signIn(url.Values{"prompt": {"login"}, "claims": {`{"id_token":{"verified_claims":{"verification":{"trust_framework":null,"evidence":[` + evidence + `]},"claims":{"family_name":null}}}}`}}).Get("code"))
		text, err := json.Marshal(got.claims["verified_claims"])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for evidence, want := range map[string]string{
		`{"type":{"value":"document"},"document_details":{"type":{"value":"passport"}},"check_details":null}`: `[{"check_details":[{"check_method":"vpiruv","organization":"Northlight Identity"}],"document_details":{"type":"passport"},"type":"document"}]`,
		`{"type":{"value":"electronic_record"},"record":null}`:                                                `[{"record":{"type":"urn:regain:record:verified-id"},"type":"electronic_record"}]`,
	} {
		if got := ask(evidence); !strings.Contains(got, `"evidence":`+want) {
			t.Errorf("%s: %s", evidence, got)
		}
	}
	if got := ask(`{"type":{"value":"document"},"document_details":{"type":{"value":"idcard"}}}`); got != "null" {
		t.Errorf("another document: %s", got)
	}
	var metadata struct {
		Evidence  []string `json:"evidence_supported"`
		Documents []string `json:"documents_supported"`
	}
	_, body := b.send(t, http.MethodGet, b.Regain+"/.well-known/openid-configuration", "", "")
	if err := json.Unmarshal([]byte(body), &metadata); err != nil || len(metadata.Evidence) != 2 || len(metadata.Documents) != 1 {
		t.Errorf("%v %+v", err, metadata)
	}
}

// Whether there is an account shows nowhere on the page that asks for it, nor on the next one.
func TestAskingForTheAccountTellsNothing(t *testing.T) {
	b := setUpBroker(t)
	texts := map[string]string{}
	for _, account := range []string{"ada.lindqvist@example.org", "nobody@example.org"} {
		form, ok := b.open(nil).Form("name-account")
		if !ok {
			t.Fatal("the account is not asked for")
		}
		page, err := b.browser.Submit(t.Context(), form, url.Values{"account": {account}})
		b.must(t, page, err)
		text, _, _ := strings.Cut(strings.ReplaceAll(page.Text(), page.Attr("account", "id"), ""), "Reference")
		shown, _ := page.ByID("account")
		texts[account] = strings.ReplaceAll(text, shown, "…")
	}
	if texts["ada.lindqvist@example.org"] != texts["nobody@example.org"] {
		t.Errorf("differ: %v", texts)
	}
	form, _ := b.open(nil).Form("name-account")
	for _, nothing := range []string{"", "   ", strings.Repeat("x", 321)} {
		page, err := b.browser.Submit(t.Context(), form, url.Values{"account": {nothing}})
		if b.must(t, page, err); page.Status != http.StatusUnprocessableEntity || !page.Has("mistake") {
			t.Errorf("account %q: status %d", nothing, page.Status)
		}
	}
	// An account that the client named is nobody else's to name.
	pushed, err := b.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(pushed.AuthorizeURL)
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	query.Set("account", "jon.bell@example.org")
	if resp, _ := b.send(t, http.MethodPost, b.Regain+"/authorize/account", formType, query.Encode()); resp.StatusCode != http.StatusConflict {
		t.Errorf("another account: status %d", resp.StatusCode)
	}
}

// A session answers prompt=none and max_age until it is too old, asked for somebody else, or ended; never a recovery.
func TestSessions(t *testing.T) {
	b := setUpBroker(t)
	silent := url.Values{"prompt": {"none"}}
	if answer := b.open(silent).URL.Query(); answer.Get("error") != "login_required" {
		t.Errorf("prompt=none before: %v", answer)
	}
	first := b.redeem(b.signIn(nil).Get("code"))
	again := b.redeem(b.open(silent).URL.Query().Get("code"))
	for _, name := range []string{"sub", "auth_time", "sid", "txn", "acr"} {
		if first.claims[name] == nil || first.claims[name] != again.claims[name] {
			t.Errorf("%s: %v, then %v", name, first.claims[name], again.claims[name])
		}
	}
	for name, change := range map[string]url.Values{
		"hint of the person": {"id_token_hint": {first.ID}}, "young enough": {"max_age": {"1000"}}, "the account": {"login_hint": {"ada.lindqvist@example.org"}},
	} {
		change.Set("prompt", "none")
		if answer := b.open(change).URL.Query(); answer.Get("code") == "" {
			t.Errorf("%s: %v", name, answer)
		}
	}
	for name, change := range map[string]url.Values{
		"another account": {"login_hint": {"jon.bell@example.org"}}, "max_age=0": {"max_age": {"0"}},
	} {
		change.Set("prompt", "none")
		if answer := b.open(change).URL.Query(); answer.Get("error") != "login_required" {
			t.Errorf("%s: %v", name, answer)
		}
	}
	if page := b.open(url.Values{"prompt": {"login"}}); !page.Has("name-account") {
		t.Errorf("prompt=login: %s", page.Text())
	}
	if page := b.start(t, "ada.lindqvist@example.org"); !page.Has("have-verified-id") {
		t.Errorf("a recovery: %s", page.Text())
	}
	stranger := newBrowser(b.Env)
	b.browser, stranger = stranger, b.browser
	if answer := b.open(silent).URL.Query(); answer.Get("error") != "login_required" {
		t.Errorf("another browser: %v", answer)
	}
	b.browser = stranger
	b.endSession(first)
	if answer := b.open(silent).URL.Query(); answer.Get("error") != "login_required" {
		t.Errorf("after the end: %v", answer)
	}
}

// endSession signs out with the ID token, and reads what the broker is told in the back channel.
func (b *broker) endSession(signed tokens) {
	b.t.Helper()
	page, err := b.browser.Open(b.t.Context(), b.Regain+"/logout?"+url.Values{
		"id_token_hint": {signed.ID}, "post_logout_redirect_uri": {"https://program.localhost/out"}, "state": {"x"},
	}.Encode())
	b.must(b.t, page, err)
	if page.URL.String() != "https://program.localhost/out?state=x" {
		b.t.Errorf("signed out, the browser is at %s", page.URL)
	}
	told := <-b.logouts
	parts := strings.Split(told.Get("logout_token"), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		b.t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		b.t.Fatal(err)
	}
	if claims["sid"] != signed.claims["sid"] || claims["aud"] != "broker" || claims["nonce"] != nil || claims["events"] == nil {
		b.t.Errorf("logout token %v", claims)
	}
}

// What somebody else's page can send signs nobody out: the person is asked, and a bad request is refused.
func TestLogoutAsks(t *testing.T) {
	b := setUpBroker(t)
	signed := b.redeem(b.signIn(nil).Get("code"))
	open := func(query url.Values) *browser.Page {
		page, err := b.browser.Open(t.Context(), b.Regain+"/logout?"+query.Encode())
		return b.must(t, page, err)
	}
	for name, query := range map[string]url.Values{
		"a URI without a hint": {"post_logout_redirect_uri": {"https://program.localhost/out"}},
		"another URI":          {"id_token_hint": {signed.ID}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"a broken hint":        {"id_token_hint": {signed.ID[:len(signed.ID)-4] + "AAAA"}},
		"no hint":              {"id_token_hint": {"x"}},
		"another client":       {"id_token_hint": {signed.ID}, "client_id": {"program"}},
	} {
		if page := open(query); page.Status != http.StatusBadRequest || !page.Has("problem") {
			t.Errorf("%s: status %d, %s", name, page.Status, page.Text())
		}
	}
	page := open(nil)
	form, ok := page.Form("sign-out")
	if !ok {
		t.Fatalf("not asked: %s", page.Text())
	}
	forged, err := b.browser.Submit(t.Context(), form, url.Values{"csrf": {"x"}})
	if b.must(t, forged, err); !forged.Has("sign-out") || len(b.logouts) > 0 {
		t.Errorf("without the page's token: %s", forged.Text())
	}
	if done := b.press(t, page, "sign-out"); !done.Has("signed-out") || len(b.logouts) != 1 {
		t.Errorf("with it: %s", done.Text())
	}
	if page := open(nil); !page.Has("signed-out") {
		t.Errorf("nobody is signed in: %s", page.Text())
	}
}

// A response by form_post is a page that sends itself to the client, whose answer may redirect to any origin.
func TestFormPost(t *testing.T) {
	b := setUpBroker(t)
	page := b.open(url.Values{"response_mode": {"form_post"}, "prompt": {"none"}})
	form, ok := page.Form("go-back")
	if !ok || form.Values.Get("error") != "login_required" || form.Values.Get("state") != "s" || form.Values.Get("iss") != b.Regain {
		t.Fatalf("%+v: %s", form, page.Text())
	}
	policy := page.Header.Get("Content-Security-Policy")
	if form.Action != brokerRedirect || strings.Contains(policy, "form-action") || !strings.Contains(policy, "default-src 'none'") || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("policy %q", policy)
	}
}

// Refreshing goes on as long as the account is there.
func TestBrokerRefreshes(t *testing.T) {
	b := setUpBroker(t)
	got := b.redeem(b.signIn(url.Values{"scope": {"openid offline_access"}, "prompt": {"consent"}}).Get("code"))
	var answer map[string]any
	if status := b.post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}, &answer); status != http.StatusOK || answer["access_token"] == nil {
		t.Fatalf("%d %v", status, answer)
	}
	var active map[string]any
	b.post("/introspect", url.Values{"token": {got.Refresh}}, &active)
	if active["active"] != true || active["sub"] != "ada.lindqvist@example.org" {
		t.Errorf("introspection %v", active)
	}
	if status := b.post("/revoke", url.Values{"token": {got.Refresh}}, &map[string]any{}); status != http.StatusOK {
		t.Errorf("revocation: %d", status)
	}
	if status := b.post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}, &answer); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
		t.Errorf("after it: %d %v", status, answer)
	}
}
