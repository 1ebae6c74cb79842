package requests

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/publickey"
	"regain/provider/clients"
	"regain/provider/jwa"
	"regain/provider/problem"
)

// Logout is a validated request to end a session (OpenID Connect RP-Initiated Logout 1.0 §2).
type Logout struct {
	Client      *clients.Client // nil if the request names none
	Subject     string          // sub of the id_token_hint, "" without one
	Session     string          // sid of the id_token_hint, "" without one
	RedirectURI string          // registered for Client; "" shows our own page
	State       string
}

// Location returns the URL to which the browser is redirected after the logout.
func (l Logout) Location() string {
	if l.State == "" {
		return l.RedirectURI
	}
	return WithQuery(l.RedirectURI, url.Values{"state": {l.State}})
}

// Logout validates a logout request. It accepts a post_logout_redirect_uri only of a client that registered it, which an
// id_token_hint or a client_id names: otherwise the endpoint would be an open redirector. A client_id proves nothing, so a
// request without a hint ends no session until the person has confirmed it (OpenID Connect RP-Initiated Logout 1.0 §2, §3).
func (r *Reader) Logout(ctx context.Context, form url.Values) (Logout, error) {
	request := Logout{State: form.Get("state")}
	if len(request.State) > MaxState || len(form.Get("id_token_hint")) > maxHint {
		return request, problem.InvalidRequest("The state or the id_token_hint is too long.")
	}
	if hint := form.Get("id_token_hint"); hint != "" {
		if err := r.readHint(ctx, hint, &request); err != nil {
			return request, err
		}
	}
	uri, id := form.Get("post_logout_redirect_uri"), form.Get("client_id")
	if request.Client == nil && id != "" {
		var err error
		if request.Client, err = r.Client(ctx, id); err != nil {
			return request, err
		}
	}
	switch {
	case request.Client != nil && id != "" && id != request.Client.ID: // a parameter without a value is as if it was not sent (RFC 6749 §3.1)
		return request, problem.InvalidRequest("client_id is not the client that the id_token_hint was issued to.")
	case uri == "":
		return request, nil
	case request.Client == nil:
		return request, problem.InvalidRequest("A post_logout_redirect_uri needs an id_token_hint or a client_id.")
	case !slices.Contains(request.Client.PostLogoutRedirectURIs, uri):
		return request, problem.InvalidRequest("The post_logout_redirect_uri is not registered for this client.")
	}
	request.RedirectURI = uri
	return request, nil
}

func (r *Reader) readHint(ctx context.Context, hint string, request *Logout) error {
	refused := problem.InvalidRequest("The id_token_hint is not an ID token of this server.")
	token, err := publickey.ParseToken(hint, jwa.All())
	if err != nil {
		return refused.WithCause(err)
	}
	var claims struct {
		jwt.Claims
		SessionID string `json:"sid"`
	}
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil { // verified below
		return refused.WithCause(err)
	}
	if claims.Issuer != r.issuer || len(claims.Audience) != 1 {
		return refused.WithCause(errors.New("iss is not ours, or aud is not one client"))
	}
	if err := r.checkOwnToken(token, claims.Claims, claims.Audience[0]); err != nil {
		return refused.WithCause(err)
	}
	if request.Client, err = r.Client(ctx, claims.Audience[0]); err != nil {
		return err
	}
	request.Subject, request.Session = claims.Subject, claims.SessionID
	return nil
}
