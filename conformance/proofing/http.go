package proofing

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// routes is the whole URL surface.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	// For wallets and verifiers.
	mux.HandleFunc("GET /.well-known/openid-credential-issuer", s.serveIssuerMetadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.serveServerMetadata)
	mux.HandleFunc("GET /.well-known/did.json", s.serveDID)
	mux.HandleFunc("GET /.well-known/did-configuration.json", s.serveDIDConfiguration)
	mux.HandleFunc("GET /offers/{id}", s.serveOffer)
	mux.HandleFunc("GET /authorize", s.serveAuthorize)
	mux.HandleFunc("POST /token", s.renewing(s.serveToken))
	mux.HandleFunc("POST /nonce", s.serveNonce)
	mux.HandleFunc("POST /credential", s.renewing(s.serveCredential))
	mux.HandleFunc("POST /notification", s.renewing(s.serveNotification))
	mux.HandleFunc("GET /status/{list}", s.serveStatus)
	mux.HandleFunc("GET "+revocationPath, s.serveRevocations)
	mux.HandleFunc("POST "+faceCheckPath, s.serveFaceCheck)
	// For people.
	mux.HandleFunc("GET /{$}", s.serveHome)
	mux.HandleFunc("GET /start", s.serveStart)
	mux.HandleFunc("POST /journey/begin", s.serveBegin)
	mux.HandleFunc("GET /journey", s.serveJourney)
	mux.HandleFunc("POST /journey/{step}", s.serveStep)
	mux.HandleFunc("GET /journey/state", s.serveState)
	mux.HandleFunc("GET /journey/offer.svg", s.serveQR)
	mux.HandleFunc("GET /journey/selfie.jpg", s.serveSelfie)
	mux.HandleFunc("GET /portraits/{id}", s.servePortrait)
	mux.HandleFunc("GET /assets/{name}", s.serveAsset)
	return s.protect(mux)
}

// protect bounds what a request may carry and sets the headers that every answer needs.
func (s *Server) protect(next http.Handler) http.Handler {
	// A form's answer may send the browser back to the relying party, and Chromium holds form-action against
	// redirects too.
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self' " + origin(s.config.RegainIssuer) + "; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if strings.HasPrefix(s.config.BaseURL, "https:") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		limit := s.limits.body
		if r.URL.Path == faceCheckPath {
			limit = s.limits.upload
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// origin is scheme, host and port of an absolute URL.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
