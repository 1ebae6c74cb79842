// Package idp is an organisation's main identity provider, the one that federates with Regain: a sign-in page, "Other
// ways to sign in", "Recover your account", sign-in with a Temporary Access Pass, and passkeys.
//
// It is a server of its own, made of parts that an engineer would pick: coreos/go-oidc and x/oauth2 for the OpenID
// Connect client, go-webauthn for passkeys. What no stock library does, the pushed request and the checks of the
// recovery token, is in conformance/rp. It shares no code with Regain.
//
//	GET  /                         sign-in page
//	GET  /other-ways               pass, or recovery
//	POST /recover                  PAR, then off to Regain
//	GET  /callback                 back from Regain: tokens, or why not
//	GET  /pass, POST /pass         sign in with a Temporary Access Pass
//	GET  /passkey                  create a passkey; the only thing that a pass is good for
//	POST /passkey/register/{begin,finish}, /passkey/sign-in/{begin,finish}
//	GET  /home, POST /sign-out
//
// All state is in memory and bounded. Every cookie is host-locked; every form must come from this origin.
package idp

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"regain/conformance/rp"
)

//go:embed pages
var files embed.FS

// Account is one account of the organisation.
type Account struct {
	Name        string // as people type it, and as it goes into login_hint
	DisplayName string
}

// Config is what the server needs; every field is required.
type Config struct {
	Name         string // of the organisation
	BaseURL      string // scheme and host, such as http://idp.localhost:8401
	RegainIssuer string
	ClientID     string
	Accounts     []Account
	HTTPClient   *http.Client
	Clock        func() time.Time
	Random       io.Reader
	Logger       *slog.Logger
}

// Server is the main IdP.
type Server struct {
	cfg      Config
	rp       *rp.RP
	keys     []byte
	passkeys *webauthn.WebAuthn
	pages    map[string]*template.Template
	handler  http.Handler

	mu        sync.Mutex
	users     map[string]*user // by lower-case name
	sessions  map[string]*session
	usedToken map[string]time.Time // jti of recovery tokens → forget at
	misses    map[string]misses    // wrong passes by account
}

// New makes a server with keys of its own. It needs no Regain yet: discovery happens at the first recovery.
func New(cfg Config) (*Server, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Path != "" {
		return nil, errors.New("main IdP: BaseURL is not scheme and host")
	}
	if cfg.Name == "" || cfg.RegainIssuer == "" || cfg.HTTPClient == nil || cfg.Clock == nil || cfg.Random == nil || cfg.Logger == nil {
		return nil, errors.New("main IdP: every field of Config is required")
	}
	s := &Server{
		cfg: cfg, users: make(map[string]*user), sessions: make(map[string]*session),
		usedToken: make(map[string]time.Time), misses: make(map[string]misses),
	}
	s.rp, err = rp.New(rp.Config{Issuer: cfg.RegainIssuer, ClientID: cfg.ClientID, RedirectURI: s.RedirectURI(), HTTPClient: cfg.HTTPClient, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("main IdP: %w", err)
	}
	if s.keys, err = s.rp.JWKS(); err != nil {
		return nil, fmt.Errorf("main IdP: %w", err)
	}
	s.passkeys, err = webauthn.New(&webauthn.Config{RPID: base.Hostname(), RPDisplayName: cfg.Name, RPOrigins: []string{cfg.BaseURL}})
	if err != nil {
		return nil, fmt.Errorf("main IdP: passkeys: %w", err)
	}
	for _, a := range cfg.Accounts {
		s.users[key(a.Name)] = &user{Account: a, handle: []byte(s.text())}
	}
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// JWKS returns the public keys to register at Regain: one that signs client assertions, one that recovery tokens are
// encrypted to.
func (s *Server) JWKS() []byte { return s.keys }

// RedirectURI is where Regain sends the browser back to.
func (s *Server) RedirectURI() string { return s.cfg.BaseURL + "/callback" }

// Handler serves everything.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.signIn)
	mux.HandleFunc("GET /other-ways", s.otherWays)
	mux.HandleFunc("POST /recover", s.recover)
	mux.HandleFunc("GET /callback", s.callback)
	mux.HandleFunc("GET /pass", s.passPage)
	mux.HandleFunc("POST /pass", s.usePass)
	mux.HandleFunc("GET /passkey", s.passkeyPage)
	mux.HandleFunc("POST /passkey/register/begin", s.beginRegistration)
	mux.HandleFunc("POST /passkey/register/finish", s.finishRegistration)
	mux.HandleFunc("POST /passkey/sign-in/begin", s.beginSignIn)
	mux.HandleFunc("POST /passkey/sign-in/finish", s.finishSignIn)
	mux.HandleFunc("GET /passkey/created", s.passkeyCreated)
	mux.HandleFunc("GET /home", s.home)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(mustSub("pages/static"))))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.render(w, http.StatusNotFound, "problem", view{Title: "This page does not exist", Advice: "Start at the sign-in page."})
	})
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.render(w, http.StatusForbidden, "problem", view{Title: "This form came from another site", Advice: "Go back to the sign-in page and try again."})
	}))
	return s.protect(origin.Handler(mux))
}

// protect sets the headers of every answer and bounds every request.
func (s *Server) protect(next http.Handler) http.Handler {
	const maxBody = 256 << 10
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h := w.Header()
		// Browsers hold form-action against redirects too, and /recover redirects to Regain.
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"form-action 'self' "+s.cfg.RegainIssuer+"; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if !strings.HasPrefix(r.URL.Path, "/static/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// note logs a failure with its cause, which is never shown.
func (s *Server) note(ctx context.Context, what string, err error) {
	s.cfg.Logger.WarnContext(ctx, what, "cause", err.Error())
}

// key is how names are compared.
func key(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// text returns 32 random bytes as base64url. Config.Random cannot fail in a way that leaves them predictable: the
// system's generator is mixed in.
func (s *Server) text() string {
	var buf, more [32]byte
	_, _ = rand.Read(buf[:])
	if _, err := io.ReadFull(s.cfg.Random, more[:]); err == nil {
		for i := range buf {
			buf[i] ^= more[i]
		}
	}
	return base64.RawURLEncoding.EncodeToString(buf[:])
}
