package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"regain/conformance/wallet/request"
)

// DigitalRequest is what a page hands to the wallet over the Digital Credentials API, with the
// page's origin as the platform knows it (OpenID4VP 1.0 Appendix A).
type DigitalRequest struct {
	Protocol string          `json:"protocol"` // openid4vp-v1-unsigned, -signed or -multisigned
	Data     json.RawMessage `json:"data"`
	Origin   string          `json:"-"` // such as https://verifier.example
}

// ReviewDigital is Review for a request over the Digital Credentials API.
func (w *Wallet) ReviewDigital(ctx context.Context, d DigitalRequest) (*Request, error) {
	asked, err := w.requests.ReadDigital(ctx, d.Protocol, d.Data, d.Origin)
	if err != nil {
		return nil, err
	}
	return w.review(ctx, asked, Digital)
}

// ShareDigital is Share over the Digital Credentials API: it returns the data object of the result,
// and nothing is sent by the wallet itself.
func (w *Wallet) ShareDigital(ctx context.Context, r *Request, options ShareOptions) (json.RawMessage, error) {
	if r.Flow != Digital {
		return nil, fmt.Errorf("preparing the answer: %w", ErrWrongChannel)
	}
	token, err := w.vpToken(r, options.Tamper)
	if err != nil {
		return nil, fmt.Errorf("preparing the answer: %w", err)
	}
	members, err := seal(r.asked.Channel.Recipient, map[string]any{"vp_token": token}, options.Tamper)
	if err != nil {
		return nil, fmt.Errorf("preparing the answer: %w", err)
	}
	w.cfg.Logger.InfoContext(ctx, "request answered", "request", r, "credentials", len(r.Shares))
	return json.Marshal(members)
}

// Respond answers at once, taking a Face Check where one is asked for, as if the person had agreed
// to everything. A request that cannot be answered gets a data object with its error code (Appendix
// A.4); an error of Go's means that the wallet itself was at a loss.
func (w *Wallet) Respond(ctx context.Context, d DigitalRequest, options ShareOptions) (json.RawMessage, error) {
	r, err := w.ReviewDigital(ctx, d)
	var down *RequestError
	if errors.As(err, &down) {
		return w.digitalError(down.Code, nil)
	}
	if err != nil {
		return nil, err
	}
	if len(r.Missing) > 0 {
		return w.digitalError(request.AccessDenied, r)
	}
	if id := r.FaceCheckFor(); id != "" {
		if err := w.FaceCheck(ctx, id); err != nil {
			return nil, err
		}
	}
	return w.ShareDigital(ctx, r, options)
}

// digitalError is a protocol error: the code and nothing else, encrypted if the wallet is set to.
func (w *Wallet) digitalError(code string, r *Request) (json.RawMessage, error) {
	members := map[string]any{"error": code}
	if r != nil && w.cfg.SealErrors {
		sealed, err := seal(r.asked.Channel.Recipient, members, Tamper{})
		if err != nil {
			return nil, err
		}
		members = sealed
	}
	return json.Marshal(members)
}
