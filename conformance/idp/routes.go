package idp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// action is a handler whose error decides the page that is shown.
type action func(http.ResponseWriter, *http.Request) error

// maxForm bounds a form, in bytes.
const maxForm = 16 << 10

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, do action) { mux.Handle(pattern, s.record(do, s.showError)) }
	script := func(pattern string, do action) {
		mux.Handle(pattern, s.record(do, func(w http.ResponseWriter, err error) int { return showJSONError(w, err) }))
	}
	page("GET /{$}", s.plain("sign-in"))
	page("GET /other-ways", s.serveOtherWays)
	page("POST /recover", s.serveRecover)
	page("GET /callback", s.serveCallback)
	page("GET /recovered", s.serveRecovered)
	page("GET /pass", s.servePassForm)
	page("POST /pass", s.servePass)
	page("GET /passkey/new", s.forSession(rightCreatePasskey, "create-passkey"))
	page("GET /passkey/created", s.forSession(rightSeeCreated, "passkey-created"))
	page("GET /home", s.forSession(rightHome, "home"))
	page("POST /sign-out", s.serveSignOut)
	page("/", func(http.ResponseWriter, *http.Request) error { return errNotFound })
	script("POST /passkey/register/begin", s.serveRegisterBegin)
	script("POST /passkey/register/finish", s.serveRegisterFinish)
	script("POST /passkey/login/begin", s.serveLoginBegin)
	script("POST /passkey/login/finish", s.serveLoginFinish)
	mux.HandleFunc("GET /assets/{name}", serveAsset)

	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(s.record(func(http.ResponseWriter, *http.Request) error { return errCrossOrigin }, s.showError))
	return s.secure(protection.Handler(mux))
}

// secure sets what every answer carries: nothing from elsewhere, no frames, nothing stored. Forms may lead to Regain,
// because browsers ask form-action about redirects too. The referrer is our origin and never a URL, which may hold a
// code; no-referrer would make browsers send `Origin: null` with our own forms.
func (s *Server) secure(next http.Handler) http.Handler {
	regain := "'self'"
	if u, err := url.Parse(s.cfg.RegainIssuer); err == nil {
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

// notes are what a handler adds to the log event of its request. No secret is among them.
type notes struct{ attrs []slog.Attr }

type notesKey struct{}

func note(r *http.Request, key, value string) {
	if n, ok := r.Context().Value(notesKey{}).(*notes); ok {
		n.attrs = append(n.attrs, slog.String(key, value))
	}
}

// record runs an action, renders its error and logs one event: the route and never the URL, which may hold a code.
func (s *Server) record(do action, render func(http.ResponseWriter, error) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &notes{}
		r = r.WithContext(context.WithValue(r.Context(), notesKey{}, n))
		began, level := s.cfg.Clock(), slog.LevelInfo
		err := attempted(do, w, r)
		if err != nil {
			level = slog.LevelWarn
			status := render(w, err)
			if status == http.StatusInternalServerError {
				level = slog.LevelError
			}
			n.attrs = append(n.attrs, slog.Int("status", status), slog.String("cause", err.Error()))
		}
		attrs := append([]slog.Attr{slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Duration("took", s.cfg.Clock().Sub(began))}, n.attrs...)
		s.cfg.Logger.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// attempted runs an action whose form has been read.
func attempted(do action, w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: the form cannot be read", errAccountName)
		}
	}
	return do(w, r)
}

// plain shows a page that knows nothing.
func (s *Server) plain(name string) action {
	return func(w http.ResponseWriter, _ *http.Request) error { return s.show(w, http.StatusOK, view{Page: name}) }
}

// forSession shows a page to those who hold the right.
func (s *Server) forSession(wanted right, name string) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, _, err := s.session(r, wanted)
		if err != nil {
			return err
		}
		return s.show(w, http.StatusOK, view{Page: name, Account: v.account})
	}
}

func (s *Server) serveOtherWays(w http.ResponseWriter, r *http.Request) error {
	account, _ := accountName(r.URL.Query().Get("account")) // a prefilled field, no more
	return s.show(w, http.StatusOK, view{Page: "other-ways", Account: account})
}

func (s *Server) serveSignOut(w http.ResponseWriter, r *http.Request) error {
	s.endSession(r)
	clearCookie(w, sessionCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
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
