package idp

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"regain/conformance/idp/recovery"
)

// Config says who the IdP is, where Regain is and who has an account. Every field is required.
type Config struct {
	Name         string // of the organisation, for people
	BaseURL      string // origin of this server, such as http://idp.localhost:8401
	RegainIssuer string
	ClientID     string // ours at Regain
	Accounts     []Account
	HTTPClient   *http.Client
	Clock        func() time.Time
	Random       io.Reader
	Logger       *slog.Logger
}

// Account is somebody who can sign in.
type Account struct {
	Name        string // as in login_hint, in small letters
	DisplayName string
}

// What is kept, for how long and how much of it: a stranger can fill a store, never the memory.
const (
	maxKept       = 16384
	attemptLives  = time.Hour // a recovery may include a visit to the proofing provider
	passLives     = 10 * time.Minute
	homeLives     = time.Hour
	ceremonyLives = 5 * time.Minute
)

// Server is the main IdP. It is safe for concurrent use.
type Server struct {
	redirectURI string
	regain      *recovery.Client
	handler     http.Handler
}

// New makes an IdP with fresh keys. It does not ask Regain for anything yet.
func New(cfg Config) (*Server, error) {
	base, err := check(&cfg)
	if err != nil {
		return nil, err
	}
	random := &dice{source: cfg.Random}
	accounts, err := newMembers(cfg.Accounts, random)
	if err != nil {
		return nil, err
	}
	shown, err := newPages(cfg.Name, accounts)
	if err != nil {
		return nil, err
	}
	rp, err := newRelyingParty(cfg.Name, base)
	if err != nil {
		return nil, err
	}
	s := &Server{redirectURI: cfg.BaseURL + "/callback"}
	seen := newCache[struct{}](cfg.Clock) // recovery tokens
	s.regain, err = recovery.New(recovery.Config{
		Issuer: cfg.RegainIssuer, ClientID: cfg.ClientID, RedirectURI: s.redirectURI, HTTPClient: cfg.HTTPClient, Clock: cfg.Clock,
		Random: random, Token: random.token,
		Seen: func(jti string, until time.Time) bool { return seen.add(digest(jti), struct{}{}, until) },
	})
	if err != nil {
		return nil, err
	}
	signedIn := sessions{cache: newCache[session](cfg.Clock), random: random, clock: cfg.Clock}
	s.handler = serve(cfg, shown,
		&desk{pages: shown, sessions: signedIn},
		&recoveries{
			regain: s.regain, attempts: newCache[recovery.Request](cfg.Clock), sessions: signedIn, pages: shown,
			random: random, clock: cfg.Clock,
		},
		&passes{regain: s.regain, members: accounts, sessions: signedIn, guesses: newGuesses(cfg.Clock), pages: shown},
		&passkeys{
			rp: rp, members: accounts, sessions: signedIn, ceremonies: newCache[ceremony](cfg.Clock), random: random, clock: cfg.Clock,
		},
	)
	return s, nil
}

// serve puts the parts together: the routes are the table in the comment of this package.
func serve(cfg Config, shown *pages, parts ...interface{ mount(routes) }) http.Handler {
	on := routes{mux: http.NewServeMux(), pages: shown, events: recorder{logger: cfg.Logger, clock: cfg.Clock}}
	for _, part := range parts {
		part.mount(on)
	}
	on.page("/", func(http.ResponseWriter, *http.Request) error { return errNotFound })
	on.mux.HandleFunc("GET /assets/{name}", serveAsset)
	protection := http.NewCrossOriginProtection()
	refused := func(http.ResponseWriter, *http.Request) error { return errCrossOrigin }
	protection.SetDenyHandler(on.events.record(refused, shown.showError))
	return secure(cfg.RegainIssuer, protection.Handler(on.mux))
}

// Handler serves the IdP at the root of its origin.
func (s *Server) Handler() http.Handler { return s.handler }

// JWKS returns the public keys to register at Regain, as a JSON Web Key Set: "sig" (ES256) and "enc" (ECDH-ES).
func (s *Server) JWKS() []byte { return s.regain.JWKS() }

// RedirectURI returns the redirect URI to register at Regain.
func (s *Server) RedirectURI() string { return s.redirectURI }

// check refuses a configuration with missing parts and returns the parsed BaseURL.
func check(cfg *Config) (*url.URL, error) {
	for name, missing := range map[string]bool{
		"Name": cfg.Name == "", "BaseURL": cfg.BaseURL == "", "RegainIssuer": cfg.RegainIssuer == "", "ClientID": cfg.ClientID == "",
		"Accounts": len(cfg.Accounts) == 0, "HTTPClient": cfg.HTTPClient == nil, "Clock": cfg.Clock == nil, "Random": cfg.Random == nil,
		"Logger": cfg.Logger == nil,
	} {
		if missing {
			return nil, fmt.Errorf("idp: %s is missing", name)
		}
	}
	base, err := recovery.SecureURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("idp: BaseURL: %w", err)
	}
	if base.Path != "" || base.RawQuery != "" {
		return nil, errors.New("idp: BaseURL is more than an origin")
	}
	if _, err := recovery.SecureURL(cfg.RegainIssuer); err != nil {
		return nil, fmt.Errorf("idp: RegainIssuer: %w", err)
	}
	return base, nil
}

// accountName reads the name that somebody typed. It need not be an account's; names that are and names that are not
// lose their capitals alike, for a difference would tell which is which.
func accountName(typed string) (string, error) {
	name := strings.ToLower(strings.TrimSpace(typed))
	if name == "" || len(name) > 254 || !utf8.ValidString(typed) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", errAccountName
	}
	return name, nil
}
