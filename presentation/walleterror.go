package presentation

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// Codes of a wallet's error (OpenID4VP 1.0 §8.5, RFC 6749 §4.1.2.1, RFC 9101 §6.2). Whatever else a
// wallet says is CodeUnknown.
const (
	CodeAccessDenied            = "access_denied" // refused by the person, or no such credential
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

// WalletError is a wallet's error response. Nobody has signed it: whoever knows the state can send
// one, so it may end an attempt and must never lower what the next one asks for.
type WalletError struct {
	Code        string // one of the Code constants
	Description string // one printable line of at most 200 characters; the wallet's words, so no HTML and no log
}

func newWalletError(code, description string) *WalletError {
	return &WalletError{Code: knownCode(code), Description: oneLine(description)}
}

// Error is the code alone.
func (e *WalletError) Error() string { return "wallet error " + e.Code }

// Format shows the code and not the description, which may name a person.
func (e WalletError) Format(f fmt.State, _ rune) { redact(f, "WalletError "+e.Code+" ") }

// LogValue shows slog the code.
func (e WalletError) LogValue() slog.Value { return slog.StringValue(e.Code) }

// MarshalJSON writes the code.
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

// oneLine keeps what can be printed: no line breaks that forge log lines, no control sequences, no
// marks that turn the writing direction.
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
