package wallet

import (
	"context"
	"errors"
	"fmt"

	"regain/conformance/wallet/request"
)

// What keeps a request from being answered.
var (
	ErrNothingToShare  = errors.New("the wallet does not hold what was asked for")
	ErrFaceCheckNeeded = errors.New("a Face Check has to be taken first")
	ErrNothingToReplay = errors.New("nothing was sent yet that could be replayed")
	ErrWrongChannel    = errors.New("the request came another way than the answer would go")
)

// Share answers the request with what its review listed and nothing else, and returns where the
// verifier wants the browser to go next (OpenID4VP 1.0 §8.2), empty when it does not say. A
// refusal is a *ResponseError.
func (w *Wallet) Share(ctx context.Context, r *Request, options ShareOptions) (string, error) {
	if r.Flow == Digital {
		return "", fmt.Errorf("preparing the answer: %w", ErrWrongChannel)
	}
	form, err := w.answer(r, options.Tamper)
	if err != nil {
		return "", fmt.Errorf("preparing the answer: %w", err)
	}
	w.mu.Lock()
	w.lastBody = form
	w.mu.Unlock()
	w.cfg.Logger.InfoContext(ctx, "request answered", "request", r, "credentials", len(r.Shares))
	return w.send.deliver(ctx, r.asked.Channel, form)
}

func (w *Wallet) answer(r *Request, t Tamper) (string, error) {
	if t.ReplayLast {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.lastBody == "" {
			return "", ErrNothingToReplay
		}
		return w.lastBody, nil
	}
	token, err := w.vpToken(r, t)
	if err != nil {
		return "", err
	}
	members := map[string]any{"vp_token": token}
	if state := r.asked.Channel.State; state != "" {
		members["state"] = state
	}
	sealed, err := seal(r.asked.Channel.Recipient, members, t)
	if err != nil {
		return "", err
	}
	form, err := asForm(sealed)
	if err != nil {
		return "", err
	}
	for name, values := range t.ExtraParameters {
		form[name] = append(form[name], values...)
	}
	return form.Encode(), nil
}

// vpToken makes the presentations by credential query (OpenID4VP 1.0 §8.1).
func (w *Wallet) vpToken(r *Request, t Tamper) (map[string][]string, error) {
	if len(r.Missing) > 0 || len(r.Shares) == 0 {
		return nil, ErrNothingToShare
	}
	if !r.Expires.IsZero() && !w.cfg.Clock().Before(r.Expires) {
		return nil, ErrExpired
	}
	token := map[string][]string{}
	for _, s := range r.Shares {
		h, places, err := w.held.resolve(r, s, t)
		if err != nil {
			return nil, err
		}
		p := presentation{
			places: places, audience: r.asked.Audience(), nonce: r.asked.Nonce, session: sessionOf(r.asked.Channel),
			bare: !s.query.NeedsHolder(), authorises: s.authorises,
		}
		presented, err := w.present.write(h, t.apply(p, s.Query))
		if err != nil {
			return nil, fmt.Errorf("presenting %s: %w", s.Query, err)
		}
		token[s.Query] = append(token[s.Query], presented)
	}
	return token, nil
}

func sessionOf(c request.Channel) session {
	s := session{responseURI: c.ResponseURI}
	if c.Recipient != nil {
		s.thumbprint, _ = c.Recipient.Key.Thumbprint() // of a key that was chosen, so there is one
	}
	return s
}
