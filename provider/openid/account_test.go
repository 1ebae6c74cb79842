package openid_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/provider/facetest"
	"regain/provider/web"
	"regain/recovery"
)

// signedIn is a person that a broker signed in: its tokens, and the browser's session.
type signedIn struct {
	*provider
	client  string
	id      map[string]any // claims of the ID token
	idToken string
	access  string
	refresh string
	session *http.Cookie
}

// signIn recovers Ada's account, named in some way, for a client, and redeems the code.
func (p *provider) signIn(t *testing.T, client string, named recovery.RequestedAccount) *signedIn {
	t.Helper()
	got := p.Get("/authorize?"+query(client, url.Values{"login_hint": {string(named)}, "scope": {"openid offline_access"}, "prompt": {"consent"}}).Encode(), nil)
	if len(got.Result().Cookies()) == 0 {
		t.Fatalf("%d to %s: %s", got.Code, got.Header().Get("Location"), got.Body)
	}
	cookie := got.Result().Cookies()[0]
	id := recovery.TransactionID(strings.TrimPrefix(got.Header().Get("Location"), "/recover/"))
	if tx := p.decide(t, id, cookie); tx.State != recovery.StateApproved {
		t.Fatalf("%q: %s %v", named, tx.State, tx.Decision)
	}
	finished := p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie)
	s := &signedIn{provider: p, client: client}
	if i := slices.IndexFunc(finished.Result().Cookies(), func(c *http.Cookie) bool { return c.Name == "__Host-regain-session" }); i >= 0 {
		s.session = finished.Result().Cookies()[i]
	}
	s.redeem(t, left(t, finished).Get("code"))
	return s
}

func (s *signedIn) redeem(t *testing.T, code string) {
	t.Helper()
	body := decode(t, s.provider.client("/token", s.client, redemption(code)))
	s.idToken, _ = body["id_token"].(string)
	s.access, _ = body["access_token"].(string)
	s.refresh, _ = body["refresh_token"].(string)
	parts := strings.Split(s.idToken, ".")
	if len(parts) != 3 {
		t.Fatalf("%v", body)
	}
	s.id = payload(t, parts[1])
}

func redemption(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func payload(t *testing.T, part string) (claims map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func (s *signedIn) userInfo() *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+s.access)
	return s.Do(r)
}

