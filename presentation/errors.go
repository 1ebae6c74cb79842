package presentation

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Reasons to refuse a wallet's message. Errors wrap one of them and add details, but never quote the message.
var (
	ErrMalformed         = errors.New("malformed wallet message")
	ErrTooLarge          = errors.New("wallet message is too large")
	ErrUnsupportedWallet = errors.New("wallet cannot answer this verifier")
	ErrExpired           = errors.New("presentation request has expired")
	ErrPlaintext         = errors.New("response is not encrypted")
	ErrAlgorithm         = errors.New("response is encrypted in a way that was not offered")
	ErrUnknownKey        = errors.New("response is encrypted to another request's key")
	ErrDecrypt           = errors.New("response cannot be decrypted")
	ErrState             = errors.New("response belongs to another request")
	ErrNotAsked          = errors.New("response holds a presentation that was not asked for")
	ErrMissing           = errors.New("response lacks a presentation")
	ErrProtocol          = errors.New("the wallet answered in a protocol that was not asked for")
	// ErrRejected is for the caller to wrap when the presentations do not verify. This package never returns it.
	ErrRejected = errors.New("presentation was not accepted")
)

// describe returns the description of an error for the wallet, which an attacker can read too. All sentinels have the
// same OAuth error code, so that probing tells an attacker little.
func describe(err error) (description string, known bool) {
	for _, row := range []struct {
		is   error
		text string
	}{
		{ErrMalformed, "the message does not have the form that OpenID4VP 1.0 asks for"},
		{ErrTooLarge, "the message is too large"},
		{ErrUnsupportedWallet, "the wallet metadata lacks something this request needs: compare it with the request object"},
		{ErrExpired, "the request has expired"},
		{ErrPlaintext, "the response has to be encrypted"},
		{ErrAlgorithm, "the response is encrypted in a way that the request did not offer: if it did, with ECDH-ES on P-256 and A128GCM or A256GCM"},
		{ErrUnknownKey, "the response has to be encrypted to the key of the request, with its kid"},
		{ErrDecrypt, "the response cannot be decrypted"},
		{ErrState, "the response lacks the state of the request"},
		{ErrNotAsked, "the response does not match the query"},
		{ErrMissing, "the response does not match the query"},
		{ErrProtocol, "the answer is not in a protocol that was asked for"},
		{ErrRejected, "the presentation was not accepted"},
	} {
		if errors.Is(err, row.is) {
			return row.text, true
		}
	}
	return "", false
}

// errorBody is an OAuth error response (RFC 6749 §5.2). The description names the reference too: wallets show it to people.
type errorBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	CorrelationID string `json:"correlation_id,omitempty"`
}

// ErrorBody returns the HTTP status and the JSON body that answer a wallet whose message led to err. The body has a
// general description and the correlation id, by which the operator finds the error in the log. Any error other than
// this package's sentinels becomes server_error without details.
func ErrorBody(err error, correlationID string) (status int, body any) {
	id := printable(correlationID)
	reference := ""
	if id != "" {
		reference = fmt.Sprintf(" (reference %s)", id)
	}
	description, known := describe(err)
	if !known {
		return http.StatusInternalServerError, errorBody{"server_error", "something went wrong" + reference, id}
	}
	return http.StatusBadRequest, errorBody{"invalid_request", description + reference, id}
}

// printable returns the characters of a correlation id that mean nothing to JSON, HTML or a terminal.
func printable(correlationID string) string {
	const limit = 64
	clean := strings.Map(func(c rune) rune {
		if strings.ContainsRune("-_.", c) || isAlphanumeric(c) {
			return c
		}
		return -1
	}, correlationID)
	return clean[:min(len(clean), limit)]
}

func isAlphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
