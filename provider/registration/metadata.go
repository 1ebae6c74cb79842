package registration

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
	"regain/internal/strictjson"
	"regain/provider/clients"
	"regain/provider/mtls"
	"regain/provider/problem"
)

// Metadata is registered client metadata (OpenID Connect Dynamic Client Registration 1.0 §2, RFC 7591 §2, and the
// specifications that extend them). Unknown members are ignored (RFC 7591 §2): the response shows what was
// registered.
type Metadata struct {
	RedirectURIs    []string       `json:"redirect_uris,omitempty"`
	Name            string         `json:"client_name,omitempty"`
	URI             string         `json:"client_uri,omitempty"`
	PolicyURI       string         `json:"policy_uri,omitempty"`
	TermsURI        string         `json:"tos_uri,omitempty"`
	Contacts        []string       `json:"contacts,omitempty"`
	ApplicationType string         `json:"application_type,omitempty"`
	SubjectType     string         `json:"subject_type,omitempty"`
	GrantTypes      []string       `json:"grant_types,omitempty"`
	ResponseTypes   []string       `json:"response_types,omitempty"`
	Scope           string         `json:"scope,omitempty"`
	JWKS            *publickey.Set `json:"jwks,omitempty"`
	JWKSURI         string         `json:"jwks_uri,omitempty"`

	AuthMethod         clients.AuthMethod      `json:"token_endpoint_auth_method,omitempty"`
	AssertionAlgorithm jose.SignatureAlgorithm `json:"token_endpoint_auth_signing_alg,omitempty"`
	SubjectDN          string                  `json:"tls_client_auth_subject_dn,omitempty"`
	SANDNS             string                  `json:"tls_client_auth_san_dns,omitempty"`
	SANURI             string                  `json:"tls_client_auth_san_uri,omitempty"`
	SANIP              string                  `json:"tls_client_auth_san_ip,omitempty"`
	SANEmail           string                  `json:"tls_client_auth_san_email,omitempty"`

	IDTokenAlgorithm       jose.SignatureAlgorithm `json:"id_token_signed_response_alg,omitempty"`
	UserInfoAlgorithm      jose.SignatureAlgorithm `json:"userinfo_signed_response_alg,omitempty"`
	RequestObjectAlgorithm jose.SignatureAlgorithm `json:"request_object_signing_alg,omitempty"`
	RequireRequestObject   bool                    `json:"require_signed_request_object,omitempty"`
	RequirePAR             bool                    `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound              bool                    `json:"dpop_bound_access_tokens,omitempty"`
	CertificateBound       bool                    `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	RequireAuthTime        bool                    `json:"require_auth_time,omitempty"` // auth_time is always in the ID token

	PostLogoutRedirectURIs   []string `json:"post_logout_redirect_uris,omitempty"`
	BackChannelLogoutURI     string   `json:"backchannel_logout_uri,omitempty"`
	BackChannelLogoutSession bool     `json:"backchannel_logout_session_required,omitempty"` // sid is always in the logout token
}

// unsupported returns members that are refused rather than ignored, since they would change the protocol: to ignore
// them silently would promise them.
func unsupported() []string {
	return []string{
		"id_token_encrypted_response_alg", "userinfo_encrypted_response_alg", "request_object_encryption_alg", "authorization_encrypted_response_alg",
		"sector_identifier_uri", "default_max_age", "default_acr_values", "software_statement", "frontchannel_logout_uri", "authorization_details_types",
	}
}

const maxDepth = 8

// parse parses the body of a registration or an update. sent holds all its members, for checkUpdate.
func parse(body []byte) (m Metadata, sent map[string]any, err error) {
	sent, err = strictjson.Object(body, maxDepth)
	if err != nil {
		return m, nil, invalid("The body is not a JSON object.", err)
	}
	for _, name := range unsupported() {
		if value := sent[name]; value != nil && value != "" {
			code := "invalid_client_metadata"
			if name == "software_statement" {
				code = "unapproved_software_statement"
			}
			return m, nil, problem.New(http.StatusBadRequest, code, "This server does not support "+name+".")
		}
	}
	if err := json.Unmarshal(body, &m); err != nil {
		if errors.Is(err, publickey.ErrSet) {
			return m, nil, invalid("The jwks cannot be used.", err)
		}
		return m, nil, invalid("A member of the metadata has the wrong type.", err)
	}
	return m, sent, nil
}

func invalid(description string, cause error) error {
	return problem.New(http.StatusBadRequest, "invalid_client_metadata", description).WithCause(cause)
}

// settle sets defaults and checks the policy. The response shows what it changed (RFC 7591 §3.2.1).
func (m *Metadata) settle(p Policy) error {
	if m.AuthMethod == "" {
		m.AuthMethod = clients.ClientSecretBasic // OpenID Connect Dynamic Client Registration 1.0 §2
	}
	if m.IDTokenAlgorithm == "" {
		m.IDTokenAlgorithm = p.DefaultAlgorithm
	}
	m.RequirePAR = m.RequirePAR || !p.AllowUnpushed
	if slices.Contains(clients.AuthMethods(), m.AuthMethod) && !slices.Contains(clients.UsableMethods(p.MutualTLS, p.ClientRoots), m.AuthMethod) {
		return invalid("This server does not offer the token_endpoint_auth_method "+string(m.AuthMethod)+".", nil)
	}
	if m.CertificateBound && !p.MutualTLS {
		return invalid("This server does not offer tls_client_certificate_bound_access_tokens.", nil)
	}
	if err := m.settleTypes(p); err != nil {
		return err
	}
	if len(m.RedirectURIs) == 0 {
		return problem.New(http.StatusBadRequest, "invalid_redirect_uri", "The redirect_uris are missing.")
	}
	if m.Name == "" {
		if first, err := url.Parse(m.RedirectURIs[0]); err == nil {
			m.Name = first.Hostname()
		}
	}
	if len(m.Name) > maxName {
		return invalid("The client_name is too long.", nil)
	}
	for name, uri := range map[string]string{"client_uri": m.URI, "policy_uri": m.PolicyURI, "tos_uri": m.TermsURI, "jwks_uri": m.JWKSURI} {
		if u, err := url.Parse(uri); uri != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
			return invalid("The "+name+" is not an https URL.", err)
		}
	}
	if m.JWKS != nil && m.JWKSURI != "" {
		return invalid("Send jwks or jwks_uri, and not both.", nil)
	}
	return m.checkKeys()
}

