package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"regain/conformance/jose"
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 1 << 20

// errUnreachable reports that Regain did not answer, or not as itself.
var errUnreachable = errors.New("regain is unreachable")

// oauthError is a refusal by Regain (RFC 6749 §5.2). Its description is for its own log.
type oauthError struct {
	status int
	code   string
}

func (e *oauthError) Error() string {
	return fmt.Sprintf("refused with status %d: %s", e.status, e.code)
}

// regain is the provider, seen from its client. What it publishes about itself is asked for at first use and kept.
type regain struct {
	issuer, clientID string
	http             *http.Client
	clock            func() time.Time
	assertion        func() (string, error)

	mu   sync.Mutex
	meta *metadata
}

// metadata is what is used of OpenID Connect Discovery 1.0 §3.
type metadata struct {
	Authorization string `json:"authorization_endpoint"`
	Push          string `json:"pushed_authorization_request_endpoint"`
	Token         string `json:"token_endpoint"`
	Pass          string `json:"temporary_access_pass_endpoint"`
	JWKS          string `json:"jwks_uri"`

	verifier *oidc.IDTokenVerifier
	keys     oidc.KeySet
}

func newRegain(cfg Config, assertion func() (string, error)) *regain {
	client := *cfg.HTTPClient
	client.Jar, client.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = bounded{client.Transport}
	if client.Timeout == 0 {
		client.Timeout = 15 * time.Second
	}
	return &regain{issuer: cfg.RegainIssuer, clientID: cfg.ClientID, http: &client, clock: cfg.Clock, assertion: assertion}
}

// discover returns Regain's metadata. A failure is not remembered: Regain may come up later.
func (r *regain) discover(ctx context.Context) (*metadata, error) {
	r.mu.Lock()
	known := r.meta
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, r.http), r.issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: discover: %w", errUnreachable, err)
	}
	m := &metadata{}
	if err := provider.Claims(m); err != nil {
		return nil, fmt.Errorf("%w: decode metadata: %w", errUnreachable, err)
	}
	for name, endpoint := range map[string]string{
		"authorization_endpoint": m.Authorization, "pushed_authorization_request_endpoint": m.Push, "token_endpoint": m.Token,
		"temporary_access_pass_endpoint": m.Pass, "jwks_uri": m.JWKS,
	} {
		if _, err := secureURL(endpoint); err != nil {
			return nil, fmt.Errorf("%w: metadata: %s: %w", errUnreachable, name, err)
		}
	}
	m.keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, r.http), m.JWKS)
	m.verifier = oidc.NewVerifier(r.issuer, m.keys, &oidc.Config{ClientID: r.clientID, SupportedSigningAlgs: []string{jose.ES256}, Now: r.clock})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meta = m
	return m, nil
}

// push sends the authorization request (RFC 9126) and returns where to send the browser.
func (r *regain) push(ctx context.Context, redirectURI string, a attempt) (string, error) {
	m, err := r.discover(ctx)
	if err != nil {
		return "", err
	}
	var answer struct {
		RequestURI string `json:"request_uri"`
	}
	err = r.post(ctx, m.Push, url.Values{
		"response_type": {"code"}, "client_id": {r.clientID}, "redirect_uri": {redirectURI}, "scope": {"openid recovery"},
		"state": {a.state.Reveal()}, "nonce": {a.nonce.Reveal()}, "login_hint": {a.account},
		"code_challenge": {digest(a.verifier.Reveal())}, "code_challenge_method": {"S256"},
	}, &answer)
	if err != nil {
		return "", fmt.Errorf("push authorization request: %w", err)
	}
	if answer.RequestURI == "" {
		return "", fmt.Errorf("push authorization request: %w: no request_uri in the answer", errUnreachable)
	}
	target, err := url.Parse(m.Authorization)
	if err != nil {
		return "", fmt.Errorf("authorization endpoint: %w", err)
	}
	query := target.Query()
	query.Set("client_id", r.clientID)
	query.Set("request_uri", answer.RequestURI)
	target.RawQuery = query.Encode()
	return target.String(), nil
}

// tokens is a token response (RFC 6749 §5.1) with the recovery token.
type tokens struct {
	Access   secret `json:"access_token"`
	Type     string `json:"token_type"`
	ID       secret `json:"id_token"`
	Recovery secret `json:"recovery_token"`
}

// redeem exchanges the code, which issues the pass.
func (r *regain) redeem(ctx context.Context, code secret, redirectURI string, verifier secret) (tokens, error) {
	m, err := r.discover(ctx)
	if err != nil {
		return tokens{}, err
	}
	var answer tokens
	err = r.post(ctx, m.Token, url.Values{
		"grant_type": {"authorization_code"}, "code": {code.Reveal()}, "redirect_uri": {redirectURI}, "code_verifier": {verifier.Reveal()},
	}, &answer)
	if err != nil {
		return tokens{}, fmt.Errorf("redeem code: %w", err)
	}
	return answer, nil
}

// verdict is the answer of the pass endpoint.
type verdict struct {
	Active      bool   `json:"active"`
	Transaction string `json:"txn"`
}

// verifyPass asks whether a pass is good for an account, and uses it up if it is.
func (r *regain) verifyPass(ctx context.Context, account string, pass secret) (verdict, error) {
	m, err := r.discover(ctx)
	if err != nil {
		return verdict{}, err
	}
	var answer verdict
	if err := r.post(ctx, m.Pass, url.Values{"account": {account}, "pass": {pass.Reveal()}}, &answer); err != nil {
		return verdict{}, fmt.Errorf("verify pass: %w", err)
	}
	return answer, nil
}

// post sends a form with a fresh client assertion and decodes the JSON answer.
func (r *regain) post(ctx context.Context, endpoint string, form url.Values, into any) error {
	assertion, err := r.assertion()
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%w: read answer: %w", errUnreachable, err)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return refusal(resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: the answer is not the JSON that was expected", errUnreachable) // the cause may quote a token
	}
	return nil
}

func refusal(status int, body []byte) error {
	var problem struct {
		Code string `json:"error"`
	}
	if json.Unmarshal(body, &problem) != nil || status >= http.StatusInternalServerError {
		return fmt.Errorf("%w: status %d", errUnreachable, status)
	}
	return &oauthError{status: status, code: errorCode(problem.Code)}
}

// errorCode is an OAuth error code that is fit for a page and a log (RFC 6749 §4.1.2.1 allows more characters).
func errorCode(given string) string {
	strange := strings.ContainsFunc(given, func(c rune) bool { return c != '_' && (c < 'a' || c > 'z') })
	if given == "" || len(given) > 64 || strange {
		return "invalid_response"
	}
	return given
}

// bounded reads at most maxBody of any answer; more is an error, so that half a document is never taken for one.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxBody)
	return resp, nil
}