// silently asks for a sign-in that the session alone must answer.
func (s *signedIn) silently(t *testing.T, client string, change url.Values) url.Values {
	t.Helper()
	q := query(client, url.Values{"prompt": {"none"}, "login_hint": nil})
	for name, values := range change {
		q[name] = values
	}
	if len(change) == 0 {
		q.Set("login_hint", string(facetest.Ada))
	}
	got := s.Get("/authorize?"+q.Encode(), s.session)
	location, err := url.Parse(got.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return location.Query()
}

// Every spelling that finds an account gives the same sub, in everything that says who it is, by the client's setting.
func TestOneSubjectForOneAccount(t *testing.T) {
	p := newProvider(t, nil)
	for client, want := range map[string]string{"broker": "ada@example.org", "broker-by-id": "A1"} {
		for _, named := range []recovery.RequestedAccount{"ada@example.org", "Ada@Example.ORG", "A1"} {
			s := p.signIn(t, client, named)
			said := map[string]any{
				"the ID token":       s.id["sub"],
				"userinfo":           decode(t, s.userInfo())["sub"],
				"the access token":   decode(t, s.provider.client("/introspect", client, url.Values{"token": {s.access}}))["sub"],
				"the refresh token":  decode(t, s.provider.client("/introspect", client, url.Values{"token": {s.refresh}}))["sub"],
				"pass, by that name": decode(t, s.provider.client("/pass/verify", "idp", url.Values{"account": {want}, "pass": {"PASS2345"}}))["active"],
			}
			for where, sub := range said {
				if sub != want && sub != true {
					t.Errorf("%s, named %q: %s says %v, want %q", client, named, where, sub, want)
				}
			}
		}
	}
}

// A session is of an account, and whatever names that account is answered from it; each client hears its own sub, also
// when the session ends.
func TestSessionsGoByTheAccount(t *testing.T) {
	p := newProvider(t, nil)
	s := p.signIn(t, "broker", "ADA@example.org")
	for client, want := range map[string]string{"broker": "ada@example.org", "broker-by-id": "A1"} {
		for name, change := range map[string]url.Values{
			"by name": {"login_hint": {"Ada@example.org"}}, "by id": {"login_hint": {"A1"}}, "a claim of the name": {"claims": {`{"id_token":{"sub":{"value":"ada@example.org"}}}`}},
			"a claim of the id": {"claims": {`{"id_token":{"sub":{"value":"A1"}}}`}}, "both, in two letter cases": {"login_hint": {"ADA@example.org"}, "claims": {`{"id_token":{"sub":{"value":"ada@example.org"}}}`}},
		} {
			code := s.silently(t, client, change).Get("code")
			if code == "" {
				t.Errorf("%s, %s: not answered", client, name)
				continue
			}
			again := &signedIn{provider: p, client: client}
			if again.redeem(t, code); again.id["sub"] != want {
				t.Errorf("%s, %s: %v, want %q", client, name, again.id["sub"], want)
			}
			for why, refused := range map[string]url.Values{"max_age": {"max_age": {"0"}}, "a claim of another": {"claims": {`{"id_token":{"sub":{"value":"bob@example.org"}}}`}}} {
				refused["login_hint"] = change["login_hint"]
				if got := s.silently(t, client, refused); got.Get("code") != "" {
					t.Errorf("%s, %s: answered, against %s", client, name, why)
				}
			}
			other := url.Values{"id_token_hint": {again.idToken}, "claims": {`{"id_token":{"sub":{"value":"` + strings.ToUpper(want) + `"}}}`}}
			if both := s.silently(t, client, other); both.Get("code") == "" {
				t.Errorf("%s, %s: a hint and a claim in two letter cases: %v", client, name, both)
			}
			if hinted := s.silently(t, client, url.Values{"id_token_hint": {again.idToken}}); hinted.Get("code") == "" {
				t.Errorf("%s, %s: its own hint is not answered: %v", client, name, hinted)
			}
		}
		for name, change := range map[string]url.Values{
			"another account": {"login_hint": {"bob@example.org"}}, "another letter case of the id": {"login_hint": {"a1"}}, "a full-width letter": {"login_hint": {"ａda@example.org"}},
			"a space before": {"login_hint": {" ada@example.org"}}, "a claim of another": {"claims": {`{"id_token":{"sub":{"value":"bob@example.org"}}}`}},
		} {
			if got := s.silently(t, client, change); got.Get("error") != "login_required" {
				t.Errorf("%s, %s: %v", client, name, got)
			}
		}
	}
	page := p.Get("/logout?"+url.Values{"id_token_hint": {s.idToken}}.Encode(), s.session)
	if page.Code != http.StatusOK || len(p.told.sent) != 2 {
		t.Fatalf("%d: told %v", page.Code, p.told.sent)
	}
	for _, sent := range p.told.sent {
		address, token, _ := strings.Cut(sent, " ")
		want := map[string]string{"https://idp.example/logout/broker": "ada@example.org", "https://idp.example/logout/broker-by-id": "A1"}[address]
		if sub := payload(t, strings.Split(token, ".")[1])["sub"]; sub != want {
			t.Errorf("%s hears of %v, want %q", address, sub, want)
		}
	}
}

// A renamed account keeps its id. What says the old name, which is Eve's now, is over; what says the id, or no name, goes on,
// and whoever gets the old name gets nothing of it.
func TestRenamedAccounts(t *testing.T) {
	p := newProvider(t, nil)
	byName, byID := p.signIn(t, "broker", facetest.Ada), p.signIn(t, "broker-by-id", facetest.Ada)
	out := make(map[*signedIn]map[string]func() (bool, string))
	for _, s := range []*signedIn{byName, byID} {
		out[s] = whatIsOut(t, s, s.silently(t, s.client, nil).Get("code"))
	}
	p.Accounts.Replace(t, `accounts:
  - {name: ada.lovelace@example.org, id: A1, attributes: {family_name: Lovelace, given_name: Augusta}}
  - {name: ada@example.org, id: E1, attributes: {family_name: Stone, given_name: Eve}}
`)
	for _, s := range []*signedIn{byName, byID} {
		for what, try := range out[s] {
			byOldName := what == "session_reuse" || s == byName && what != "pass verification" // the session is asked for by a hint of the name
			if allowed, answer := try(); allowed == byOldName || !allowed && !strings.Contains(answer, refused()[what]) {
				t.Errorf("%s: %s, made before, is allowed %t: %s", s.client, what, allowed, answer)
			}
		}
		again := &signedIn{provider: p, client: s.client}
		again.redeem(t, s.silently(t, s.client, url.Values{"login_hint": {"A1"}}).Get("code"))
		if want := map[string]string{"broker": "ada.lovelace@example.org", "broker-by-id": "A1"}[s.client]; again.id["sub"] != want {
			t.Errorf("%s: signed in again as %v, want %q", s.client, again.id["sub"], want)
		}
		if got := s.silently(t, s.client, url.Values{"login_hint": {"ada@example.org"}}); got.Get("error") != "login_required" {
			t.Errorf("%s: by the name that is Eve's now: %v", s.client, got)
		}
	}
	if got := byID.silently(t, "broker-by-id", url.Values{"id_token_hint": {byID.idToken}}); got.Get("code") == "" {
		t.Errorf("by the hint of the id: %v", got)
	}
	if got := byName.silently(t, "broker", url.Values{"id_token_hint": {byName.idToken}}); got.Get("error") != "login_required" {
		t.Errorf("by the hint of the name that is Eve's now: %v", got)
	}
	for account, active := range map[string]bool{"ada@example.org": false, "A1": true, "ada.lovelace@example.org": true} {
		if got := decode(t, p.client("/pass/verify", "idp", url.Values{"account": {account}, "pass": {"PASS2345"}})); got["active"] != active {
			t.Errorf("the pass by %s: %v", account, got)
		}
	}
}

// whatIsOut is everything that makes or honours a token for an account that once recovered, and what is said where the
// account may have none: one question stands before all of it.
func whatIsOut(t *testing.T, s *signedIn, code string) map[string]func() (allowed bool, answer string) {
	t.Helper()
	posted := func(address string, form url.Values, good string) func() (bool, string) {
		return func() (bool, string) {
			got := s.provider.client(address, s.client, form)
			return got.Code == http.StatusOK && decode(t, got)[good] != nil && decode(t, got)[good] != false, got.Body.String()
		}
	}
	return map[string]func() (bool, string){
		"session_reuse": func() (bool, string) {
			answer := s.silently(t, s.client, nil)
			return answer.Get("code") != "", answer.Get("error")
		},
		"refresh":               posted("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}}, "access_token"),
		"a code":                posted("/token", redemption(code), "access_token"),
		"introspection":         posted("/introspect", url.Values{"token": {s.access}}, "active"),
		"refresh introspection": posted("/introspect", url.Values{"token": {s.refresh}}, "active"),
		"pass verification": func() (bool, string) {
			got := s.provider.client("/pass/verify", "idp", url.Values{"account": {"A1"}, "pass": {"PASS2345"}})
			return got.Code == http.StatusOK && decode(t, got)["active"] == true, got.Body.String()
		},
		"userinfo": func() (bool, string) {
			got := s.userInfo()
			return got.Code == http.StatusOK, got.Body.String()
		},
	}
}

func TestIneligibleAccountsHaveNothing(t *testing.T) {
	const ada = "accounts:\n  - {name: ada@example.org, id: A1, attributes: {family_name: Lovelace}"
	outage := errors.New("the directory is down, secretly")
	for name, row := range map[string]struct {
		directory string
		fail      error
		says      map[string]string // what each says; nil: it is allowed
	}{
		"as it was":                       {ada + "}\n", nil, nil},
		"disabled":                        {ada + ", enabled: false}\n", nil, refused()},
		"excluded":                        {ada + ", groups: [executives]}\n", nil, refused()},
		"excluded in another letter case": {ada + ", groups: [Executives]}\n", nil, refused()},
		"deleted":                         {"accounts: []\n", nil, refused()},
		"its name given away":             {"accounts:\n  - {name: ada@example.org, id: E1, attributes: {family_name: Lovelace}}\n", nil, refused()},
		"moved to another one":            {ada + ", groups: [contractors]}\n", nil, refused()},
		"an outage": {ada + "}\n", outage, map[string]string{
			"session_reuse": "temporarily_unavailable", "refresh": "temporarily_unavailable", "a code": "temporarily_unavailable", "introspection": "temporarily_unavailable",
			"refresh introspection": "temporarily_unavailable", "pass verification": "temporarily_unavailable", "userinfo": "temporarily_unavailable",
		}},
	} {
		p := newProvider(t, func(r *recovery.Profile) { r.Scope.Exclude = []recovery.GroupName{"contractors"} })
		s := p.signIn(t, "broker", facetest.Ada)
		out := whatIsOut(t, s, s.silently(t, "broker", nil).Get("code"))
		p.Accounts.Replace(t, row.directory)
		p.Accounts.Fail = row.fail
		for what, try := range out {
			allowed, answer := try()
			if allowed != (row.says == nil) || row.says != nil && !strings.Contains(answer, row.says[what]) || strings.Contains(answer, "secretly") {
				t.Errorf("%s: %s is allowed %t: %s", name, what, allowed, answer)
			}
		}
		if row.fail == nil {
			continue
		}
		p.Accounts.Fail = nil // nothing was spent by the outage
		for what, try := range out {
			if allowed, answer := try(); !allowed {
				t.Errorf("after %s: %s: %s", name, what, answer)
			}
		}
	}
}

func refused() map[string]string {
	return map[string]string{
		"session_reuse": "login_required", "refresh": "invalid_grant", "a code": "invalid_grant", "introspection": `{"active":false}`,
		"refresh introspection": `{"active":false}`, "pass verification": `{"active":false}`, "userinfo": "invalid_token",
	}
}

// An account that was approved and is not eligible when the browser goes back gets no code.
func TestIneligibleAfterTheDecision(t *testing.T) {
	p := newProvider(t, nil)
	id, cookie := p.start(t, "idp")
	p.decide(t, id, cookie)
	p.Accounts.Replace(t, "accounts: []\n")
	form := url.Values{"csrf": {web.FormToken(cookie.Value)}}
	p.Accounts.Fail = errors.New("the directory is away")
	got := p.Post("/recover/"+string(id)+"/finish", form, cookie)
	if got.Code != http.StatusInternalServerError || !strings.Contains(got.Body.String(), "Try again in a moment") || !strings.Contains(p.Log.String(), "the directory is away") {
		t.Errorf("in an outage: %d %s", got.Code, got.Body)
	}
	p.Accounts.Fail = nil
	if back := left(t, p.Post("/recover/"+string(id)+"/finish", form, cookie)); back.Get("error") != "access_denied" || back.Has("code") {
		t.Errorf("%v", back)
	}
}

// The claims parameter is no way to attributes that neither a granted scope nor the registration permits.
func TestAskingReleasesNothing(t *testing.T) {
	p := newProvider(t, nil)
	p.Accounts.Replace(t, "accounts:\n  - {name: ada@example.org, id: A1, attributes: {family_name: Lovelace, given_name: Ada, national_id: '19880314', email: a@example.org}}\n")
	const ask = `{"id_token":{"national_id":null,"email":null,"given_name":null,"family_name":null},"userinfo":{"national_id":{"essential":true},"email":null,"given_name":null,"family_name":null}}`
	s := p.signIn(t, "broker", facetest.Ada)
	for scope, want := range map[string]string{"openid": "family_name", "openid profile": "family_name given_name"} {
		again := &signedIn{provider: p, client: "broker"}
		again.redeem(t, s.silently(t, "broker", url.Values{"login_hint": {"A1"}, "scope": {scope}, "claims": {ask}}).Get("code"))
		for where, claims := range map[string]map[string]any{"the ID token": again.id, "userinfo": decode(t, again.userInfo())} {
			var got []string
			for _, name := range []string{"email", "family_name", "given_name", "national_id"} {
				if claims[name] != nil {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s, %s: %q, want %q", scope, where, got, want)
			}
		}
	}
}

// Userinfo names the account as people do, unless the directory has an attribute for that.
func TestPreferredUsername(t *testing.T) {
	p := newProvider(t, nil)
	for attributes, want := range map[string]string{"family_name: Lovelace": "ada@example.org", "family_name: Lovelace, preferred_username: countess": "countess"} {
		p.Accounts.Replace(t, "accounts:\n  - {name: ada@example.org, id: A1, attributes: {"+attributes+"}}\n")
		s := p.signIn(t, "broker-by-id", "A1")
		again := &signedIn{provider: p, client: "broker-by-id"}
		again.redeem(t, s.silently(t, "broker-by-id", url.Values{"login_hint": {"A1"}, "scope": {"openid profile"}}).Get("code"))
		if info := decode(t, again.userInfo()); info["preferred_username"] != want || info["sub"] != "A1" {
			t.Errorf("%s: %v, want %q", attributes, info, want)
		}
	}
}

// Okta hears FAILED of whoever may not recover, also after the approval, and of nobody's account whether there is one:
// what goes back is what it sent.
func TestOktaHearsOfTheAccount(t *testing.T) {
	const ask = `{"id_token":{"verified_claims":[{"verification":{"trust_framework":{"value":"IDV-DELEGATED","essential":true},"assurance_level":{"value":"VERIFIED","essential":true}},"claims":{"family_name":{"value":"Lovelace"}}}]}}`
	for name, row := range map[string]struct {
		named, directory, level, sub string
	}{
		"approved":                          {"A1", "", "VERIFIED", "A1"},
		"approved, and named otherwise":     {"ADA@example.org", "", "VERIFIED", "A1"},
		"disabled after the decision":       {"A1", "accounts:\n  - {name: ada@example.org, id: A1, enabled: false}\n", "FAILED", "A1"},
		"deleted after it, named otherwise": {"ADA@example.org", "accounts: []\n", "FAILED", "ADA@example.org"},
		"nobody":                            {"A2", "", "FAILED", "A2"},
	} {
		p := newProvider(t, nil)
		form := query("okta", url.Values{"login_hint": {row.named}, "claims": {ask}})
		pushed := decode(t, p.client("/par", "okta", form))
		got := p.Get("/authorize?"+url.Values{"client_id": {"okta"}, "request_uri": {pushed["request_uri"].(string)}}.Encode(), nil)
		if len(got.Result().Cookies()) == 0 {
			t.Fatalf("%s: %v, then %d %s", name, pushed, got.Code, got.Body)
		}
		cookie := got.Result().Cookies()[0]
		id := recovery.TransactionID(strings.TrimPrefix(got.Header().Get("Location"), "/recover/"))
		p.decide(t, id, cookie)
		if row.directory != "" {
			p.Accounts.Replace(t, row.directory)
		}
		back := left(t, p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie))
		s := &signedIn{provider: p, client: "okta"}
		s.redeem(t, back.Get("code"))
		text, err := json.Marshal(s.id["verified_claims"])
		if err != nil || s.id["sub"] != row.sub || !strings.Contains(string(text), `"assurance_level":"`+row.level+`"`) {
			t.Errorf("%s: %v %s, want %s of %s", name, s.id["sub"], text, row.level, row.sub)
		}
	}
}
