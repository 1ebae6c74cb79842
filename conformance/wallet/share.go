package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-jose/go-jose/v4/json"
)

// What keeps a request from being answered.
var (
	ErrNothingToShare  = errors.New("the wallet does not hold what was asked for")
	ErrFaceCheckNeeded = errors.New("a Face Check has to be taken first")
	ErrNothingToReplay = errors.New("nothing was sent yet that could be replayed")
)

// Share answers the request with what its review listed and nothing else, and returns where the
// verifier wants the browser to go next (OpenID4VP 1.0 §8.2), empty when it does not say. A
// refusal is a *ResponseError.
func (w *Wallet) Share(ctx context.Context, r *Request, options ShareOptions) (string, error) {
	form, err := w.answer(r, options.Tamper)
	if err != nil {
		return "", fmt.Errorf("preparing the answer: %w", err)
	}
	w.mu.Lock()
	w.lastBody = form
	w.mu.Unlock()
	w.cfg.Logger.InfoContext(ctx, "request answered", "request", r, "credentials", len(r.Shares))
	return w.deliver(ctx, r, form)
}

// Decline tells the verifier that the person said no, and returns where the verifier wants the
// browser to go next. The error is not encrypted: it says nothing about anybody (§8.3.1).
func (w *Wallet) Decline(ctx context.Context, r *Request) (string, error) {
	form := url.Values{"error": {"access_denied"}}
	if r.state != "" {
		form.Set("state", r.state)
	}
	w.cfg.Logger.InfoContext(ctx, "request declined", "request", r)
	return w.deliver(ctx, r, form.Encode())
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
	form := url.Values{}
	if t.PlainVPToken {
		raw, err := json.Marshal(token)
		if err != nil {
			return "", fmt.Errorf("encoding vp_token: %w", err)
		}
		form.Set("vp_token", string(raw))
		form.Set("state", r.state)
	} else {
		sealed, err := w.seal(r, token, t)
		if err != nil {
			return "", fmt.Errorf("encrypting: %w", err)
		}
		form.Set("response", sealed)
	}
	for name, values := range t.ExtraParameters {
		form[name] = append(form[name], values...)
	}
	return form.Encode(), nil
}

// vpToken makes the presentations, one for each credential query (§8.1).
func (w *Wallet) vpToken(r *Request, t Tamper) (map[string][]string, error) {
	if len(r.Missing) > 0 || len(r.Shares) == 0 {
		return nil, ErrNothingToShare
	}
	if !r.Expires.IsZero() && !w.cfg.Clock().Before(r.Expires) {
		return nil, ErrExpired
	}
	token := map[string][]string{}
	for _, s := range r.Shares {
		h, places, err := w.resolve(r, s, t)
		if err != nil {
			return nil, err
		}
		p := presentation{places: places, audience: r.clientID, nonce: r.nonce}
		presented, err := w.present(h, t.apply(p, s.Query))
		if err != nil {
			return nil, fmt.Errorf("presenting %s: %w", s.Query, err)
		}
		token[s.Query] = []string{presented}
	}
	return token, nil
}

// resolve finds what is presented for a share. For a Face Check that is the newest receipt taken
// for this credential since the review: an older one says who held the phone at another time.
func (w *Wallet) resolve(r *Request, s Share, t Tamper) (*holding, [][]any, error) {
	if !s.FaceCheck {
		h, err := w.find(s.Credential.ID)
		return h, s.places, err
	}
	h, err := w.receipt(r, s, t.Receipt)
	if err != nil {
		return nil, nil, err
	}
	selection, ok := s.query.Match(h.candidate())
	if !ok {
		return nil, nil, fmt.Errorf("the receipt: %w", ErrNothingToShare)
	}
	return h, selection.Places, nil
}

func (w *Wallet) receipt(r *Request, s Share, instead string) (*holding, error) {
	if instead != "" {
		return w.find(instead)
	}
	var newest *holding
	for _, h := range w.snapshot() {
		if h.source == s.Credential.ID && !h.taken.Before(r.reviewed) && !h.expired(w.cfg.Clock()) {
			newest = h
		}
	}
	if newest == nil {
		return nil, ErrFaceCheckNeeded
	}
	return newest, nil
}

func (w *Wallet) seal(r *Request, token map[string][]string, t Tamper) (string, error) {
	members := map[string]any{"vp_token": token}
	if r.state != "" {
		members["state"] = r.state
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("encoding the answer: %w", err)
	}
	to := r.recipient
	if t.WrongKid {
		to = to.WithUnknownKeyID()
	}
	return to.Seal(raw, w.cfg.Random)
}

// deliver posts the form and reads the verifier's answer (§8.2): status 200, JSON, and perhaps a
// redirect_uri, which the browser has to open.
func (w *Wallet) deliver(ctx context.Context, r *Request, form string) (string, error) {
	answer, err := w.postForm(ctx, r.responseURI, "application/json", form)
	if err != nil {
		return "", fmt.Errorf("sending the answer: %w", err)
	}
	var body struct {
		RedirectURI string `json:"redirect_uri"`
	}
	if err := answer.decode(&body); err != nil {
		return "", fmt.Errorf("reading the verifier's answer: %w", err)
	}
	if body.RedirectURI == "" {
		return "", nil
	}
	if _, err := checkAddress(body.RedirectURI); err != nil {
		return "", fmt.Errorf("reading the verifier's answer: redirect_uri: %w", err)
	}
	return body.RedirectURI, nil
}
