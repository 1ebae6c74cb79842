package idp

import (
	"net/http"
	"net/url"
	"path"
)

// action is a handler whose error decides the page that is shown.
type action func(http.ResponseWriter, *http.Request) error

// maxForm bounds a form, in bytes.
const maxForm = 16 << 10

// routes is where parts of the server mount themselves.
type routes struct {
	mux    *http.ServeMux
	pages  *pages
	events recorder
}

// page is a route for people: an error is a page.
func (t routes) page(pattern string, do action) {
	t.mux.Handle(pattern, t.events.record(do, t.pages.showError))
}

// script is a route for the scripts of pages: an error is JSON.
func (t routes) script(pattern string, do action) {
	t.mux.Handle(pattern, t.events.record(do, showJSONError))
}

// secure sets what every answer carries: nothing from elsewhere, no frames, nothing stored. Forms may lead to Regain,
// because browsers ask form-action about redirects too. The referrer is our origin and never a URL, which may hold a
// code; no-referrer would make browsers send `Origin: null` with our own forms.
func secure(regainIssuer string, next http.Handler) http.Handler {
	regain := "'self'"
	if u, err := url.Parse(regainIssuer); err == nil {
		regain += " " + u.Scheme + "://" + u.Host
	}
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
		"frame-ancestors 'none'; base-uri 'none'; form-action " + regain
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "strict-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxCredential+1)
		next.ServeHTTP(w, r)
	})
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	data, err := files.ReadFile("assets/" + r.PathValue("name"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := "text/css; charset=utf-8"
	switch path.Ext(r.PathValue("name")) {
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(data)
}
