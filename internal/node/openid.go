package node

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/fetch"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/openid"
	"regain/provider/registration"
	"regain/provider/remotekeys"
	"regain/storage"
)

// openID holds the dependencies of the OpenID provider's core.
type openID struct {
	store   storage.Store
	ring    *keys.Ring
	fetcher *fetch.Fetcher
	secret  []byte
}

type core struct {
	server       *oauth.Server
	registration *registration.Service // nil if registration is disabled
	entra        bool                  // a client uses the contract entra-external-method
}

// wire builds the core, and dynamic client registration if it is configured.
func (o openID) wire(cfg Config, deps Deps) (core, error) {
	remote, err := remotekeys.New(o.fetcher, deps.Clock)
	if err != nil {
		return core{}, err
	}
	fixed, err := readClients(cfg.Clients)
	if err != nil {
		return core{}, err
	}
	if err := fixed.CheckSigning(o.ring.Algorithms()); err != nil {
		return core{}, err
	}
	if err := fixed.CheckMutualTLS(cfg.MutualTLS.BaseURL != "", cfg.MutualTLS.RootsFile != ""); err != nil {
		return core{}, err
	}
	entra := fixed.Follow(contract.EntraExternalMethod)
	if entra {
		if err := o.ring.CheckCertificates(); err != nil {
			return core{}, fmt.Errorf("contract %s: %w", contract.EntraExternalMethod, err)
		}
	}
	registry := clients.Layered{fixed}
	registered, err := o.registration(cfg, deps)
	if err != nil {
		return core{}, err
	}
	if registered != nil {
		registry = append(registry, registered)
	}
	source, err := newSource(cfg)
	if err != nil {
		return core{}, err
	}
	published, err := clients.NewKeySource(remote)
	if err != nil {
		return core{}, err
	}
	tenants, err := contract.NewTenants(remote, deps.Clock)
	if err != nil {
		return core{}, err
	}
	server, err := oauth.New(oauth.Config{Issuer: cfg.Issuer, MutualTLS: cfg.MutualTLS.BaseURL, ACR: openid.ACR, Secret: o.secret},
		oauth.Deps{Clients: registry, Keys: published, Store: o.store, Ring: o.ring, Source: source, Tenants: tenants, Clock: deps.Clock})
	if err != nil {
		return core{}, fmt.Errorf("OpenID provider: %w", err)
	}
	return core{server: server, registration: registered, entra: entra}, nil
}

// registration returns nil if dynamic client registration is not configured.
func (o openID) registration(cfg Config, deps Deps) (*registration.Service, error) {
	r := cfg.Registration
	if r.Tokens.IsZero() {
		return nil, nil //nolint:nilnil // nil means disabled
	}
	tokens, err := r.Tokens.Read("registration.initial_access_tokens")
	if err != nil {
		return nil, err
	}
	policy := registration.Policy{
		InitialTokens: strings.Fields(tokens), Scopes: r.Scope, AskAccount: r.AskAccount, ReuseSession: r.ReuseSession, TokenEndpointAudience: r.TokenAud,
		AllowUnpushed: r.RequirePAR != nil && !*r.RequirePAR, AllowNoPKCE: r.RequirePKCE != nil && !*r.RequirePKCE,
		MutualTLS: cfg.MutualTLS.BaseURL != "", ClientRoots: cfg.MutualTLS.RootsFile != "",
		Algorithms: o.ring.Algorithms(), DefaultAlgorithm: jose.ES256,
	}
	if slices.Contains(policy.Algorithms, jose.RS256) { // OpenID Connect Dynamic Client Registration 1.0 §2
		policy.DefaultAlgorithm = jose.RS256
	}
	if len(policy.Scopes) == 0 {
		policy.Scopes = []string{clients.ScopeOpenID, clients.ScopeProfile, clients.ScopeEmail, clients.ScopeAddress, clients.ScopePhone}
	}
	service, err := registration.New(cfg.Issuer, policy, registration.Deps{Store: o.store, Clock: deps.Clock, Random: deps.Random})
	if err != nil {
		return nil, fmt.Errorf("registration.%w", err)
	}
	return service, nil
}
