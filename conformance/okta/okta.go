// Package okta behaves as Okta does towards a custom identity verification vendor: it pushes what is in the user's
// profile, sends the browser with the request_uri alone, redeems the code, and evaluates the ID token as Okta's public
// guide says ("Integrate Okta with identity verification vendors"). The files in testdata are the requests and responses
// of that guide, with sample people in them.
//
// It leaves out Okta's admin side (POST /api/v1/idps), its policies, and its System Log but for the reasons of an
// outcome.
package okta

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"regain/conformance/golden"
)

//go:embed testdata/*.json
var samples embed.FS

// Golden compares decoded JSON with a sample of testdata, and returns what differs, or "".
func Golden(file string, got any) string { return golden.Compare(samples, "testdata/"+file, got) }

// Config is what an Okta administrator enters under Security, Identity Providers, Custom ID verification.
type Config struct {
	Issuer, ClientID, ClientSecret string
	RedirectURI                    string // https://ORG/idp/identity-verification/callback
	FlowID                         string // idv_flow_…; "" sends no such scope
	JSON                           bool   // push JSON, as the guide's example does, in place of a form
	HTTPClient                     *http.Client
}

// Org is an Okta organisation.
type Org struct{ cfg Config }

// New makes an organisation.
func New(cfg Config) *Org { return &Org{cfg} }

// Profile is the part of a user's profile that is mapped to OIDC claims, by the claim's name; those of the address begin
// with `address.`.
type Profile map[string]string

// Session is one identity verification.
type Session struct {
	userID, state, nonce, verifier string
	RequestURI                     string
	profile                        Profile
}

func random() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// parameters are those of POST /oauth2/par, without the secret.
func (o *Org) parameters(s Session) map[string]any {
	scope := "openid profile identity_assurance"
	if o.cfg.FlowID != "" {
		scope += " idv_flow_" + o.cfg.FlowID
	}
	asked, address := map[string]any{}, map[string]any{}
	for name, value := range s.profile {
		claim := map[string]any{"value": value, "fuzzy": true}
		if part, ok := strings.CutPrefix(name, "address."); ok {
			address[part] = claim
		} else {
			asked[name] = claim
		}
	}
	if len(address) > 0 {
		asked["address"] = address
	}
	challenge := sha256.Sum256([]byte(s.verifier))
	return map[string]any{
		"response_type": "code", "client_id": o.cfg.ClientID,
		"code_challenge": base64.RawURLEncoding.EncodeToString(challenge[:]), "code_challenge_method": "S256", "scope": scope, "nonce": s.nonce,
		"claims": map[string]any{"id_token": map[string]any{"verified_claims": []any{map[string]any{
			"verification": map[string]any{
				"trust_framework": map[string]any{"value": "IDV-DELEGATED", "essential": true},
				"assurance_level": map[string]any{"value": "VERIFIED", "essential": true},
			},
			"claims": asked,
		}}}},
		"state": s.state, "login_hint": s.userID, "redirect_uri": o.cfg.RedirectURI,
	}
}

// Start pushes the request for a user.
func (o *Org) Start(ctx context.Context, userID string, profile Profile) (Session, error) {
	s := Session{userID: userID, state: random(), nonce: random(), verifier: random() + random(), profile: profile}
	parameters := o.parameters(s)
	parameters["client_secret"] = o.cfg.ClientSecret
	body, contentType, err := o.encode(parameters)
	if err != nil {
		return s, err
	}
	var answer struct {
		RequestURI string `json:"request_uri"`
		ExpiresIn  int    `json:"expires_in"`
	}
	if err := o.post(ctx, message{"/par", contentType, body}, http.StatusCreated, &answer); err != nil {
		return s, err
	}
	if !strings.HasPrefix(answer.RequestURI, "urn:ietf:params:oauth:request_uri:") || answer.ExpiresIn <= 0 {
		return s, errors.New("RESPONSE_PROCESSING_ERROR_PAR: no request_uri, or no expires_in")
	}
	s.RequestURI = answer.RequestURI
	return s, nil
}

func (o *Org) encode(parameters map[string]any) (body, contentType string, err error) {
	if o.cfg.JSON {
		text, err := json.Marshal(parameters)
		return string(text), "application/json", err
	}
	form := make(url.Values)
	for name, value := range parameters {
		text, ok := value.(string)
		if !ok {
			encoded, err := json.Marshal(value)
			if err != nil {
				return "", "", err
			}
			text = string(encoded)
		}
		form.Set(name, text)
	}
	return form.Encode(), "application/x-www-form-urlencoded", nil
}

// AuthorizeURL is where the browser goes: Okta sends no client_id.
func (o *Org) AuthorizeURL(s Session) string {
	return o.cfg.Issuer + "/authorize?" + url.Values{"request_uri": {s.RequestURI}}.Encode()
}

// Result is the outcome of user.identity_verification in the System Log.
type Result struct {
	Allow   bool
	Reason  string         // CLAIMS_VERIFIED, CLAIMS_NOT_VERIFIED, …
	Claims  map[string]any // of the ID token, for tests to look at
	Process string         // IdvReferenceId
}

// Callback takes the browser back, redeems the code, and evaluates the policy.
func (o *Org) Callback(ctx context.Context, s Session, returned *url.URL) (Result, error) {
	q := returned.Query()
	switch {
	case q.Get("state") != s.state:
		return Result{Reason: "MISSING_AUTH_STATE_TOKEN"}, nil
	case q.Get("error") != "":
		return Result{Reason: "ERROR_RESPONSE " + q.Get("error")}, nil
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {o.cfg.ClientID}, "client_secret": {o.cfg.ClientSecret}, "code": {q.Get("code")},
		"code_verifier": {s.verifier}, "redirect_uri": {o.cfg.RedirectURI},
	}
	var answer struct {
		IDToken   string `json:"id_token"`
		TokenType string `json:"token_type"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := o.post(ctx, message{"/token", "application/x-www-form-urlencoded", form.Encode()}, http.StatusOK, &answer); err != nil {
		return Result{}, err
	}
	if answer.TokenType != "Bearer" || answer.ExpiresIn <= 0 {
		return Result{Reason: "PARSING_ERROR"}, nil
	}
	ctx = oidc.ClientContext(ctx, o.cfg.HTTPClient)
	provider, err := oidc.NewProvider(ctx, o.cfg.Issuer)
	if err != nil {
		return Result{}, err
	}
	token, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: o.cfg.ClientID, SupportedSigningAlgs: []string{oidc.RS256}}).Verify(ctx, answer.IDToken)
	if err != nil {
		return Result{}, fmt.Errorf("ID token: %w", err)
	}
	if token.Nonce != s.nonce || token.Subject == "" {
		return Result{Reason: "MISSING_NONCE"}, nil
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return Result{}, err
	}
	return evaluate(claims, s.profile), nil
}

type message struct{ path, contentType, body string }

// post reports an error in Okta's words.
func (o *Org) post(ctx context.Context, m message, want int, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.cfg.Issuer+m.path, strings.NewReader(m.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", m.contentType)
	response, err := o.cfg.HTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		var problem struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.NewDecoder(response.Body).Decode(&problem)
		return fmt.Errorf("ERROR_RESPONSE %d: %s: %s", response.StatusCode, problem.Error, problem.Description)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// Request is the pushed request of a session, without the secret, as decoded JSON.
func (o *Org) Request(s Session) (any, error) {
	text, err := json.Marshal(o.parameters(s))
	if err != nil {
		return nil, err
	}
	var request any
	return request, json.Unmarshal(text, &request)
}
