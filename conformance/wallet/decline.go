package wallet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/request"
)

// ErrNotToBeTold reports an error that its verifier must not be told: it was not authenticated, or
// the address that it gave is not one that it may use.
var ErrNotToBeTold = errors.New("the verifier must not be told")

// Decline tells the verifier that the person said no, or that what is asked for is not there, and
// returns where the verifier wants the browser to go next. The error is not encrypted, unless the
// wallet is set to: it says nothing about anybody (OpenID4VP 1.0 §8.3.1).
func (w *Wallet) Decline(ctx context.Context, r *Request) (string, error) {
	if r.Flow == Digital {
		return "", fmt.Errorf("declining: %w", ErrWrongChannel)
	}
	w.cfg.Logger.InfoContext(ctx, "request declined", "request", r)
	return w.tell(ctx, r.asked.Channel, request.AccessDenied, "")
}

// Report tells the verifier why its request was turned down (OpenID4VP 1.0 §8.2, §8.5), where it may be told:
// otherwise the error is ErrNotToBeTold. It returns where the verifier wants the browser to go next.
func (w *Wallet) Report(ctx context.Context, turnedDown error) (string, error) {
	var down *RequestError
	if !errors.As(turnedDown, &down) || down.To == nil || down.To.ResponseURI == "" {
		return "", fmt.Errorf("reporting an error: %w", ErrNotToBeTold)
	}
	w.cfg.Logger.InfoContext(ctx, "error reported", "code", down.Code)
	return w.tell(ctx, *down.To, down.Code, down.Err.Error())
}

func (w *Wallet) tell(ctx context.Context, to request.Channel, code, description string) (string, error) {
	members := map[string]any{"error": code}
	if description = oauthText(description); description != "" {
		members["error_description"] = description
	}
	if to.State != "" {
		members["state"] = to.State
	}
	sealed, err := w.seal(to.Recipient, members, Tamper{PlainVPToken: !w.cfg.SealErrors})
	if err != nil {
		return "", fmt.Errorf("preparing the error: %w", err)
	}
	form, err := asForm(sealed)
	if err != nil {
		return "", fmt.Errorf("preparing the error: %w", err)
	}
	return w.deliver(ctx, to, form.Encode())
}

// oauthText keeps the characters that an error_description may have (RFC 6749 §4.1.2.1).
func oauthText(s string) string {
	return agent.Clip(strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, s))
}
