package oauth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ory/fosite"

	"regain/provider/problem"
)

// AuthorizeError is a refused authorization request. Response is the error response for the client; nil means that
// the client or its redirect_uri is not trusted, so the error is only shown on a page (RFC 6749 §4.1.2.1).
type AuthorizeError struct {
	Problem  *problem.Error
	Response *Response
}

func (e *AuthorizeError) Error() string { return "authorization request: " + e.Problem.Error() }

// Unwrap returns the OAuth error.
func (e *AuthorizeError) Unwrap() error { return e.Problem }

// asError converts any error to a *problem.Error. fosite's hints are safe to show; its debug text is not and becomes
// the cause, for the log.
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
		// Its Error method returns only the code; the details are in the debug text, for the log.
		return problem.ServerError(fmt.Errorf("%w: %s", err, theirs.Debug()))
	}
	description := theirs.DescriptionField
	if theirs.HintField != "" {
		description += " " + theirs.HintField
	}
	return problem.New(theirs.CodeField, theirs.ErrorField, problem.Printable(description)).WithCause(err)
}
