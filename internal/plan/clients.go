package plan

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/internal/publickey"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/mtls"
)

func readEach(list []config.ClientConfig) (clients.Fixed, error) {
	var found config.Problems
	read := make([]*clients.Client, 0, len(list))
	for i, c := range list {
		client, err := readClient(c, fmt.Sprintf("clients[%d] (%s)", i, c.ID))
		if found.Add(err) {
			found.Add(client.Validate())
		}
		read = append(read, client)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	return clients.NewFixed(read)
}

// readClient converts an entry of the configuration to a client of package clients, including the files that it names. key
// is the entry's configuration key, for errors.
func readClient(c config.ClientConfig, key string) (*clients.Client, error) {
	client := &clients.Client{
		ID: c.ID, Name: c.Name, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI, RedirectURIs: c.RedirectURIs, Scopes: c.Scope, Profile: clients.Profile(c.Profile),
		Contract: contract.Name(c.Contract),
		Tenant:   contract.Tenant{ID: strings.ToLower(c.Entra.TenantID), Application: strings.ToLower(c.Entra.ApplicationID), Authority: c.Entra.Authority},

		AuthMethod: clients.AuthMethod(cmp.Or(c.AuthMethod, string(defaultAuth(c.Contract)))), AssertionAlgorithm: jose.SignatureAlgorithm(c.AuthAlg),
		TokenEndpointAudience: c.TokenAud, JWKSURI: c.JWKSURI,
		TLSIdentity: mtls.Identity{SubjectDN: c.SubjectDN, DNS: c.SANDNS, URI: c.SANURI, IP: c.SANIP, Email: c.SANEmail},

		AllowUnpushed: c.RequirePAR != nil && !*c.RequirePAR, AllowNoPKCE: c.RequirePKCE != nil && !*c.RequirePKCE,
		RequestObjectAlgorithm: jose.SignatureAlgorithm(c.RequestAlg), RequireRequestObject: c.RequireJAR,
		DPoPBound: c.DPoPBound, DPoPNonce: c.DPoPNonce, CertificateBound: c.MTLSBound,

		AskAccount: c.AskAccount, ReuseSession: c.ReuseSession, ShowPass: c.Deliver == "screen",
		PostLogoutRedirectURIs: c.PostLogout, BackChannelLogoutURI: c.BackChannel,
		IDTokenAlgorithm: jose.SignatureAlgorithm(c.IDTokenAlg), UserInfoAlgorithm: jose.SignatureAlgorithm(c.UserInfoAlg),
		SubjectFrom: clients.SubjectSource(c.Subject), Claims: make(map[string]string, len(c.Claims)),
	}
	if !slices.Contains([]string{"", "token", "screen"}, c.Deliver) {
		return nil, fmt.Errorf("%s.deliver %q: use token or screen", key, c.Deliver)
	}
	for _, claim := range c.Claims {
		if _, twice := client.Claims[claim.Name]; twice {
			return nil, fmt.Errorf("%s.claims: %s is mapped twice", key, claim.Name)
		}
		client.Claims[claim.Name] = claim.Attribute
	}
	return client, readClientKeys(client, c, key)
}

func defaultAuth(name string) clients.AuthMethod {
	switch contract.Name(name) {
	case contract.OktaIDV:
		return clients.ClientSecretPost
	case contract.EntraExternalMethod:
		return clients.NoAuth
	}
	return clients.PrivateKeyJWT
}

func readClientKeys(client *clients.Client, c config.ClientConfig, key string) error {
	if err := readClientSecrets(client, c.Secret, key); err != nil {
		return err
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
		return fmt.Errorf("%s.jwks_file: %w: name a file with the client's JWK set", key, err)
	}
	set, err := publickey.ParseSet(data)
	if err != nil {
		return fmt.Errorf("%s.jwks_file: %w (in %s): ask for the client's public JWK set", key, err, c.JWKSFile)
	}
	client.Keys = set.JSONWebKeySet
	return nil
}

// readClientSecrets reads the client's secret, or several, one a line, of which each is good.
func readClientSecrets(client *clients.Client, from config.Secret, key string) error {
	if from.IsZero() {
		return nil
	}
	values, err := from.All(key + ".secret")
	if err != nil {
		return err
	}
	var digests [][sha256.Size]byte
	for _, value := range values {
		for secret := range strings.Lines(value.Text) {
			const enough = 32
			switch secret = strings.TrimSpace(secret); {
			case secret == "":
				continue
			case len(secret) < enough:
				return fmt.Errorf("%s.secret: has %d characters: use %d random ones at least (in %s)", key, len(secret), enough, value.Source)
			}
			digests = append(digests, sha256.Sum256([]byte(secret)))
		}
	}
	client.SecretDigest, client.OtherSecrets = digests[0], digests[1:]
	return nil
}
