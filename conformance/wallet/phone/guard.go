package phone

import (
	"net/http"
	"strings"
)

const (
	maxForm  = 20 << 10 // bytes: a pasted link and a token
	maxQuery = 16 << 10
)

// Content security policies. A request's page lets its form lead anywhere a verifier may live:
// Chromium applies form-action to every redirect that follows a form's POST, and neither the
// redirect_uri nor where the verifier sends the browser from there is known in advance. Nothing a
// stranger wrote can become a form here, so the directive is a second fence, not the first.
const (
	policy      = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	elsewhere   = " https: http://localhost:* http://*.localhost:* http://127.0.0.1:*"
	sharePolicy = policy + elsewhere
)

// guard refuses what other sites make a browser send, and sets the headers of every answer.
func guard(baseURL string, next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	// NewServer has checked that the base URL is one; behind a proxy the Host may differ from it.
	_ = protection.AddTrustedOrigin(strings.TrimSuffix(baseURL, "/"))
	checked := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if len(r.URL.RawQuery) > maxQuery {
			http.Error(w, "This link is too long.", http.StatusRequestURITooLong)
			return
		}
		checked.ServeHTTP(w, r)
	})
}
