package request

import (
	"errors"
	"fmt"

	"regain/conformance/jose"
)

// Error says why a verifier's request was turned down. Code is what OpenID4VP 1.0 §8.5 or RFC 6749
// §4.1.2.1 calls it.
type Error struct {
	Code string
	Err  error
	To   *Channel // how the verifier may be told; nil when it must not be
}

func (e *Error) Error() string { return "request turned down: " + e.Code + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ErrExpired reports a request whose time is over.
var ErrExpired = errors.New("the request has expired")

// The codes of error responses.
const (
	InvalidRequest          = "invalid_request"
	InvalidClient           = "invalid_client"
	InvalidScope            = "invalid_scope"
	AccessDenied            = "access_denied"
	UnsupportedResponseType = "unsupported_response_type"
	FormatsNotSupported     = "vp_formats_not_supported"
	InvalidRequestURIMethod = "invalid_request_uri_method"
	InvalidTransactionData  = "invalid_transaction_data"
)

func turnDown(code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Channel is how an answer, or an error, gets back to the verifier.
type Channel struct {
	ResponseURI string          // where it is posted; empty over the Digital Credentials API
	Origin      string          // whose page gets it, over the Digital Credentials API only
	State       string          // sent along with it; empty when the request has none
	Recipient   *jose.Recipient // whom it is encrypted to; nil when it is not
}

// report lets an error be told over the channel.
func (c *Channel) report(err error) error {
	var down *Error
	if errors.As(err, &down) && down.To == nil {
		return &Error{Code: down.Code, Err: down.Err, To: c}
	}
	return err
}
