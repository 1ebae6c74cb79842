package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/entra"
	"regain/conformance/okta"
	"regain/conformance/testenv"
	"regain/internal/config"
)

const oktaRedirect = "https://program.localhost/idp/identity-verification/callback"

// setUpOkta is a test environment with an Okta organisation in it.
func setUpOkta(t *testing.T, o testenv.Options, change func(*okta.Config)) (*fixture, *okta.Org) {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	ring := certifiedRing(t)
	o.Change = func(cfg *config.Config) {
		cfg.Secrets.SigningKey = ring
		cfg.Clients = append(cfg.Clients, config.ClientConfig{ID: "okta", Name: "Okta", Contract: "okta-idv", Secret: config.Secret{File: secret}, RedirectURIs: []string{oktaRedirect}})
	}
	f := setUpEnv(t, o)
	cfg := okta.Config{Issuer: f.Regain, ClientID: "okta", ClientSecret: brokerSecret, RedirectURI: oktaRedirect, FlowID: "employees", HTTPClient: f.Client}
	if change != nil {
		change(&cfg)
	}
	return f, okta.New(cfg)
}

// verifyWithOkta walks one verification of Ada's wallet against an account to Okta's verdict.
func verifyWithOkta(t *testing.T, f *fixture, org *okta.Org, account string, profile okta.Profile) okta.Result {
	t.Helper()
	session, err := org.Start(t.Context(), account, profile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := f.browser.Open(t.Context(), org.AuthorizeURL(session))
	page = f.press(t, f.must(t, page, err), "have-verified-id")
	next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
	result, err := org.Callback(t.Context(), session, f.press(t, f.must(t, next, err), "finish").URL)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Okta's contract from push to policy evaluation, with the requests and tokens of its public guide.
func TestOktaIDV(t *testing.T) {
	ada, jon := idOf(t, "ada.lindqvist"), idOf(t, "jon.bell") // Okta names accounts by its own id, which the directory has
	const called = "ada.lindqvist@example.org"
	name := okta.Profile{"given_name": "Ada", "family_name": "Lindqvist"}
	for title, c := range map[string]struct {
		account string
		profile okta.Profile
		json    bool
		allow   bool
		golden  string
	}{
		"verified":                      {ada, name, false, true, "id-token-verified.json"},
		"verified, pushed as JSON":      {ada, name, true, true, "id-token-verified.json"},
		"named as the directory does":   {called, name, false, true, "id-token-verified.json"},
		"another case":                  {ada, okta.Profile{"given_name": "ADA", "family_name": "lindqvist"}, false, true, ""},
		"another name in Okta":          {ada, okta.Profile{"given_name": "Adele", "family_name": "Lindqvist"}, false, false, "id-token-failed.json"},
		"a claim that nothing verifies": {ada, okta.Profile{"given_name": "Ada", "family_name": "Lindqvist", "address.country": "SE"}, false, false, ""},
		"somebody else's account":       {jon, name, false, false, ""},
		"whose pages are shown for accounts that do not exist: an outsider can tell which accounts": {"nobody@example.org", name, false, false, ""},
	} {
		t.Run(title, func(t *testing.T) {
			f, org := setUpOkta(t, testenv.Options{}, func(cfg *okta.Config) { cfg.JSON = c.json })
			result := verifyWithOkta(t, f, org, c.account, c.profile)
			if result.Allow != c.allow {
				t.Errorf("%s: %v", result.Reason, result.Claims)
			}
			if c.golden != "" {
				if problem := okta.Golden(c.golden, result.Claims); problem != "" {
					t.Error(problem)
				}
			}
			if result.Claims["acr"] != nil || result.Claims["amr"] != nil || result.Claims["recovery"] != nil {
				t.Errorf("the ID token says more than the contract has: %v", result.Claims)
			}
			if sub := result.Claims["sub"]; sub != c.account && (sub != ada || c.account != called) {
				t.Errorf("Okta named %s, and sub is %v", c.account, sub)
			}
			if !c.allow && c.account != ada {
				if text, _ := json.Marshal(result.Claims); strings.Contains(string(text), "Lindqvist") {
					t.Errorf("a failure verifies something: %s", text)
				}
			}
		})
	}
}

func TestOktaRequestIsThatOfTheGuide(t *testing.T) {
	org := okta.New(okta.Config{ClientID: "okta", RedirectURI: oktaRedirect, FlowID: "employees", HTTPClient: http.DefaultClient, Issuer: "https://nowhere.localhost"})
	session, _ := org.Start(t.Context(), "00u1", okta.Profile{"given_name": "Ada", "family_name": "Lindqvist"})
	request, err := org.Request(session)
	if err != nil {
		t.Fatal(err)
	}
	if problem := okta.Golden("par-request.json", request); problem != "" {
		t.Error(problem)
	}
}

// The person who gives up is an OAuth error, and so is a request that is not the contract's.
func TestOktaErrors(t *testing.T) {
	f, org := setUpOkta(t, testenv.Options{}, nil)
	profile := okta.Profile{"given_name": "Ada", "family_name": "Lindqvist"}
	session, err := org.Start(t.Context(), idOf(t, "ada.lindqvist"), profile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := f.browser.Open(t.Context(), org.AuthorizeURL(session))
	page = f.press(t, f.press(t, f.must(t, page, err), "cancel"), "finish")
	if result, err := org.Callback(t.Context(), session, page.URL); err != nil || result.Reason != "ERROR_RESPONSE access_denied" {
		t.Errorf("%v %v", result, err)
	}
	for name, c := range map[string]struct {
		user    string
		profile okta.Profile
		why     string
	}{
		"no user":             {"", profile, "Name the account to recover"},
		"no claims":           {idOf(t, "ada.lindqvist"), okta.Profile{}, "not that of the contract okta-idv"},
		"an unknown claim":    {idOf(t, "ada.lindqvist"), okta.Profile{"given_name": "Ada", "shoe_size": "39"}, "not that of the contract okta-idv"},
		"a claim of no value": {idOf(t, "ada.lindqvist"), okta.Profile{"given_name": ""}, "not that of the contract okta-idv"},
	} {
		if _, err := org.Start(t.Context(), c.user, c.profile); err == nil || !strings.Contains(err.Error(), "400: invalid_request") || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A request_uri alone opens nothing for a client of no contract.
	pushed, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err = f.browser.Open(t.Context(), f.Regain+"/authorize?"+url.Values{"request_uri": {pushed.RequestURI}}.Encode())
	if f.must(t, page, err); page.Status != http.StatusBadRequest || !strings.Contains(page.Text(), "client_id") {
		t.Errorf("status %d: %s", page.Status, page.Text())
	}
	if resp, body := f.send(t, http.MethodPost, f.Regain+"/par", "application/json", `{"client_id":"okta"}`); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("JSON without a secret: %d %s", resp.StatusCode, body)
	}
}

// Okta gives up after ten minutes, and Entra ID after five: an approval after that would be nobody's.
func TestContractsHaveTheirTime(t *testing.T) {
	for name, c := range map[string]struct {
		start func(*testing.T, testenv.Options) (*fixture, *browser.Page)
		limit time.Duration
	}{
		"okta": {func(t *testing.T, o testenv.Options) (*fixture, *browser.Page) {
			f, org := setUpOkta(t, o, nil)
			session, err := org.Start(t.Context(), idOf(t, "ada.lindqvist"), okta.Profile{"given_name": "Ada"})
			if err != nil {
				t.Fatal(err)
			}
			page, err := f.browser.Open(t.Context(), org.AuthorizeURL(session))
			return f, f.must(t, page, err)
		}, 10 * time.Minute},
		"entra": {func(t *testing.T, o testenv.Options) (*fixture, *browser.Page) {
			f, tenant := setUpEntra(t, o, nil)
			return f, tenant.start(t, idOf(t, "ada.lindqvist"))
		}, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &movingClock{}
			f, page := c.start(t, testenv.Options{Clock: clock.now})
			clock.advance(c.limit - time.Second)
			if again, err := f.browser.Open(t.Context(), page.URL.String()); err != nil || !again.Has("have-verified-id") {
				t.Errorf("before the end: %v %s", err, again.Text())
			}
			clock.advance(2 * time.Second)
			if late, err := f.browser.Open(t.Context(), page.URL.String()); err != nil || late.Has("have-verified-id") {
				t.Errorf("after the end: %v %s", err, late.Text())
			}
		})
	}
}

// tenant is an Entra tenant with a person's browser before it.
type tenant struct {
	*entra.Tenant
	f    *fixture
	base string
}

func allMethods() []string {
	return []string{"face", "fido", "fpt", "hwk", "iris", "otp", "pop", "retina", "sc", "sms", "swk", "tel", "vbm"}
}

// setUpEntra is a test environment with an Entra tenant in it.
func setUpEntra(t *testing.T, o testenv.Options, change func(*entra.Config)) (*fixture, *tenant) {
	t.Helper()
	const tenantID, appID = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa"
	var served http.Handler
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { served.ServeHTTP(w, r) }))
	t.Cleanup(login.Close)
	base := strings.Replace(login.URL, "127.0.0.1", "login.localhost", 1)
	host := strings.TrimPrefix(base, "http://")
	ring := certifiedRing(t)
	o.Change = func(cfg *config.Config) {
		cfg.Secrets.SigningKey = ring
		cfg.Fetch.AllowHTTPHosts, cfg.Fetch.AllowPrivateHosts = append(cfg.Fetch.AllowHTTPHosts, host), append(cfg.Fetch.AllowPrivateHosts, host)
		cfg.Clients = append(cfg.Clients, config.ClientConfig{
			ID: "contoso", Name: "Contoso", Contract: "entra-external-method", RedirectURIs: []string{base + "/common/federation/externalauthprovider"},
			Entra: config.EntraConfig{TenantID: tenantID, ApplicationID: appID, Authority: base},
		})
	}
	f := setUpEnv(t, o)
	cfg := entra.Config{
		BaseURL: base, TenantID: tenantID, AppID: appID, ClientID: "contoso", Discovery: f.Regain + "/.well-known/openid-configuration",
		ACR: []string{"possessionorinherence"}, AMR: allMethods(), HTTPClient: f.Client, Clock: f.Clock,
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if cfg.SigningKey, err = tenantKey(); err != nil {
		t.Fatal(err)
	}
	made, err := entra.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	served = made
	return f, &tenant{made, f, base}
}

// start is the page after Entra's own, which posts the request.
func (e *tenant) start(t *testing.T, oid string) *browser.Page {
	t.Helper()
	page, err := e.f.browser.Open(t.Context(), e.base+"/start?"+url.Values{"oid": {oid}}.Encode())
	return e.f.press(t, e.f.must(t, page, err), "external")
}

// comeBack submits the form that Regain answers with, as its script or the person does.
func (e *tenant) comeBack(t *testing.T, page *browser.Page) entra.Outcome {
	t.Helper()
	e.f.press(t, page, "go-back")
	return e.Last()
}

func TestEntraExternalMethod(t *testing.T) {
	for name, c := range map[string]struct {
		acr, amr []string
		golden   bool
		want     string
	}{
		"as documented":            {[]string{"possessionorinherence"}, allMethods(), true, "face"},
		"possession only":          {[]string{"possession"}, allMethods(), false, "pop"},
		"no face":                  {[]string{"possessionorinherence"}, []string{"otp", "pop"}, false, "pop"},
		"the second acr":           {[]string{"knowledge", "knowledgeorinherence"}, allMethods(), false, "face"},
		"knowledge":                {[]string{"knowledge"}, allMethods(), false, ""},
		"methods we do not have":   {[]string{"possessionorinherence"}, []string{"sms", "tel"}, false, ""},
		"a type without its words": {[]string{"inherence"}, []string{"pop"}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, e := setUpEntra(t, testenv.Options{}, func(cfg *entra.Config) { cfg.ACR, cfg.AMR = c.acr, c.amr })
			page := e.start(t, idOf(t, "ada.lindqvist"))
			if c.want == "" {
				if o := e.comeBack(t, page); o.Satisfied || o.Why != "access_denied" {
					t.Errorf("%+v", o)
				}
				return
			}
			page = f.press(t, page, "have-verified-id")
			next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
			o := e.comeBack(t, f.press(t, f.must(t, next, err), "finish"))
			if amr, _ := o.Claims["amr"].([]any); !o.Satisfied || len(amr) != 1 || amr[0] != c.want {
				t.Errorf("%+v", o)
			}
			if !slices.Equal(o.Fields, []string{"id_token", "state"}) {
				t.Errorf("posted %v", o.Fields)
			}
			if c.golden {
				if problem := entra.Golden("id-token.json", o.Claims); problem != "" {
					t.Error(problem)
				}
			}
		})
	}
}

