package presentation

import (
	"crypto/subtle"
	"fmt"
	"net/url"
	"time"

	"regain/internal/strictjson"
)

const (
	answerDepth = 16 // unknown members are ignored (§8.1), but not followed down without end
	maxMultiple = 16 // presentations for one credential query that allows several
)

// Open opens what a wallet posted to the response URI (OpenID4VP 1.0 §8.2, §8.3.1): the answer, encrypted in `response`
// or plain in `vp_token` with `state`, as the request's mode says; or `error` with `state`, which may come unencrypted
// in either mode because a wallet that cannot encrypt has no other way to say so.
//
// It checks everything about the answer as a whole: form and sizes, that the request is still open,
// that the answer is encrypted to this request's key where that was asked, that it has its state, that the
// presentations are those asked for, one each unless the query allows more, and that together they
// satisfy the query (§6.4.2, §8.6). It has not looked into the presentations. Errors wrap one of this
// package's sentinels; see [ErrorBody].
//
// Open remembers nothing: that a request is answered once is for the caller to guard.
func (r Request) Open(form url.Values, now time.Time) (Answer, error) {
	answer, err := r.open(form, now)
	if err != nil {
		return Answer{}, fmt.Errorf("opening a wallet's answer: %w", err)
	}
	return answer, nil
}

// KeyID is the kid of the encrypted answer in form: the [EncryptionKey] ID under which to look for
// the request. Nothing else of the answer has been checked.
func KeyID(form url.Values) (string, error) {
	if err := checkForm(form); err != nil {
		return "", fmt.Errorf("finding an answer's key: %w", err)
	}
	response, err := field(form, "response", maxResponse)
	if err != nil {
		return "", fmt.Errorf("finding an answer's key: %w", err)
	}
	message, err := parseSealed(response)
	if err != nil {
		return "", fmt.Errorf("finding an answer's key: %w", err)
	}
	return message.kid, nil
}

func (r Request) open(form url.Values, now time.Time) (Answer, error) {
	if err := r.usable(now); err != nil {
		return Answer{}, err
	}
	if err := checkForm(form); err != nil {
		return Answer{}, err
	}
	fields := make(map[string]string, 4)
	for name, limit := range map[string]int{"response": maxResponse, "vp_token": maxResponse, "error": maxShort, "error_description": maxShort, "state": maxShort} {
		text, err := field(form, name, limit)
		if err != nil {
			return Answer{}, err
		}
		fields[name] = text
	}
	answers := 0
	for _, name := range []string{"response", "vp_token", "error"} {
		if fields[name] != "" {
			answers++
		}
	}
	switch {
	case r.Mode.Browser():
		return Answer{}, fmt.Errorf("%w: this request was asked through a browser", ErrMalformed)
	case r.Mode.Encrypted() && (form.Has("vp_token") || form.Has("id_token")):
		return Answer{}, ErrPlaintext
	case answers != 1:
		return Answer{}, fmt.Errorf("%w: neither an answer nor an error, or both", ErrMalformed)
	case fields["response"] != "":
		return r.openSealed(fields["response"])
	case !r.hasState(fields["state"]):
		return Answer{}, ErrState
	case fields["error"] != "":
		return Answer{Error: newWalletError(fields["error"], fields["error_description"])}, nil
	}
	return r.openPlain(fields["vp_token"])
}

func (r Request) openSealed(response string) (Answer, error) {
	if !r.Mode.Encrypted() {
		return Answer{}, fmt.Errorf("%w: no encryption was offered", ErrAlgorithm)
	}
	payload, err := r.decrypt(response)
	if err != nil {
		return Answer{}, err
	}
	return r.read(payload)
}

// openPlain reads vp_token as it stands in a form: the text of a JSON object (§8.1).
func (r Request) openPlain(token string) (Answer, error) {
	entries, err := strictjson.Object([]byte(token), answerDepth)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: vp_token: %w", ErrMalformed, err)
	}
	return r.take(map[string]any{"vp_token": entries})
}

func (r Request) decrypt(response string) ([]byte, error) {
	message, err := parseSealed(response)
	if err != nil {
		return nil, err
	}
	if r.Key == nil || !r.Key.is(message.kid) {
		return nil, ErrUnknownKey
	}
	return r.Key.open(message)
}

// hasState compares in constant time. Only a request through a browser has no state, see usable.
func (r Request) hasState(state string) bool {
	return subtle.ConstantTimeCompare([]byte(r.State), []byte(state)) == 1
}

// read takes the decrypted payload apart (§8.1, §8.3).
func (r Request) read(payload []byte) (Answer, error) {
	members, err := strictjson.Object(payload, answerDepth)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	// A state that is missing, or is no text, is the empty text, and never that of a request.
	if state, _ := members["state"].(string); !r.Mode.Browser() && !r.hasState(state) {
		return Answer{}, ErrState
	}
	token, hasToken := members["vp_token"]
	code, hasCode := members["error"]
	if hasToken == hasCode {
		return Answer{}, fmt.Errorf("%w: neither vp_token nor error, or both", ErrMalformed)
	}
	if hasCode {
		code, _ := code.(string)
		description, _ := members["error_description"].(string)
		return Answer{Error: newWalletError(code, description)}, nil
	}
	return r.take(map[string]any{"vp_token": token})
}

// take reads the vp_token, and holds the set of what it has against the query.
func (r Request) take(members map[string]any) (Answer, error) {
	presentations, err := r.presentations(members["vp_token"])
	if err != nil {
		return Answer{}, err
	}
	if err := r.Query.Missing(presentations.IDs()); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return Answer{Presentations: presentations}, nil
}

func (r Request) presentations(token any) (Presentations, error) {
	entries, ok := token.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: vp_token is no object", ErrMalformed)
	}
	found := make(Presentations, len(entries))
	for id, entry := range entries {
		query, asked := r.Query.Credential(id)
		if !asked {
			return nil, ErrNotAsked
		}
		list, ok := entry.([]any)
		if !ok || len(list) == 0 {
			return nil, fmt.Errorf("%w: vp_token: %s is no array, or empty", ErrMalformed, query.ID)
		}
		if len(list) > 1 && !query.Multiple || len(list) > maxMultiple {
			return nil, fmt.Errorf("%w: more presentations for %s than it allows", ErrNotAsked, query.ID)
		}
		for _, element := range list {
			// Strings, because that is what the formats are that we take (Appendix B.1.3.1, B.2.5, B.3.6).
			presentation, ok := element.(string)
			if !ok || presentation == "" {
				return nil, fmt.Errorf("%w: vp_token: a presentation for %s is no text, or empty", ErrMalformed, query.ID)
			}
			found[id] = append(found[id], presentation)
		}
	}
	return found, nil
}
