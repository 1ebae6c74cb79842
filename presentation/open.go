package presentation

import (
	"crypto/subtle"
	"fmt"
	"net/url"
	"time"

	"regain/internal/strictjson"
)

const answerDepth = 16 // unknown members are ignored (OpenID4VP 1.0 §8.1), but their nesting is bounded

// Open opens the response that a wallet posted to the response URI (OpenID4VP 1.0 §8.2, §8.3.1): `response` if the mode
// is encrypted, else `vp_token` and `state`; or `error` and `state`, which may be unencrypted in either mode, since a
// wallet that cannot encrypt has no other way to report it.
//
// It validates the response as a whole: syntax and sizes, that the request has not expired, that the response is
// encrypted to the key of this request if the mode says so, that it has the state of the request, that the query asks
// for each presentation, one per credential query unless the query allows more, and that together they satisfy the
// query (OpenID4VP 1.0 §6.4.2, §8.6). It does not parse the presentations. Errors wrap one of this package's sentinels;
// see [ErrorBody].
//
// Open has no state: the caller must make sure that a request is answered only once.
func (r Request) Open(form url.Values, now time.Time) (Answer, error) {
	answer, err := r.open(form, now)
	if err != nil {
		return Answer{}, fmt.Errorf("opening a wallet's answer: %w", err)
	}
	return answer, nil
}

// KeyID returns the kid of the encrypted response in form: the [EncryptionKey] ID by which the caller finds the
// request. It validates only what needs no key.
func KeyID(form url.Values) (string, error) {
	if err := checkForm(form); err != nil {
		return "", fmt.Errorf("finding an answer's key: %w", err)
	}
	response, err := field(form, "response", maxResponse)
	if err != nil {
		return "", fmt.Errorf("finding an answer's key: %w", err)
	}
	message, err := parseEncrypted(response)
	if err != nil {
		return "", fmt.Errorf("finding an answer's key: %w", err)
	}
	return message.kid, nil
}

func (r Request) open(form url.Values, now time.Time) (Answer, error) {
	if err := r.usable(now); err != nil {
		return Answer{}, err
	}
	if r.Mode.Browser() {
		return Answer{}, fmt.Errorf("%w: this request was asked through a browser", ErrMalformed)
	}
	parameters, err := readForm(form)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case r.Mode.Encrypted() && (form.Has("vp_token") || form.Has("id_token")):
		return Answer{}, ErrPlaintext
	case parameters.answers() != 1:
		return Answer{}, fmt.Errorf("%w: neither an answer nor an error, or both", ErrMalformed)
	case parameters.response != "":
		return r.openEncrypted(parameters.response)
	case !r.hasState(parameters.state):
		return Answer{}, ErrState
	case parameters.code != "":
		return Answer{Error: newWalletError(parameters.code, parameters.description)}, nil
	}
	return r.openPlain(parameters.token)
}

// responseForm holds the form parameters of a response: one of response, vp_token and error, and those that belong to
// them. An empty parameter counts as absent (RFC 6749 §3.1).
type responseForm struct{ response, token, code, description, state string }

func readForm(form url.Values) (s responseForm, err error) {
	if err := checkForm(form); err != nil {
		return s, err
	}
	for _, f := range []struct {
		name  string
		limit int
		into  *string
	}{
		{"response", maxResponse, &s.response}, {"vp_token", maxResponse, &s.token},
		{"error", maxShort, &s.code}, {"error_description", maxShort, &s.description}, {"state", maxShort, &s.state},
	} {
		if *f.into, err = field(form, f.name, f.limit); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s responseForm) answers() (n int) {
	for _, text := range []string{s.response, s.token, s.code} {
		if text != "" {
			n++
		}
	}
	return n
}

func (r Request) openEncrypted(response string) (Answer, error) {
	if !r.Mode.Encrypted() {
		return Answer{}, fmt.Errorf("%w: no encryption was offered", ErrAlgorithm)
	}
	payload, err := r.decrypt(response)
	if err != nil {
		return Answer{}, err
	}
	members, err := strictjson.Object(payload, answerDepth)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	// A state that is missing or is not a string becomes "", which never equals the state of a request.
	if state, _ := members["state"].(string); !r.Mode.Browser() && !r.hasState(state) {
		return Answer{}, ErrState
	}
	return r.readResponse(members)
}

// openPlain parses vp_token, which in a form is the text of a JSON object (OpenID4VP 1.0 §8.1).
func (r Request) openPlain(token string) (Answer, error) {
	entries, err := strictjson.Object([]byte(token), answerDepth)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: vp_token: %w", ErrMalformed, err)
	}
	return r.readResponse(map[string]any{"vp_token": entries})
}

func (r Request) decrypt(response string) ([]byte, error) {
	message, err := parseEncrypted(response)
	if err != nil {
		return nil, err
	}
	if r.Key == nil || !r.Key.is(message.kid) {
		return nil, ErrUnknownKey
	}
	return r.Key.open(message)
}

// hasState compares in constant time. The state of a request that is not for a browser is never empty, see usable.
func (r Request) hasState(state string) bool {
	return subtle.ConstantTimeCompare([]byte(r.State), []byte(state)) == 1
}
