package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// ErrAnswer reports an authorization response that is not the one to the request.
var ErrAnswer = errors.New("authorization response refused")

// Request is one recovery that was begun: what was asked, for whom, and what must come back.
type Request struct {
	State, Nonce, Verifier Secret
	Account                string
}

// Begin asks Regain to recover an account, and returns where to send the browser.
func (c *Client) Begin(ctx context.Context, account string) (a Request, target string, err error) {
	a.Account = account
	for _, to := range []*Secret{&a.State, &a.Nonce, &a.Verifier} {
		drawn, err := c.config.Token()
		if err != nil {
			return Request{}, "", err
		}
		*to = NewSecret(drawn)
	}
	target, err = c.push(ctx, a)
	return a, target, err
}

// push sends the authorization request (RFC 9126) and returns where to send the browser.
func (c *Client) push(ctx context.Context, a Request) (string, error) {
	m, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	var answer struct {
		RequestURI string `json:"request_uri"`
	}
	err = c.post(ctx, m.Push, url.Values{
		"response_type": {"code"}, "client_id": {c.config.ClientID}, "redirect_uri": {c.config.RedirectURI}, "scope": {"openid recovery"},
		"state": {a.State.Reveal()}, "nonce": {a.Nonce.Reveal()}, "login_hint": {a.Account},
		"code_challenge": {challenge(a.Verifier)}, "code_challenge_method": {"S256"},
	}, &answer)
	if err != nil {
		return "", fmt.Errorf("push authorization request: %w", err)
	}
	if answer.RequestURI == "" {
		return "", fmt.Errorf("push authorization request: %w: no request_uri in the answer", ErrUnreachable)
	}
	target, err := url.Parse(m.Authorization)
	if err != nil {
		return "", fmt.Errorf("authorization endpoint: %w", err)
	}
	query := target.Query()
	query.Set("client_id", c.config.ClientID)
	query.Set("request_uri", answer.RequestURI)
	target.RawQuery = query.Encode()
	return target.String(), nil
}

// challenge is PKCE's S256 (RFC 7636 §4.2).
func challenge(verifier Secret) string {
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ReadAnswer returns the code of an authorization response that is the one to the request, and comes from Regain.
func (c *Client) ReadAnswer(query url.Values, a Request) (Secret, error) {
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(query[name]) > 1 {
			return Secret{}, fmt.Errorf("%w: %s is repeated", ErrAnswer, name)
		}
	}
	code, problem := query.Get("code"), query.Get("error")
	switch {
	case !a.State.Is(query.Get("state")):
		return Secret{}, fmt.Errorf("%w: state is not the one that was sent", ErrAnswer)
	case query.Get("iss") != c.config.Issuer:
		return Secret{}, fmt.Errorf("%w: iss is another issuer", ErrAnswer)
	case problem != "" && code != "":
		return Secret{}, fmt.Errorf("%w: both a code and an error", ErrAnswer)
	case problem != "":
		return Secret{}, &Refusal{Status: http.StatusSeeOther, Code: errorCode(problem)}
	case code == "":
		return Secret{}, fmt.Errorf("%w: neither a code nor an error", ErrAnswer)
	}
	return NewSecret(code), nil
}
