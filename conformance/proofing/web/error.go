package web

import (
	"errors"
	"log/slog"
	"net/http"

	"regain/conformance/proofing/client"
	"regain/conformance/proofing/dpop"
)

// ErrFull means that too many journeys or offers are open at once.
var ErrFull = errors.New("too many are open")

// Error is an error answer of RFC 6749 §5.2, RFC 6750 §3.1, RFC 9449 §7.1 and OpenID4VCI 1.0 §8.3.1.
type Error struct {
	Status int
	Code   string
	Detail string // ASCII without quotes and backslashes, no personal data: it goes to the caller
	Scheme string // the WWW-Authenticate challenge, Bearer or DPoP; empty for none
}

func (e Error) Error() string { return e.Code + ": " + e.Detail }

// Refuse is the Error for a request that is not as it has to be: status 400.
func Refuse(code, detail string) error {
	return Error{Status: http.StatusBadRequest, Code: code, Detail: detail}
}

// RefuseUnread tells a body that is too long from one that cannot be read. err came from reading it.
func RefuseUnread(err error, code string) error {
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return Error{Status: http.StatusRequestEntityTooLarge, Code: code, Detail: "the request is too long"}
	}
	return Refuse(code, "the request cannot be read")
}

// challenge is the WWW-Authenticate header.
func (e Error) challenge() string {
	text := e.Scheme
	if e.Code != "" {
		text += ` error="` + e.Code + `"`
	}
	if e.Scheme == dpop.Header {
		if e.Code != "" {
			text += ","
		}
		text += ` algs="ES256"`
	}
	return text
}

// Errors answers with errors, and logs them.
type Errors struct{ Logger *slog.Logger }

// Fail answers a machine: with what it did wrong, or with a server error that says nothing.
func (e Errors) Fail(w http.ResponseWriter, r *http.Request, err error) {
	var known Error
	if !errors.As(err, &known) {
		e.Fault(w, r, err)
		return
	}
	e.Logger.InfoContext(r.Context(), "request refused", "path", r.URL.Path, "error", known.Code, "detail", known.Detail)
	if known.Scheme != "" {
		w.Header().Set("WWW-Authenticate", known.challenge())
	}
	body := map[string]string{"error_description": known.Detail}
	if known.Code != "" {
		body["error"] = known.Code
	}
	WriteJSON(w, known.Status, body)
}

// Fault is our own failure.
func (e Errors) Fault(w http.ResponseWriter, r *http.Request, err error) {
	e.Logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	if errors.Is(err, ErrFull) || errors.Is(err, dpop.ErrFull) || errors.Is(err, client.ErrFull) {
		w.Header().Set("Retry-After", "60")
		WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"})
		return
	}
	WriteJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
}
