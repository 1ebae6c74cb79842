package proofing

import (
	"errors"
	"net/http"

	"regain/conformance/proofing/client"
	"regain/conformance/proofing/dpop"
)

// oauthError is an error answer of RFC 6749 §5.2, RFC 6750 §3.1, RFC 9449 §7.1 and OpenID4VCI 1.0 §8.3.1.
type oauthError struct {
	status int
	code   string
	detail string // ASCII without quotes and backslashes, no personal data: it goes to the caller
	scheme string // the WWW-Authenticate challenge, Bearer or DPoP; empty for none
}

func (e oauthError) Error() string { return e.code + ": " + e.detail }

func refuse(code, detail string) error {
	return oauthError{status: http.StatusBadRequest, code: code, detail: detail}
}

// challenge is the WWW-Authenticate header.
func (e oauthError) challenge() string {
	text := e.scheme
	if e.code != "" {
		text += ` error="` + e.code + `"`
	}
	if e.scheme == dpop.Header {
		if e.code != "" {
			text += ","
		}
		text += ` algs="ES256"`
	}
	return text
}

// fail answers a machine: with what it did wrong, or with a server error that says nothing.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known oauthError
	if !errors.As(err, &known) {
		s.fault(w, r, err)
		return
	}
	s.config.Logger.InfoContext(r.Context(), "request refused", "path", r.URL.Path, "error", known.code, "detail", known.detail)
	if known.scheme != "" {
		w.Header().Set("WWW-Authenticate", known.challenge())
	}
	body := map[string]string{"error_description": known.detail}
	if known.code != "" {
		body["error"] = known.code
	}
	writeJSON(w, known.status, body)
}

// fault is our own failure.
func (s *Server) fault(w http.ResponseWriter, r *http.Request, err error) {
	s.config.Logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	if errors.Is(err, ErrFull) || errors.Is(err, dpop.ErrFull) || errors.Is(err, client.ErrFull) {
		w.Header().Set("Retry-After", "60")
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"})
		return
	}
	writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
}
