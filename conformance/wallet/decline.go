package wallet

import (
	"context"
	"errors"
	"fmt"

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
	return w.send.tell(ctx, r.asked.Channel, request.AccessDenied, "")
}

// Report tells the verifier why its request was turned down (OpenID4VP 1.0 §8.2, §8.5), where it may be told:
// otherwise the error is ErrNotToBeTold. It returns where the verifier wants the browser to go next.
func (w *Wallet) Report(ctx context.Context, turnedDown error) (string, error) {
	var down *RequestError
	if !errors.As(turnedDown, &down) || down.To == nil || down.To.ResponseURI == "" {
		return "", fmt.Errorf("reporting an error: %w", ErrNotToBeTold)
	}
	w.cfg.Logger.InfoContext(ctx, "error reported", "code", down.Code)
	return w.send.tell(ctx, *down.To, down.Code, down.Err.Error())
}
