package oauth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ory/fosite"
)

// Error is an OAuth error as the client may see it: a registered code, a sentence, and the HTTP status where the
// endpoint answers with JSON. It never carries internals; the cause goes to the log through Unwrap.
type Error struct {
	Code        string
	Description string
	Status      int
	cause       error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Description + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Description
}

// Unwrap returns the cause, which is for the log only.
func (e *Error) Unwrap() error { return e.cause }

// Because returns a copy of e with a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// The errors this package and its caller answer with.
func newError(status int, code, description string) *Error {
	return &Error{Code: code, Description: description, Status: status}
}

// InvalidRequest is RFC 6749 §5.2 invalid_request.
func InvalidRequest(description string) *Error {
	return newError(http.StatusBadRequest, "invalid_request", description)
}

// InvalidGrant is RFC 6749 §5.2 invalid_grant.
func InvalidGrant(description string) *Error {
	return newError(http.StatusBadRequest, "invalid_grant", description)
}

// AccessDenied is RFC 6749 §4.1.2.1 access_denied.
func AccessDenied(description string) *Error {
	return newError(http.StatusForbidden, "access_denied", description)
}

// Unavailable is RFC 6749 §4.1.2.1 temporarily_unavailable.
func Unavailable(cause error) *Error {
	return newError(http.StatusServiceUnavailable, "temporarily_unavailable", "The service cannot answer just now. Try again later.").Because(cause)
}

// LoginRequired is OpenID Connect Core 1.0 §3.1.2.6 login_required.
func LoginRequired(description string) *Error {
	return newError(http.StatusBadRequest, "login_required", description)
}

// ServerError hides any other failure behind server_error.
func ServerError(cause error) *Error {
	return newError(http.StatusInternalServerError, "server_error", "The server met an unexpected condition.").Because(cause)
}

func invalidClient(cause error) *Error {
	return newError(http.StatusUnauthorized, "invalid_client",
		"Client authentication failed. Check the method registered for the client, its key or secret, and that the assertion's audience is the issuer.").Because(cause)
}

// AuthorizeError is a refused authorization request. Response is what the browser must carry to the client; nil means
// that the client or its redirect_uri could not be trusted, so the error is shown on a page and nowhere else (RFC 6749
// §4.1.2.1).
type AuthorizeError struct {
	Problem  *Error
	Response *Response
}

func (e *AuthorizeError) Error() string { return "authorization request: " + e.Problem.Error() }

// Unwrap returns the OAuth error.
func (e *AuthorizeError) Unwrap() error { return e.Problem }

// asError turns any error into one of ours. fosite's hints are for people and safe; its debug text is not and stays
// in the cause.
func asError(err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *fosite.RFC6749Error
	if !errors.As(err, &theirs) {
		return ServerError(err)
	}
	if theirs.CodeField >= http.StatusInternalServerError {
		// Its Error is the bare code; what happened is in the debug text, which only the log sees.
		return ServerError(fmt.Errorf("%w: %s", err, theirs.Debug()))
	}
	description := theirs.DescriptionField
	if theirs.HintField != "" {
		description += " " + theirs.HintField
	}
	return newError(theirs.CodeField, theirs.ErrorField, printable(description)).Because(err)
}

// printable keeps to the characters that RFC 6749 §5.2 allows in error_description.
func printable(text string) string {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\'')
		case r >= 0x20 && r < 0x7f:
			out = append(out, byte(r))
		}
	}
	return string(out)
}
