package authenticator

import (
	"encoding/json"
	"fmt"
	"net/url"
)

// form makes both tokens and puts them into a form, in which several presentations are a member
// that repeats.
func (w writer) form(r *Request, p plan, o ShareOptions) (string, error) {
	var presentations []string
	for _, credentials := range p.presentations {
		vp, err := w.present(r.clientID, r.nonce, credentials, o)
		if err != nil {
			return "", fmt.Errorf("writing a presentation: %w", err)
		}
		presentations = append(presentations, vp)
	}
	submissions, err := w.submissions(p, o)
	if err != nil {
		return "", err
	}
	token, err := w.idToken(r, submissions, o)
	if err != nil {
		return "", fmt.Errorf("writing the ID token: %w", err)
	}
	made := url.Values{"id_token": {token}, "vp_token": presentations, "state": {r.state}}
	if o.ArrayAsJSON {
		raw, err := json.Marshal(presentations)
		if err != nil {
			return "", fmt.Errorf("encoding the presentations: %w", err)
		}
		made.Set("vp_token", string(raw))
	}
	o.Tamper.apply(made)
	return made.Encode(), nil
}

func (t Tamper) apply(form url.Values) {
	if t.IDToken.Missing {
		form.Del("id_token")
	}
	if t.VP.Missing {
		form.Del("vp_token")
	}
	if t.State != "" {
		form.Set("state", t.State)
	}
	for name, values := range t.ExtraParameters {
		form[name] = append(form[name], values...)
	}
}
