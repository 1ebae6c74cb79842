// Package rp is a relying party for programs: the OpenID Connect client half of a main IdP, without pages or accounts,
// for journeys that a program walks and for load. It is written from RFC 9126, 6749, 7636, 7523 and docs/protocols.md
// and shares no code with the server it talks to. Every step is its own method, so that a test can repeat, reorder or
// skip one.
package rp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"regain/conformance/jose"
)

// Config says who the relying party is and where its provider is.
type Config struct {
	Issuer      string
	ClientID    string
	RedirectURI string
	HTTPClient  *http.Client
	Clock       func() time.Time
}

// RP is a relying party with keys of its own.
type RP struct {
	cfg        Config
	signing    *ecdsa.PrivateKey
	encryption *ecdsa.PrivateKey
	http       *http.Client
}

// New makes a relying party with fresh keys.
func New(cfg Config) (*RP, error) {
	if cfg.HTTPClient == nil || cfg.Clock == nil || cfg.Issuer == "" || cfg.ClientID == "" || cfg.RedirectURI == "" {
		return nil, errors.New("relying party: every field of Config is required")
	}
	r := &RP{cfg: cfg}
	for _, key := range []**ecdsa.PrivateKey{&r.signing, &r.encryption} {
		var err error
		if *key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, fmt.Errorf("make relying party key: %w", err)
		}
	}
	client := *cfg.HTTPClient
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r.http = &client
	return r, nil
}

// JWKS returns the public keys to register with the provider.
func (r *RP) JWKS() ([]byte, error) {
	return json.Marshal(jose.JWKSet{Keys: []jose.JWK{
		{Key: r.signing.Public(), KeyID: "sig", Use: "sig", Algorithm: jose.ES256},
		{Key: r.encryption.Public(), KeyID: "enc", Use: "enc", Algorithm: jose.ECDHES},
	}})
}

// Attempt is one authorization: what was pushed and what must come back.
type Attempt struct {
	Account                string // as it was sent
	State, Nonce, Verifier string
	RequestURI             string
	AuthorizeURL           string
}

// Start pushes a request that names the account and returns where to send the browser. Parameters in change replace
// or, when empty, remove the usual ones.
func (r *RP) Start(ctx context.Context, account string, change map[string]string) (Attempt, error) {
	a := Attempt{Account: account, State: random(), Nonce: random(), Verifier: random() + random()}
	challenge := sha256.Sum256([]byte(a.Verifier))
	form := url.Values{
		"response_type": {"code"}, "client_id": {r.cfg.ClientID}, "redirect_uri": {r.cfg.RedirectURI}, "scope": {"openid recovery"},
		"state": {a.State}, "nonce": {a.Nonce}, "login_hint": {account},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for name, value := range change {
		if value == "" {
			form.Del(name)
		} else {
			form.Set(name, value)
		}
	}
	var answer struct {
		RequestURI string `json:"request_uri"`
	}
	if err := r.post(ctx, "/par", form, http.StatusCreated, &answer); err != nil {
		return a, err
	}
	a.RequestURI = answer.RequestURI
	a.AuthorizeURL = r.cfg.Issuer + "/authorize?" + url.Values{"client_id": {r.cfg.ClientID}, "request_uri": {a.RequestURI}}.Encode()
	return a, nil
}

// ErrDenied is an authorization that came back with an error.
var ErrDenied = errors.New("authorization was denied")

// Code reads the authorization response out of the URL that the browser was sent back to, and checks state and iss.
func (r *RP) Code(a Attempt, returned string) (string, error) {
	u, err := url.Parse(returned)
	if err != nil {
		return "", fmt.Errorf("parse authorization response: %w", err)
	}
	q := u.Query()
	switch {
	case !strings.HasPrefix(returned, r.cfg.RedirectURI+"?"):
		return "", fmt.Errorf("the browser was sent to %s, not to the redirect URI", u.Redacted())
	case q.Get("state") != a.State:
		return "", errors.New("state is not the one that was sent")
	case q.Get("iss") != r.cfg.Issuer:
		return "", fmt.Errorf("iss is %q, not the issuer (RFC 9207)", q.Get("iss"))
	case q.Get("error") != "":
		return "", fmt.Errorf("%w: %s: %s", ErrDenied, q.Get("error"), q.Get("error_description"))
	case q.Get("code") == "":
		return "", errors.New("neither code nor error in the authorization response")
	}
	return q.Get("code"), nil
}

// Tokens is a token response.
type Tokens struct {
	AccessToken   string `json:"access_token"`
	TokenType     string `json:"token_type"`
	ExpiresIn     int    `json:"expires_in"`
	IDToken       string `json:"id_token"`
	RecoveryToken string `json:"recovery_token"`
}

// Redeem exchanges a code.
func (r *RP) Redeem(ctx context.Context, a Attempt, code string) (Tokens, error) {
	var tokens Tokens
	err := r.post(ctx, "/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.cfg.RedirectURI}, "code_verifier": {a.Verifier},
	}, http.StatusOK, &tokens)
	return tokens, err
}

// PassVerdict is the answer of the pass endpoint.
type PassVerdict struct {
	Active     bool   `json:"active"`
	UsableOnce bool   `json:"usable_once"`
	ExpiresAt  int64  `json:"expires_at"`
	TXN        string `json:"txn"`
}

// VerifyPass verifies and consumes a pass.
func (r *RP) VerifyPass(ctx context.Context, account, pass string) (PassVerdict, error) {
	var verdict PassVerdict
	err := r.post(ctx, "/pass/verify", url.Values{"account": {account}, "pass": {pass}}, http.StatusOK, &verdict)
	return verdict, err
}

// Error is an OAuth error response.
type Error struct {
	Status      int
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Description) }

// maxBody bounds what is read of an answer.
const maxBody = 1 << 20

// post sends a form with a fresh client assertion and decodes the JSON answer.
func (r *RP) post(ctx context.Context, path string, form url.Values, want int, into any) error {
	assertion, err := r.Assertion(random())
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return r.PostForm(ctx, path, form, want, into)
}

// PostForm sends a form as it is.
func (r *RP) PostForm(ctx context.Context, path string, form url.Values, want int, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.cfg.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.http.Do(req)
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	if resp.StatusCode != want {
		problem := &Error{Status: resp.StatusCode}
		if err := json.Unmarshal(body, problem); err != nil {
			return fmt.Errorf("post %s: status %d with a body that is not JSON", path, resp.StatusCode)
		}
		return fmt.Errorf("post %s: %w", path, problem)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("post %s: decode answer: %w", path, err)
	}
	return nil
}

// Assertion signs a client assertion (RFC 7523 §3) with the given jti.
func (r *RP) Assertion(jti string) (string, error) {
	return jose.Sign(r.signing, map[string]any{"typ": "JWT", "kid": "sig"}, jose.ClientAssertion(r.cfg.ClientID, r.cfg.Issuer, jti, r.cfg.Clock()))
}

func random() string {
	var buf [24]byte
	_, _ = rand.Read(buf[:]) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(buf[:])
}
