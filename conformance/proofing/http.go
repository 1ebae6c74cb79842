package proofing

import (
	"net/http"
	"strings"

	"regain/conformance/proofing/facecheck"
	"regain/conformance/proofing/web"
)

// What a request may carry, in bytes: an ordinary one, and one of the Face Check, with a picture.
const (
	maxBody   = 64 << 10
	maxUpload = 512 << 10
)

// protect bounds what a request may carry and sets the headers that every answer needs.
func protect(next http.Handler, config Config) http.Handler {
	// A form's answer may send the browser back to the relying party, and Chromium holds form-action against
	// redirects too.
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self' " + web.Origin(config.RegainIssuer) + "; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if strings.HasPrefix(config.BaseURL, "https:") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		limit := int64(maxBody)
		if r.URL.Path == facecheck.Path {
			limit = maxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}
