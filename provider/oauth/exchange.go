package oauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/storage"
)

// exchange is one call of the token endpoint, as far as it got. It travels in the context, past fosite, to what fosite
// calls: the client was authenticated before, and the code's row is read once although fosite asks for it at every step.
type exchange struct {
	client *clients.Client
	row    storage.Record // the code's
	code   *grant         // what the row says; nil until it was read
	extra  map[string]any // further claims of the ID token
}

type exchangeKey struct{}

func (e *exchange) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchangeKey{}, e)
}

// exchangeOf returns the exchange, an empty one for a call from elsewhere.
func exchangeOf(ctx context.Context) *exchange {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return e
	}
	return &exchange{}
}

// authenticatedClient tells fosite's token endpoint whom Authenticate found.
func authenticatedClient(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
	client := exchangeOf(ctx).client
	if client == nil {
		return nil, fosite.ErrInvalidClient
	}
	return fositeClient{client}, nil
}
