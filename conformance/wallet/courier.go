package wallet

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/request"
)

// courier brings answers and errors to verifiers.
type courier struct {
	agent      agent.Agent
	sealErrors bool // encrypts errors too, where the request has a key for it
}

// deliver posts the form and reads the verifier's answer (OpenID4VP 1.0 §8.2): status 200, JSON, and perhaps a
// redirect_uri, which the browser has to open.
func (c courier) deliver(ctx context.Context, to request.Channel, form string) (string, error) {
	answer, err := c.agent.Post(ctx, to.ResponseURI, agent.Form, form)
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

// tell brings an error (OpenID4VP 1.0 §8.5).
func (c courier) tell(ctx context.Context, to request.Channel, code, description string) (string, error) {
	members := map[string]any{"error": code}
	if description = oauthText(description); description != "" {
		members["error_description"] = description
	}
	if to.State != "" {
		members["state"] = to.State
	}
	sealed, err := seal(to.Recipient, members, Tamper{PlainVPToken: !c.sealErrors})
	if err != nil {
		return "", fmt.Errorf("preparing the error: %w", err)
	}
	form, err := asForm(sealed)
	if err != nil {
		return "", fmt.Errorf("preparing the error: %w", err)
	}
	return c.deliver(ctx, to, form.Encode())
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

// seal encrypts the members of a response where the request wants it (OpenID4VP 1.0 §8.3), and is the members
// themselves where it does not.
func seal(to *jose.Recipient, members map[string]any, t Tamper) (map[string]any, error) {
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
