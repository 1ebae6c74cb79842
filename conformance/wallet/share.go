package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
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
	return w.deliver(ctx, r.asked.Channel, form)
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
	sealed, err := w.seal(r.asked.Channel.Recipient, members, t)
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

// asForm writes members as form parameters, objects as JSON (OpenID4VP 1.0 §8.2).
func asForm(members map[string]any) (url.Values, error) {
	form := url.Values{}
	for name, value := range members {
		text, ok := value.(string)
		if !ok {
			raw, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("encoding %s: %w", name, err)
			}
			text = string(raw)
		}
		form.Set(name, text)
	}
	return form, nil
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
		h, places, err := w.resolve(r, s, t)
		if err != nil {
			return nil, err
		}
		p := presentation{
			places: places, audience: r.asked.Audience(), nonce: r.asked.Nonce, session: sessionOf(r.asked.Channel),
			bare: !s.query.NeedsHolder(), authorises: s.authorises,
		}
		presented, err := w.present(h, t.apply(p, s.Query))
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
	for _, h := range w.store.All() {
		if h.source == s.Credential.ID && !h.taken.Before(r.reviewed) && !h.expired(w.cfg.Clock()) {
			newest = h
		}
	}
	if newest == nil {
		return nil, ErrFaceCheckNeeded
	}
	return newest, nil
}

// seal encrypts the members of a response where the request wants it (OpenID4VP 1.0 §8.3), and is the members
// themselves where it does not.
func (w *Wallet) seal(to *jose.Recipient, members map[string]any, t Tamper) (map[string]any, error) {
	if to == nil || t.PlainVPToken {
		return members, nil
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	recipient := *to
	if t.WrongKid {
		recipient.Key.KeyID = "not-" + recipient.Key.KeyID
	}
	sealed, err := recipient.Seal(raw, nil)
	if err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	return map[string]any{"response": sealed}, nil
}

// deliver posts the form and reads the verifier's answer (OpenID4VP 1.0 §8.2): status 200, JSON, and perhaps a
// redirect_uri, which the browser has to open.
func (w *Wallet) deliver(ctx context.Context, to request.Channel, form string) (string, error) {
	answer, err := w.agent.Post(ctx, to.ResponseURI, agent.Form, form)
	if err != nil {
		return "", fmt.Errorf("sending the answer: %w", err)
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
