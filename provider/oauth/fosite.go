package oauth

import (
	"context"
	"net/url"

	"github.com/ory/fosite"

	"regain/provider/clients"
)

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
