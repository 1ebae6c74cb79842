package presentation

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// Codes of a wallet's error (OpenID4VP 1.0 §8.5, RFC 6749 §4.1.2.1, RFC 9101 §6.2). Any other code becomes CodeUnknown.
const (
	CodeAccessDenied            = "access_denied" // the person declined, or the wallet has no such credential
	CodeInvalidRequest          = "invalid_request"
	CodeInvalidClient           = "invalid_client"
	CodeInvalidScope            = "invalid_scope"
	CodeUnauthorizedClient      = "unauthorized_client"
	CodeUnsupportedResponseType = "unsupported_response_type"
	CodeServerError             = "server_error"
	CodeTemporarilyUnavailable  = "temporarily_unavailable"
	CodeFormatsNotSupported     = "vp_formats_not_supported"
	CodeInvalidRequestURI       = "invalid_request_uri"
	CodeInvalidRequestURIMethod = "invalid_request_uri_method"
	CodeInvalidRequestObject    = "invalid_request_object"
	CodeInvalidTransactionData  = "invalid_transaction_data"
	CodeWalletUnavailable       = "wallet_unavailable"
	CodeUnknown                 = "unknown"
)

const maxDescription = 200 // characters

// WalletError is a wallet's error response. It is not authenticated: anyone who knows the state can send one. So it may
// end a presentation attempt, but must never weaken what the next one requires.
type WalletError struct {
	Code        string // one of the Code constants
	Description string // one printable line of at most 200 characters, untrusted: not for logs, and escape it in HTML
}

func newWalletError(code, description string) *WalletError {
	return &WalletError{Code: knownCode(code), Description: oneLine(description)}
}

// Error returns the code only.
func (e *WalletError) Error() string { return "wallet error " + e.Code }

// Format prints the code and not the description, which may name a person.
func (e WalletError) Format(f fmt.State, _ rune) { redact(f, "WalletError "+e.Code+" ") }

// LogValue logs the code only.
func (e WalletError) LogValue() slog.Value { return slog.StringValue(e.Code) }

// MarshalJSON writes the code only.
func (e WalletError) MarshalJSON() ([]byte, error) { return []byte(`{"code":"` + e.Code + `"}`), nil }

func knownCode(code string) string {
	switch code {
	case CodeAccessDenied, CodeInvalidRequest, CodeInvalidClient, CodeInvalidScope, CodeUnauthorizedClient,
		CodeUnsupportedResponseType, CodeServerError, CodeTemporarilyUnavailable, CodeFormatsNotSupported,
		CodeInvalidRequestURI, CodeInvalidRequestURIMethod, CodeInvalidRequestObject, CodeInvalidTransactionData,
		CodeWalletUnavailable:
		return code
	}
	return CodeUnknown
}

// oneLine removes everything that cannot be printed: line breaks, which could forge log lines, control sequences, and
// marks that change the writing direction.
func oneLine(text string) string {
	clean := strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case c == unicode.ReplacementChar || !unicode.IsPrint(c):
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	runes := []rune(strings.Join(strings.Fields(clean), " "))
	return string(runes[:min(len(runes), maxDescription)])
}
