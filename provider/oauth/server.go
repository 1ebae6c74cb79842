package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite/compose"
	fositeoauth2 "github.com/ory/fosite/handler/oauth2"

	"regain/provider/clientauth"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/dpop"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/provider/possession"
	"regain/provider/published"
	"regain/provider/pushed"
	"regain/provider/requests"
	"regain/storage"
)

// Lifetimes of codes and tokens.
const (
	codeLifetime    = 60 * time.Second // FAPI 2.0 Security Profile §5.3.2.1
	tokenLifetime   = 10 * time.Minute
	idTokenLifetime = 10 * time.Minute
)

// Config holds the operator's settings.
type Config struct {
	Issuer string // https URL without a trailing slash: the prefix of every endpoint
	// MutualTLS is the URL of the endpoints' aliases for mutual TLS, without a trailing slash; "" for none.
	MutualTLS string
	ACR       string // the acr of every authentication
	// Secret is the key of the HMAC of codes, access tokens and DPoP nonces: 32 bytes.
	Secret []byte
	// OtherSecrets are the keys of those that are honoured beside. Every node knows Secret of every other one.
	OtherSecrets [][]byte
}

// Deps holds the dependencies; all are required.
type Deps struct {
	Clients clients.Registry
	Keys    *clients.KeySource // keys of the clients
	Store   storage.Store
	Ring    *keys.Ring
	Source  *mtls.Source // client certificates
	Tenants *contract.Tenants
	// Accounts says who may still have tokens.
	Accounts Accounts
	Clock    func() time.Time
	// NotBefore is when the store was filled from a copy; the zero time for never.
	NotBefore time.Time
}

// Server is the OAuth and OpenID Connect core.
type Server struct {
	*clientauth.Authenticator

	issuer     string
	keys       *clients.KeySource
	store      storage.Store
	ring       *keys.Ring
	accounts   Accounts
	clock      func() time.Time
	possession *possession.Checker
	requests   *requests.Reader
	pushed     *pushed.Requests
	core       core
	records    *records
	refresh    refreshTokens
	codes      fositeoauth2.CoreStrategy
}

// New returns an error for missing dependencies or settings.
func New(cfg Config, deps Deps) (*Server, error) {
	switch {
	case cfg.Issuer == "" || strings.HasSuffix(cfg.Issuer, "/"):
		return nil, fmt.Errorf("issuer %q: an https URL without a trailing slash is required", cfg.Issuer)
	case len(cfg.Secret) != sha256.Size:
		return nil, fmt.Errorf("token secret: 32 bytes are required, not %d", len(cfg.Secret))
	case deps.Clients == nil || deps.Keys == nil || deps.Store == nil || deps.Ring == nil || deps.Source == nil || deps.Tenants == nil || deps.Accounts == nil || deps.Clock == nil:
		return nil, errors.New("oauth server: Clients, Keys, Store, Ring, Source, Tenants, Accounts and Clock are required")
	}
	for i, secret := range cfg.OtherSecrets {
		if len(secret) != sha256.Size {
			return nil, fmt.Errorf("token secret %d: 32 bytes are required, not %d", i+2, len(secret))
		}
	}
	s := &Server{issuer: cfg.Issuer, keys: deps.Keys, store: deps.Store, ring: deps.Ring, accounts: deps.Accounts, clock: deps.Clock}
	config := fositeConfig(cfg)
	endpoints, err := published.New(cfg.Issuer, cfg.MutualTLS)
	if err != nil {
		return nil, err
	}
	if s.Authenticator, err = clientauth.New(clientauth.Config{Issuer: cfg.Issuer, Endpoints: endpoints, Registry: deps.Clients, Keys: deps.Keys, Source: deps.Source, Store: deps.Store, Clock: deps.Clock, NotBefore: deps.NotBefore}); err != nil {
		return nil, err
	}
	proofs, err := dpop.New(dpop.Config{Store: deps.Store, Clock: deps.Clock, Key: cfg.Secret, Others: cfg.OtherSecrets, NotBefore: deps.NotBefore})
	if err != nil {
		return nil, err
	}
	s.codes = compose.NewOAuth2HMACStrategy(config)
	if s.possession, err = possession.New(endpoints, proofs, deps.Source); err != nil {
		return nil, err
	}
	if s.pushed, err = pushed.New(deps.Store, newID, deps.Clock); err != nil {
		return nil, err
	}
	s.refresh = refreshTokens{deps.Store, s.codes, deps.Clock}
	strategy := &compose.CommonStrategy{CoreStrategy: s.codes, OpenIDConnectTokenStrategy: idTokens{s}}
	s.records = &records{store: deps.Store, clients: deps.Clients, clock: deps.Clock}
	s.core = core{cfg.Issuer, compose.Compose(config, s.records, strategy,
		compose.OAuth2AuthorizeExplicitFactory, compose.OpenIDConnectExplicitFactory, compose.OAuth2PKCEFactory,
		compose.OAuth2TokenIntrospectionFactory)}
	s.requests, err = requests.New(requests.Config{Issuer: cfg.Issuer, ACR: cfg.ACR},
		requests.Deps{Clients: deps.Clients, Keys: deps.Keys, Ring: deps.Ring, Tenants: deps.Tenants, Core: s.core, Clock: deps.Clock})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// newID is a pushed.NewID: as random as a code, and half as long, since it is stored with every open recovery.
func newID(context.Context) (string, error) {
	var b [sha256.Size]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("draw the id of a request: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Client returns a registered client, with the errors of requests.Reader.
func (s *Server) Client(ctx context.Context, id string) (*clients.Client, error) {
	return s.requests.Client(ctx, id)
}

// DPoPNonce returns a nonce for the DPoP-Nonce header.
func (s *Server) DPoPNonce() string { return s.possession.Nonce() }

// EncryptionKey returns the key that recovery tokens for a client are encrypted to.
func (s *Server) EncryptionKey(ctx context.Context, client *clients.Client) (jose.JSONWebKey, error) {
	return s.keys.EncryptionKey(ctx, client)
}