func TestEntraRequestIsThatOfTheReference(t *testing.T) {
	made, err := entra.New(entra.Config{BaseURL: "https://login.localhost", TenantID: "t", AppID: "a", ClientID: "c", ACR: []string{"possessionorinherence"}, AMR: allMethods(), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	form, err := made.Request("oid")
	if err != nil {
		t.Fatal(err)
	}
	decoded := make(map[string]any)
	for name, value := range form {
		decoded[name] = value
	}
	if problem := entra.Golden("request.json", decoded); problem != "" {
		t.Error(problem)
	}
}

// Whoever is not approved, gives up, or is named by a hint that is not the tenant's own is never an ID token.
func TestEntraRefusals(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	change := func(name string, value any) func(*entra.Config) {
		return func(cfg *entra.Config) {
			cfg.ChangeHint = func(claims map[string]any) {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			}
		}
	}
	parameter := func(name, value string) func(*entra.Config) {
		return func(cfg *entra.Config) { cfg.ChangeForm = func(form map[string]string) { form[name] = value } }
	}
	for name, c := range map[string]struct {
		change func(*entra.Config)
		why    string
		cause  string // in the log
	}{
		"another signature":      {func(cfg *entra.Config) { cfg.ForgeryWith = other }, "invalid_request", "no key of the tenant verifies the signature"},
		"another tenant":         {change("tid", "99999999-2222-4333-8444-555555555555"), "invalid_request", "tid is not the tenant"},
		"another issuer":         {change("iss", "https://login.localhost/other/v2.0"), "invalid_request", "iss is not http"},
		"another application":    {change("aud", "another"), "invalid_request", "aud is not the application"},
		"two audiences":          {change("aud", []string{"66666666-7777-4888-9999-aaaaaaaaaaaa", "another"}), "invalid_request", "aud is not the application"},
		"no oid":                 {change("oid", nil), "invalid_request", "oid or sub is missing"},
		"no sub":                 {change("sub", nil), "invalid_request", "oid or sub is missing"},
		"no iat":                 {change("iat", nil), "invalid_request", "iat is missing"},
		"an old hint":            {change("iat", time.Now().Add(-time.Hour).Unix()), "invalid_request", "iat is more than ten minutes ago"},
		"a hint of the future":   {change("iat", time.Now().Add(time.Hour).Unix()), "invalid_request", "iat or nbf is in the future"},
		"no hint":                {parameter("id_token_hint", ""), "invalid_request", "no value at byte 0"},
		"response_type code":     {parameter("response_type", "code"), "unsupported_response_type", "The response_type of this client is id_token"},
		"response_mode fragment": {parameter("response_mode", "fragment"), "invalid_request", "The response_mode of this client is form_post"},
		"no nonce":               {parameter("nonce", ""), "invalid_request", "The nonce is missing or too long"},
		"no openid":              {parameter("scope", "profile"), "invalid_scope", "The scope must contain openid"},
		"claims of nonsense":     {parameter("claims", "{"), "invalid_request", "claims parameter is malformed: not strict JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			f, e := setUpEntra(t, testenv.Options{}, c.change)
			if o := e.comeBack(t, e.start(t, idOf(t, "ada.lindqvist"))); o.Satisfied || o.Why != c.why || slices.Contains(o.Fields, "id_token") {
				t.Errorf("%+v", o)
			}
			if log := f.log.String(); !strings.Contains(log, c.cause) {
				t.Errorf("%q is not in the log: %s", c.cause, log)
			}
		})
	}
	t.Run("another redirect_uri", func(t *testing.T) {
		_, e := setUpEntra(t, testenv.Options{}, parameter("redirect_uri", "https://attacker.example/"))
		if page := e.start(t, idOf(t, "ada.lindqvist")); page.Status != http.StatusBadRequest || page.Has("go-back") {
			t.Errorf("%d %s", page.Status, page.Text())
		}
	})
	t.Run("denied", func(t *testing.T) {
		f, e := setUpEntra(t, testenv.Options{}, nil)
		page := f.press(t, e.start(t, idOf(t, "jon.bell")), "have-verified-id")
		next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
		if o := e.comeBack(t, f.press(t, f.must(t, next, err), "finish")); o.Satisfied || o.Why != "access_denied" {
			t.Errorf("%+v", o)
		}
	})
	t.Run("pushed", func(t *testing.T) {
		f, _ := setUpEntra(t, testenv.Options{}, nil)
		if resp, body := f.send(t, http.MethodPost, f.Regain+"/par", formType, "client_id=contoso&client_secret="); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	})
}

// movingClock is the real time, moved on.
type movingClock struct{ ahead atomic.Int64 }

func (c *movingClock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *movingClock) advance(d time.Duration) { c.ahead.Add(int64(d)) }
