package idp

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/webauthn"
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
	tokenSeen     = 15 * time.Minute // longer than a recovery token lives
)

// Server is the main IdP. It is safe for concurrent use.
type Server struct {
	cfg      Config
	random   *dice
	keys     keys
	regain   *regain
	pages    *pageSet
	passkeys *webauthn.WebAuthn
	handler  http.Handler

	attempts   *cache[attempt]
	seen       *cache[struct{}] // jti of recovery tokens
	sessions   *cache[session]
	ceremonies *cache[ceremony]
	guesses    *guesses

	mu      sync.Mutex // guards the passkeys in members
	members map[string]*member
}

// New makes an IdP with fresh keys. It does not ask Regain for anything yet.
func New(cfg Config) (*Server, error) {
	base, err := check(&cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, random: &dice{source: cfg.Random}}
	if s.keys, err = newKeys(s.random); err != nil {
		return nil, err
	}
	if s.members, err = newMembers(cfg.Accounts, s.random); err != nil {
		return nil, err
	}
	if s.pages, err = newPageSet(); err != nil {
		return nil, err
	}
	if s.passkeys, err = newRelyingParty(cfg.Name, base); err != nil {
		return nil, err
	}
	s.attempts, s.seen = newCache[attempt](cfg.Clock), newCache[struct{}](cfg.Clock)
	s.sessions, s.ceremonies = newCache[session](cfg.Clock), newCache[ceremony](cfg.Clock)
	s.guesses = newGuesses(cfg.Clock)
	s.regain = newRegain(s)
	s.handler = s.routes()
	return s, nil
}

// Handler serves the IdP at the root of its origin.
func (s *Server) Handler() http.Handler { return s.handler }

// JWKS returns the public keys to register at Regain, as a JSON Web Key Set: "sig" (ES256) and "enc" (ECDH-ES).
func (s *Server) JWKS() []byte { return append([]byte(nil), s.keys.public...) }

// RedirectURI returns the redirect URI to register at Regain.
func (s *Server) RedirectURI() string { return s.cfg.BaseURL + "/callback" }

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
	base, err := secureURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("idp: BaseURL: %w", err)
	}
	if base.Path != "" || base.RawQuery != "" {
		return nil, errors.New("idp: BaseURL is more than an origin")
	}
	if _, err := secureURL(cfg.RegainIssuer); err != nil {
		return nil, fmt.Errorf("idp: RegainIssuer: %w", err)
	}
	return base, nil
}

// secureURL parses an https URL, or an http one of this machine: nothing travels there.
func secureURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("not an absolute URL")
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, errors.New("not https, and not this machine")
	}
	return u, nil
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
