// Package problem defines the errors that clients may see at the OAuth and OpenID Connect endpoints. All packages of the
// provider return them; any other error that reaches an endpoint becomes server_error.
package problem

import "net/http"

// Error is an OAuth error: a registered code, a sentence, and the HTTP status if the endpoint answers with JSON. It
// never contains internals; the cause is for the log, through Unwrap.
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

// WithCause returns a copy of e with a cause for the log.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// New returns an error with a registered code. The description is a sentence that says what to do.
func New(status int, code, description string) *Error {
	return &Error{Code: code, Description: description, Status: status}
}

// WithStatus returns a copy of e with another HTTP status: a protected resource answers 401 where the token endpoint
// answers 400.
func (e *Error) WithStatus(status int) *Error {
	c := *e
	c.Status = status
	return &c
}

// InvalidRequest is RFC 6749 §5.2 invalid_request.
func InvalidRequest(description string) *Error {
	return New(http.StatusBadRequest, "invalid_request", description)
}

// InvalidGrant is RFC 6749 §5.2 invalid_grant.
func InvalidGrant(description string) *Error {
	return New(http.StatusBadRequest, "invalid_grant", description)
}

// AccessDenied is RFC 6749 §4.1.2.1 access_denied.
func AccessDenied(description string) *Error {
	return New(http.StatusForbidden, "access_denied", description)
}

// Unavailable is RFC 6749 §4.1.2.1 temporarily_unavailable.
func Unavailable(cause error) *Error {
	return New(http.StatusServiceUnavailable, "temporarily_unavailable", "The service cannot answer just now. Try again later.").WithCause(cause)
}

// LoginRequired is OpenID Connect Core 1.0 §3.1.2.6 login_required.
func LoginRequired(description string) *Error {
	return New(http.StatusBadRequest, "login_required", description)
}

// ServerError hides any other failure behind server_error.
func ServerError(cause error) *Error {
	return New(http.StatusInternalServerError, "server_error", "The server met an unexpected condition.").WithCause(cause)
}

// InvalidClient is RFC 6749 §5.2 invalid_client. Only the log contains the cause, so that an attacker cannot tell an
// unknown client from a wrong secret.
func InvalidClient(cause error) *Error {
	return New(http.StatusUnauthorized, "invalid_client",
		"Client authentication failed. Check the method registered for the client, its key or secret, and that the assertion's audience is the issuer.").WithCause(cause)
}

// Printable removes or replaces the characters that RFC 6749 §5.2 does not allow in error_description.
func Printable(text string) string {
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
