package node

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/mtls"
	"regain/provider/oauth"
	"regain/provider/openid"
	"regain/provider/registration"
	"regain/provider/remotekeys"
)

// makeOpenID builds the OpenID provider's core, and dynamic client registration if it is configured.
func (n *Node) makeOpenID(accounts oauth.Accounts, deps Deps) (*oauth.Server, error) {
	remote, err := remotekeys.New(&n.fetcher, deps.Clock)
	if err != nil {
		return nil, err
	}
	registry := clients.Layered{&n.clients}
	if n.registration, err = n.makeRegistration(deps); err != nil {
		return nil, err
	}
	if n.registration != nil {
		registry = append(registry, n.registration)
	}
	if n.source, err = newSource(n.cfg, n.loaded.ClientRoots); err != nil {
		return nil, err
	}
	published, err := clients.NewKeySource(remote)
	if err != nil {
		return nil, err
	}
	tenants, err := contract.NewTenants(remote, deps.Clock)
	if err != nil {
		return nil, err
	}
	server, err := oauth.New(oauth.Config{Issuer: n.cfg.Issuer, MutualTLS: n.cfg.MutualTLS.BaseURL, ACR: openid.ACR, Secret: n.loaded.Secrets.Token[0], OtherSecrets: n.loaded.Secrets.Token[1:]},
		oauth.Deps{Clients: registry, Keys: published, Store: n.kept.Store, Ring: n.ring, Source: n.source, Tenants: tenants, Accounts: accounts, Clock: deps.Clock, NotBefore: n.kept.Restored()})
	if err != nil {
		return nil, fmt.Errorf("OpenID provider: %w", err)
	}
	return server, nil
}

// makeRegistration returns nil if dynamic client registration is not configured.
func (n *Node) makeRegistration(deps Deps) (*registration.Service, error) {
	r := n.cfg.Registration
	if r.Tokens.IsZero() {
		return nil, nil //nolint:nilnil // nil means disabled
	}
	policy := registration.Policy{
		InitialTokens: n.loaded.Tokens, Scopes: r.Scope, AskAccount: r.AskAccount, ReuseSession: r.ReuseSession, TokenEndpointAudience: r.TokenAud,
		SubjectFrom:   clients.SubjectSource(r.Subject),
		AllowUnpushed: r.RequirePAR != nil && !*r.RequirePAR, AllowNoPKCE: r.RequirePKCE != nil && !*r.RequirePKCE,
		MutualTLS: n.cfg.MutualTLS.BaseURL != "", ClientRoots: n.cfg.MutualTLS.RootsFile != "",
		Algorithms: n.ring.Algorithms(), DefaultAlgorithm: jose.ES256,
	}
	if slices.Contains(policy.Algorithms, jose.RS256) { // OpenID Connect Dynamic Client Registration 1.0 §2
		policy.DefaultAlgorithm = jose.RS256
	}
	if len(policy.Scopes) == 0 {
		policy.Scopes = []string{clients.ScopeOpenID, clients.ScopeProfile, clients.ScopeEmail, clients.ScopeAddress, clients.ScopePhone}
	}
	service, err := registration.New(n.cfg.Issuer, policy, registration.Deps{Store: n.kept.Store, Clock: deps.Clock, Random: deps.Random})
	if err != nil {
		return nil, fmt.Errorf("registration.%w", err)
	}
	return service, nil
}

// openIDConfig returns the settings of the OpenID provider's endpoints and metadata.
func openIDConfig(c config.Config, attributes []string, entra bool) openid.Config {
	return openid.Config{
		MutualTLS: c.MutualTLS.BaseURL, ClientRoots: c.MutualTLS.RootsFile != "", Attributes: attributes, EntraContract: entra,
		ServiceDocumentation: c.Metadata.ServiceDocumentation, PolicyURI: c.Metadata.PolicyURI, TermsURI: c.Metadata.TermsURI,
	}
}

// newSource returns the source of client certificates: the TLS connection, or a header set by the proxies of mutual_tls.
func newSource(cfg config.Config, roots *x509.CertPool) (*mtls.Source, error) {
	found, err := mtls.New(mtls.Config{Header: cfg.MutualTLS.Header, Host: cfg.MutualTLS.Host(), Proxies: cfg.MutualTLS.Proxies, Roots: roots})
	if err != nil {
		return nil, fmt.Errorf("mutual_tls.proxies: %w", err)
	}
	return found, nil
}
