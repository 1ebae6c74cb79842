package oauth

import (
	"context"
	"net/url"

	"github.com/ory/fosite"

	"regain/provider/clients"
)

// fositeClient is a client as fosite sees it.
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

// secureRedirect allows what Client.Validate allows; exact matching against the registration is fosite's.
func secureRedirect(_ context.Context, u *url.URL) bool {
	return u.Scheme == "https" || clients.LoopbackName(u.Hostname())
}