const maxName = 200

// settleTypes allows the code flow only, and refresh tokens if their scope is requested.
func (m *Metadata) settleTypes(p Policy) error {
	if len(m.ResponseTypes) == 0 {
		m.ResponseTypes = []string{"code"}
	}
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{"authorization_code"}
	}
	refreshes := slices.Contains(m.GrantTypes, "refresh_token")
	switch {
	case !slices.Equal(m.ResponseTypes, []string{"code"}):
		return invalid("The only response type is code.", nil)
	case !slices.Contains(m.GrantTypes, "authorization_code"), slices.ContainsFunc(m.GrantTypes, func(g string) bool { return g != "authorization_code" && g != "refresh_token" }):
		return invalid("The grant types are authorization_code and refresh_token.", nil)
	case m.SubjectType != "" && m.SubjectType != "public":
		return invalid("The only subject type is public.", nil)
	case m.ApplicationType != "" && m.ApplicationType != "web":
		return invalid("The only application type is web: a client here is a server.", nil)
	}
	// Unknown scopes are left out, as in an authorization request; the response shows what was registered (RFC 7591
	// §3.2.1).
	m.Scope = strings.Join(slices.DeleteFunc(strings.Fields(m.Scope), func(scope string) bool { return !slices.Contains(clients.Scopes(), scope) }), " ")
	if m.Scope == "" {
		for _, scope := range p.Scopes {
			// Scopes that recover accounts or last beyond the session must be requested explicitly.
			if scope != clients.ScopeRecovery && (scope != clients.ScopeOffline || refreshes) {
				m.Scope = strings.TrimSpace(m.Scope + " " + scope)
			}
		}
	}
	for _, scope := range strings.Fields(m.Scope) {
		if !slices.Contains(p.Scopes, scope) {
			return invalid(problem.Printable(fmt.Sprintf("The scope %.40s is not for clients that register themselves; there are: %s.", scope, strings.Join(p.Scopes, " "))), nil)
		}
	}
	return nil
}

func (m *Metadata) checkKeys() error {
	if m.JWKS == nil {
		return nil
	}
	for _, skipped := range m.JWKS.Skipped { // keys of unknown kinds are ignored and absent from the response
		if errors.Is(skipped, publickey.ErrPrivate) {
			return invalid("The jwks holds something that is not a public key.", skipped)
		}
	}
	return nil
}

// client returns the relying party that the metadata describes.
func (m *Metadata) client(id string, secret [sha256.Size]byte, p Policy) (*clients.Client, error) {
	c := &clients.Client{
		ID: id, Name: m.Name, PolicyURI: m.PolicyURI, TermsURI: m.TermsURI, AuthMethod: m.AuthMethod, AssertionAlgorithm: m.AssertionAlgorithm, SecretDigest: secret,
		TLSIdentity: mtls.Identity{SubjectDN: m.SubjectDN, DNS: m.SANDNS, URI: m.SANURI, IP: m.SANIP, Email: m.SANEmail}, JWKSURI: m.JWKSURI,
		RedirectURIs: m.RedirectURIs, Scopes: strings.Fields(m.Scope), AllowUnpushed: !m.RequirePAR, AllowNoPKCE: p.AllowNoPKCE, AskAccount: p.AskAccount,
		TokenEndpointAudience: p.TokenEndpointAudience, DPoPBound: m.DPoPBound, CertificateBound: m.CertificateBound, PostLogoutRedirectURIs: m.PostLogoutRedirectURIs, BackChannelLogoutURI: m.BackChannelLogoutURI,
		IDTokenAlgorithm: m.IDTokenAlgorithm, UserInfoAlgorithm: m.UserInfoAlgorithm, RequestObjectAlgorithm: m.RequestObjectAlgorithm, RequireRequestObject: m.RequireRequestObject,
	}
	c.ReuseSession, c.SubjectFrom = p.ReuseSession && !c.Recovers(), p.SubjectFrom
	if m.JWKS != nil {
		c.Keys = m.JWKS.JSONWebKeySet
	}
	if err := c.Validate(); err != nil {
		code := "invalid_client_metadata"
		if errors.Is(err, clients.ErrRedirectURI) {
			code = "invalid_redirect_uri"
		}
		return nil, problem.New(http.StatusBadRequest, code, problem.Printable("The metadata cannot be registered: "+strings.TrimPrefix(err.Error(), "client "+id+": ")+"."))
	}
	for _, alg := range []jose.SignatureAlgorithm{m.IDTokenAlgorithm, m.UserInfoAlgorithm} {
		if alg != "" && !slices.Contains(p.Algorithms, alg) {
			return nil, invalid("This server has no key for "+problem.Printable(string(alg))+".", nil)
		}
	}
	return c, nil
}
