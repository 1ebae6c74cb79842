// Package entra is a Microsoft Entra ID tenant as an external MFA provider meets it: it publishes the tenant's keys,
// issues the id_token_hint (as good as expired, as Microsoft's is), posts the request through the browser, and takes
// the form-posted answer and checks it as Microsoft's public reference says ("External method provider reference").
// The files in testdata are the request and the tokens of that reference, with sample people in them.
//
// It leaves out the first factor, Conditional Access, Graph's policy objects, and the national clouds.
package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"regain/conformance/golden"
	"regain/conformance/jose"
)

//go:embed testdata/*.json
var samples embed.FS

// Golden compares decoded JSON with a sample of testdata, and returns what differs, or "".
func Golden(file string, got any) string { return golden.Compare(samples, "testdata/"+file, got) }

// Config is the tenant and what its administrator entered for the external method.
type Config struct {
	BaseURL     string // of the login service
	TenantID    string
	AppID       string // the provider's application in the tenant
	ClientID    string // what the provider calls this tenant
	Discovery   string // the provider's discovery URL
	ACR         []string
	AMR         []string
	HTTPClient  *http.Client
	Clock       func() time.Time
	ChangeHint  func(claims map[string]any) // edits the hint's claims before they are signed; nil leaves them
	ChangeForm  func(form map[string]string)
	SigningKey  *rsa.PrivateKey // signs hints; nil makes one
	ForgeryWith *rsa.PrivateKey // signs hints in place of the published key
}

// Tenant is one tenant.
type Tenant struct {
	cfg Config

	mu      sync.Mutex
	pending map[string]attempt // by state
	last    Outcome
}

type attempt struct {
	nonce, subject string
	at             time.Time
}

// Outcome is how a sign-in ended.
type Outcome struct {
	Satisfied bool
	Why       string         // what was wrong, or the error that the provider posted
	Claims    map[string]any // of the ID token, for tests to look at
	Fields    []string       // names of the posted fields
}

// New makes a tenant.
func New(cfg Config) (*Tenant, error) {
	if cfg.SigningKey == nil {
		var err error
		if cfg.SigningKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	if cfg.ForgeryWith == nil {
		cfg.ForgeryWith = cfg.SigningKey
	}
	return &Tenant{cfg: cfg, pending: make(map[string]attempt)}, nil
}

// RedirectURI is where the provider posts its answer.
func (t *Tenant) RedirectURI() string {
	return t.cfg.BaseURL + "/common/federation/externalauthprovider"
}

func (t *Tenant) issuer() string { return t.cfg.BaseURL + "/" + t.cfg.TenantID + "/v2.0" }

// ServeHTTP serves discovery, keys, the page that posts the request (/start?oid=…), and the callback.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/" + t.cfg.TenantID + "/v2.0/.well-known/openid-configuration":
		reply(w, map[string]any{"issuer": t.issuer(), "jwks_uri": t.cfg.BaseURL + "/common/discovery/v2.0/keys"})
	case "/common/discovery/v2.0/keys":
		reply(w, jose.JWKSet{Keys: []jose.JWK{{Key: t.cfg.SigningKey.Public(), KeyID: "tenant-key", Use: "sig"}}})
	case "/start":
		t.start(w, r)
	case "/common/federation/externalauthprovider":
		t.callback(w, r)
	default:
		http.NotFound(w, r)
	}
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client sees a short body
}

// start shows the form that Entra's page submits.
func (t *Tenant) start(w http.ResponseWriter, r *http.Request) {
	form, err := t.Request(r.URL.Query().Get("oid"))
	if err == nil {
		var endpoint string
		if endpoint, err = t.authorizationEndpoint(r); err == nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			err = page().Execute(w, map[string]any{"Action": endpoint, "Fields": form})
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func page() *template.Template {
	return template.Must(template.New("").Parse(`<!doctype html><title>Verify your identity</title><form id="external" method="post" action="{{.Action}}">` +
		`{{range $name, $value := .Fields}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}<button>Continue</button></form>`))
}

// Request makes the form of one sign-in of an account.
func (t *Tenant) Request(oid string) (map[string]string, error) {
	a := attempt{nonce: random(), subject: "pairwise-" + oid, at: t.cfg.Clock()}
	state := random()
	hint, err := t.hint(oid, a)
	if err != nil {
		return nil, err
	}
	claims, err := json.Marshal(map[string]any{"id_token": map[string]any{
		"acr": map[string]any{"essential": true, "values": t.cfg.ACR}, "amr": map[string]any{"essential": true, "values": t.cfg.AMR},
	}})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.pending[state] = a
	t.mu.Unlock()
	form := map[string]string{
		"scope": "openid", "response_type": "id_token", "response_mode": "form_post", "client_id": t.cfg.ClientID, "redirect_uri": t.RedirectURI(),
		"nonce": a.nonce, "state": state, "id_token_hint": hint, "claims": string(claims), "client-request-id": random(),
	}
	if t.cfg.ChangeForm != nil {
		t.cfg.ChangeForm(form)
	}
	return form, nil
}

// hint is an ID token of the tenant whose exp is before its iat.
func (t *Tenant) hint(oid string, a attempt) (string, error) {
	claims := map[string]any{
		"iss": t.issuer(), "aud": t.cfg.AppID, "sub": a.subject, "oid": oid, "tid": t.cfg.TenantID, "ver": "2.0",
		"iat": a.at.Unix(), "nbf": a.at.Unix(), "exp": a.at.Add(-time.Minute).Unix(), "name": "Sample Person", "preferred_username": "sample@example.org",
	}
	if t.cfg.ChangeHint != nil {
		t.cfg.ChangeHint(claims)
	}
	return jose.Sign(t.cfg.ForgeryWith, map[string]any{"alg": jose.RS256, "typ": "JWT", "kid": "tenant-key"}, claims)
}

func random() string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Last is the outcome of the sign-in that came back last.
func (t *Tenant) Last() Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

func (t *Tenant) callback(w http.ResponseWriter, r *http.Request) {
	outcome := t.judge(r)
	t.mu.Lock()
	t.last = outcome
	t.mu.Unlock()
	fmt.Fprintf(w, "<!doctype html><title>Signed in</title><p id=outcome>%t</p>", outcome.Satisfied)
}
