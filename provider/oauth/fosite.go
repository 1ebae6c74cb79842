package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/provider/requests"
)

// core is fosite, as the reader of authorization requests sees it.
type core struct {
	issuer string
	fosite fosite.OAuth2Provider
}

var _ requests.Core = core{}

// Registered implements requests.Core.
func (c core) Registered(client *clients.Client, address string) bool {
	uri, err := fosite.MatchRedirectURIWithClientRedirectURIs(address, fositeClient{client})
	return address != "" && err == nil && fosite.IsValidRedirectURI(uri) // fosite takes a missing one for the only one of the client
}

// Check implements requests.Core.
func (c core) Check(ctx context.Context, form url.Values) *problem.Error {
	if _, err := c.request(ctx, form); err != nil {
		return asError(err)
	}
	return nil
}

// request has fosite validate a form that contains only the parameters that fosite may see.
func (c core) request(ctx context.Context, form url.Values) (fosite.AuthorizeRequester, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.issuer+"/authorize?"+form.Encode(), nil) //nolint:gosec // fosite parses it; it is never sent
	if err != nil {
		return nil, fmt.Errorf("rebuild authorization request: %w", err)
	}
	return c.fosite.NewAuthorizeRequest(ctx, r)
}

// fositeConfig configures what is used of fosite.
func fositeConfig(cfg Config) *fosite.Config {
	return &fosite.Config{
		IDTokenIssuer: cfg.Issuer, GlobalSecret: cfg.Secret, RotatedGlobalSecrets: cfg.OtherSecrets,
		AuthorizeCodeLifespan: codeLifetime, AccessTokenLifespan: tokenLifetime, IDTokenLifespan: idTokenLifetime,
		EnforcePKCE:                          false, // enforced by package requests and Redeem, for each client
		EnablePKCEPlainChallengeMethod:       false,
		MinParameterEntropy:                  1, // the client chooses state and nonce; package requests checks their length
		ScopeStrategy:                        fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:             fosite.ExactAudienceMatchingStrategy,
		RedirectSecureChecker:                secureRedirect,
		SendDebugMessagesToClients:           false,
		ClientAuthenticationStrategy:         authenticatedClient,
		SanitationWhiteList:                  []string{"code", "redirect_uri", "code_challenge", "code_challenge_method", "nonce"},
		RefreshTokenScopes:                   []string{"offline_access"}, // fosite issues no refresh tokens: refresh.go does
		OmitRedirectScopeParam:               true,
		EnforcePKCEForPublicClients:          true,
		GrantTypeJWTBearerIDOptional:         false,
		GrantTypeJWTBearerIssuedDateOptional: false,
	}
}

// fositeClient adapts a client to fosite.Client.
type fositeClient struct{ *clients.Client }

var _ fosite.Client = fositeClient{}

func (c fositeClient) GetID() string                      { return c.ID }
func (c fositeClient) GetHashedSecret() []byte            { return nil }
func (c fositeClient) GetRedirectURIs() []string          { return c.RedirectURIs }
func (c fositeClient) GetGrantTypes() fosite.Arguments    { return fosite.Arguments{"authorization_code"} }
func (c fositeClient) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c fositeClient) GetScopes() fosite.Arguments        { return c.Scope() }
func (c fositeClient) IsPublic() bool                     { return false }
func (c fositeClient) GetAudience() fosite.Arguments      { return nil }

// secureRedirect allows the schemes that Client.Validate allows. fosite compares the URI with the registration.
func secureRedirect(_ context.Context, u *url.URL) bool {
	return u.Scheme == "https" || clients.LoopbackName(u.Hostname())
}
