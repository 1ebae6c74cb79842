package recovery

import (
	"context"
	"fmt"
	"net/url"
)

// tokens is a token response (RFC 6749 §5.1) with the recovery token.
type tokens struct {
	Access   Secret `json:"access_token"`
	Type     string `json:"token_type"`
	ID       Secret `json:"id_token"`
	Recovery Secret `json:"recovery_token"`
}

// Redeem exchanges the code, which issues the pass, and checks the tokens against what was asked for.
func (c *Client) Redeem(ctx context.Context, code Secret, a Request) (Recovered, error) {
	m, err := c.discover(ctx)
	if err != nil {
		return Recovered{}, err
	}
	answer, err := c.redeem(ctx, m, code, a.Verifier)
	if err != nil {
		return Recovered{}, err
	}
	return c.tokens.check(ctx, m, a, answer)
}

func (c *Client) redeem(ctx context.Context, m *metadata, code, verifier Secret) (tokens, error) {
	var answer tokens
	err := c.post(ctx, m.Token, url.Values{
		"grant_type": {"authorization_code"}, "code": {code.Reveal()}, "redirect_uri": {c.config.RedirectURI}, "code_verifier": {verifier.Reveal()},
	}, &answer)
	if err != nil {
		return tokens{}, fmt.Errorf("redeem code: %w", err)
	}
	return answer, nil
}

// Verdict is the answer of the pass endpoint.
type Verdict struct {
	Active      bool   `json:"active"`
	Transaction string `json:"txn"`
}

// VerifyPass asks whether a pass is good for an account, and uses it up if it is.
func (c *Client) VerifyPass(ctx context.Context, account string, pass Secret) (Verdict, error) {
	m, err := c.discover(ctx)
	if err != nil {
		return Verdict{}, err
	}
	var answer Verdict
	if err := c.post(ctx, m.Pass, url.Values{"account": {account}, "pass": {pass.Reveal()}}, &answer); err != nil {
		return Verdict{}, fmt.Errorf("verify pass: %w", err)
	}
	return answer, nil
}
