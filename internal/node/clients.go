package node

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/mtls"
)

func readClients(list []ClientConfig, remote clients.RemoteKeys) (clients.Fixed, error) {
	read := make([]*clients.Client, 0, len(list))
	for i, c := range list {
		client := &clients.Client{
			ID: c.ID, Name: c.Name, AuthMethod: clients.AuthMethod(c.AuthMethod), RedirectURIs: c.RedirectURIs, Scopes: c.Scope,
			AllowUnpushed: c.RequirePAR != nil && !*c.RequirePAR, AllowNoPKCE: c.RequirePKCE != nil && !*c.RequirePKCE,
			Contract: contract.Name(c.Contract), Tenant: contract.Tenant{ID: strings.ToLower(c.Entra.TenantID), Application: strings.ToLower(c.Entra.ApplicationID), Authority: c.Entra.Authority},
			AskAccount: c.AskAccount, ReuseSession: c.ReuseSession,
			Profile: clients.Profile(c.Profile), RequestObjectAlgorithm: jose.SignatureAlgorithm(c.RequestAlg), RequireRequestObject: c.RequireJAR,
			AssertionAlgorithm: jose.SignatureAlgorithm(c.AuthAlg), TokenEndpointAudience: c.TokenAud, DPoPBound: c.DPoPBound, DPoPNonce: c.DPoPNonce, CertificateBound: c.MTLSBound,
			TLSIdentity:            mtls.Identity{SubjectDN: c.SubjectDN, DNS: c.SANDNS, URI: c.SANURI, IP: c.SANIP, Email: c.SANEmail},
			PostLogoutRedirectURIs: c.PostLogout, BackChannelLogoutURI: c.BackChannel,
			IDTokenAlgorithm: jose.SignatureAlgorithm(c.IDTokenAlg), UserInfoAlgorithm: jose.SignatureAlgorithm(c.UserInfoAlg),
		}
		if client.ShowPass = c.Deliver == "screen"; !client.ShowPass && c.Deliver != "" && c.Deliver != "token" {
			return nil, fmt.Errorf("clients[%d] (%s).deliver %q: use token or screen", i, c.ID, c.Deliver)
		}
		if client.AuthMethod == "" {
			client.AuthMethod = defaultAuth(client.Contract)
		}
		client.PolicyURI, client.TermsURI, client.JWKSURI, client.Remote = c.PolicyURI, c.TermsURI, c.JWKSURI, remote
		if err := readClientKeys(client, c, fmt.Sprintf("clients[%d] (%s)", i, c.ID)); err != nil {
			return nil, err
		}
		read = append(read, client)
	}
	return clients.NewFixed(read)
}

func defaultAuth(name contract.Name) clients.AuthMethod {
	switch name {
	case contract.OktaIDV:
		return clients.ClientSecretPost
	case contract.EntraExternalMethod:
		return clients.NoAuth
	}
	return clients.PrivateKeyJWT
}

func readClientKeys(client *clients.Client, c ClientConfig, key string) error {
	if !c.Secret.IsZero() {
		secret, err := c.Secret.Read(key + ".secret")
		if err != nil {
			return err
		}
		const enough = 32
		if len(secret) < enough {
			return fmt.Errorf("%s.secret: has %d characters: use %d random ones at least", key, len(secret), enough)
		}
		client.SecretDigest = sha256.Sum256([]byte(secret))
	}
	switch {
	case c.JWKSFile != "" && c.JWKSURI != "":
		return fmt.Errorf("%s: set jwks_file or jwks_uri, and not both", key)
	case c.JWKSURI != "":
		return nil
	}
	if c.JWKSFile == "" {
		if client.Recovers() {
			return fmt.Errorf("%s.jwks_file: name a file with the client's JWK set: recovery tokens are encrypted to it", key)
		}
		return nil
	}
	data, err := os.ReadFile(c.JWKSFile)
	if err != nil {
		return fmt.Errorf("%s.jwks_file: %w", key, err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(data, &set); err != nil {
		return fmt.Errorf("%s.jwks_file: not a JWK set: %w", key, err)
	}
	client.Keys = set
	return nil
}

// newSource finds client certificates, on connections and in what trusted proxies say.
func newSource(cfg Config) (*mtls.Source, error) {
	source := mtls.Config{Header: cfg.MutualTLS.Header, Proxies: cfg.TrustedProxies}
	if cfg.MutualTLS.Header != "" && len(cfg.TrustedProxies) == 0 {
		return nil, errors.New("mutual_tls.header: name the proxies that set it in trusted_proxies; nobody else is believed")
	}
	if cfg.MutualTLS.RootsFile != "" {
		roots, err := readCertificates(cfg.MutualTLS.RootsFile)
		if err != nil {
			return nil, fmt.Errorf("mutual_tls.roots_file: %w", err)
		}
		source.Roots = x509.NewCertPool()
		for _, root := range roots {
			source.Roots.AddCert(root)
		}
	}
	found, err := mtls.New(source)
	if err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	return found, nil
}
