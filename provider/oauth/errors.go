package oauth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ory/fosite"

	"regain/provider/problem"
)

// AuthorizeError is a refused authorization request. Response is what the browser must carry to the client; nil means
// that the client or its redirect_uri could not be trusted, so the error is shown on a page and nowhere else (RFC 6749
// §4.1.2.1).
type AuthorizeError struct {
	Problem  *problem.Error
	Response *Response
}

func (e *AuthorizeError) Error() string { return "authorization request: " + e.Problem.Error() }

// Unwrap returns the OAuth error.
func (e *AuthorizeError) Unwrap() error { return e.Problem }

// asError turns any error into one of ours. fosite's hints are for people and safe; its debug text is not and stays
// in the cause.
func asError(err error) *problem.Error {
	var ours *problem.Error
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *fosite.RFC6749Error
	if !errors.As(err, &theirs) {
		return problem.ServerError(err)
	}
	if theirs.CodeField >= http.StatusInternalServerError {
		// Its Error is the bare code; what happened is in the debug text, which only the log sees.
		return problem.ServerError(fmt.Errorf("%w: %s", err, theirs.Debug()))
	}
	description := theirs.DescriptionField
	if theirs.HintField != "" {
		description += " " + theirs.HintField
	}
	return problem.New(theirs.CodeField, theirs.ErrorField, problem.Printable(description)).WithCause(err)
}
