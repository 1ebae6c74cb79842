package presentation

import "fmt"

const maxMultiple = 16 // presentations for one credential query that allows several

// readResponse reads the response parameters from a JSON object (OpenID4VP 1.0 §8.1, §8.3, Appendix A.4): the wallet's
// error, or a vp_token, whose credential ids must satisfy the query.
func (r Request) readResponse(members map[string]any) (Answer, error) {
	token, hasToken := members["vp_token"]
	code, hasCode := members["error"]
	if hasToken == hasCode {
		return Answer{}, fmt.Errorf("%w: neither vp_token nor error, or both", ErrMalformed)
	}
	if hasCode {
		text, _ := code.(string)
		if text == "" {
			return Answer{}, fmt.Errorf("%w: error is no text, or empty", ErrMalformed)
		}
		description, _ := members["error_description"].(string)
		return Answer{Error: newWalletError(text, description)}, nil
	}
	presentations, err := r.presentations(token)
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
		query, requested := r.Query.Credential(id)
		if !requested {
			return nil, ErrNotAsked
		}
		list, _ := entry.([]any)
		if len(list) == 0 {
			return nil, fmt.Errorf("%w: vp_token: %s is no array, or empty", ErrMalformed, query.ID)
		}
		if len(list) > 1 && !query.Multiple || len(list) > maxMultiple {
			return nil, fmt.Errorf("%w: more presentations for %s than it allows", ErrNotAsked, query.ID)
		}
		for _, element := range list {
			// In every format that we request, a presentation is a string (OpenID4VP 1.0 Appendix B.1.3.1, B.2.5,
			// B.3.6).
			presentation, _ := element.(string)
			if presentation == "" {
				return nil, fmt.Errorf("%w: vp_token: a presentation for %s is no text, or empty", ErrMalformed, query.ID)
			}
			found[id] = append(found[id], presentation)
		}
	}
	return found, nil
}
