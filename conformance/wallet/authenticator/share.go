package authenticator

import (
	"context"
	"fmt"

	"regain/conformance/wallet"
	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

// Share answers the request with what its review listed and nothing else. Such verifiers say
// nothing but 200; one that answers JSON with a redirect_uri, as in OpenID4VP 1.0 §8.2, is
// understood, and Share returns where the browser shall go next. A refusal is a
// *wallet.ResponseError.
func (w *Wallet) Share(ctx context.Context, r *Request, options ShareOptions) (string, error) {
	form, err := w.answer(r, options)
	if err != nil {
		return "", fmt.Errorf("preparing the answer: %w", err)
	}
	w.mu.Lock()
	w.lastForm = form
	w.mu.Unlock()
	w.cfg.Logger.InfoContext(ctx, "request answered", "request", r, "credentials", len(r.Shares))
	return w.deliver(ctx, r, form)
}

func (w *Wallet) answer(r *Request, o ShareOptions) (string, error) {
	if o.Tamper.ReplayLast {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.lastForm == "" {
			return "", wallet.ErrNothingToReplay
		}
		return w.lastForm, nil
	}
	if len(r.Missing) > 0 || len(r.Shares) == 0 {
		return "", wallet.ErrNothingToShare
	}
	if !w.cfg.Clock().Before(r.Expires) {
		return "", wallet.ErrExpired
	}
	plan, err := w.held.plan(r, o)
	if err != nil {
		return "", err
	}
	return w.answers.form(r, plan, o)
}

// deliver posts the form and reads the verifier's answer.
func (w *Wallet) deliver(ctx context.Context, r *Request, form string) (string, error) {
	answer, err := w.agent.Post(ctx, r.redirectURI, agent.Form, form)
	if err != nil {
		return "", fmt.Errorf("sending the answer: %w", err)
	}
	if answer.MediaType != agent.JSON {
		return "", nil // the profile's verifier says no more than 200
	}
	var body struct {
		RedirectURI string `json:"redirect_uri"`
	}
	if err := answer.Decode(&body); err != nil {
		return "", fmt.Errorf("reading the verifier's answer: %w", err)
	}
	if body.RedirectURI == "" {
		return "", nil
	}
	if _, err := address.Check(body.RedirectURI); err != nil {
		return "", fmt.Errorf("reading the verifier's answer: redirect_uri: %w", err)
	}
	return body.RedirectURI, nil
}
