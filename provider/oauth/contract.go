package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"regain/provider/claims"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/remotekeys"
)

// clientOf returns the client_id. If it is missing, the pushed request determines it, but only for okta-idv, whose
// clients send the request_uri alone; RFC 9126 §4 requires the client_id of all others.
func (s *Server) clientOf(ctx context.Context, id, uri string) (string, error) {
	if id != "" || !strings.HasPrefix(uri, requestURIPrefix) {
		return id, nil
	}
	a, err := s.loadPushed(ctx, uri)
	if err != nil {
		return "", err
	}
	client, err := s.Client(ctx, a.ClientID)
	if err != nil {
		return "", err
	}
	if client.Contract != contract.OktaIDV {
		return "", problem.InvalidRequest("The client_id is missing.")
	}
	return client.ID, nil
}

// checkOkta checks that a request conforms to okta-idv. Its scopes identity_assurance and idv_flow_… are unknown here,
// and change nothing.
func checkOkta(wanted claims.Request) *problem.Error {
	if _, err := contract.ReadOkta(wanted); err != nil {
		return problem.InvalidRequest("The claims parameter is not that of the contract okta-idv: see docs/federate/okta.md.").WithCause(err)
	}
	return nil
}

// oktaTokens returns the token response of okta-idv: an ID token, and no access token. The ID token has no auth_time,
// acr or amr, since the person may not have been authenticated.
func (s *Server) oktaTokens(redeemed Redemption, extra map[string]any) (map[string]any, error) {
	now := s.clock()
	token := map[string]any{
		"iss": s.issuer, "aud": redeemed.Client.ID, "sub": redeemed.Subject, "nonce": redeemed.Nonce,
		"iat": now.Unix(), "exp": now.Add(idTokenLifetime).Unix(), "verified_claims": extra["verified_claims"],
	}
	signed, err := s.ring.MintWith(redeemed.Client.Algorithm(), typeIDToken, token)
	if err != nil {
		return nil, problem.ServerError(err)
	}
	return map[string]any{"id_token": signed, "token_type": "Bearer", "expires_in": int(idTokenLifetime / time.Second)}, nil
}

// echo holds the values that the ID token of entra-external-method repeats from the request.
type echo struct {
	Subject string `json:"sub"`
	Nonce   string `json:"nonce"`
	ACR     string `json:"acr"`
	AMR     string `json:"amr"`
}

// readEntra validates a request of entra-external-method. It asks for an ID token from the authorization endpoint.
// fosite is not configured for that response type, since no other client may use it (RFC 9700 §2.1.2, implicit
// grant). Parameters that the contract does not name are ignored.
func (s *Server) readEntra(ctx context.Context, client *clients.Client, form url.Values) (Authorization, error) {
	refuse := func(refusal *problem.Error) (Authorization, error) { return s.refuse(client, form, refusal) }
	switch {
	case !strings.EqualFold(form.Get("response_type"), "id_token"): // Microsoft's documentation also spells it Id_token
		return refuse(problem.New(http.StatusBadRequest, "unsupported_response_type", "The response_type of this client is id_token."))
	case form.Get("response_mode") != string(ModeFormPost):
		return refuse(problem.InvalidRequest("The response_mode of this client is form_post."))
	case !slices.Contains(strings.Fields(form.Get("scope")), clients.ScopeOpenID):
		return refuse(problem.New(http.StatusBadRequest, "invalid_scope", "The scope must contain openid."))
	case form.Get("nonce") == "", len(form.Get("nonce")) > maxNonce:
		return refuse(problem.InvalidRequest("The nonce is missing or too long."))
	case len(form.Get("claims")) > maxClaims, len(form.Get("id_token_hint")) > maxHint, len(form.Get("state")) > maxState:
		return refuse(problem.InvalidRequest("A parameter is too long."))
	}
	if !registered(client, form.Get("redirect_uri")) {
		return refuse(problem.InvalidRequest("The redirect_uri is not registered for the client."))
	}
	wanted, err := claims.Parse(form.Get("claims"))
	if err != nil {
		return refuse(problem.InvalidRequest("The claims parameter is malformed.").WithCause(err))
	}
	acr, amr, err := contract.ChooseEntra(wanted)
	if err != nil {
		return refuse(problem.AccessDenied("None of the factors asked for can be shown here: possession of the wallet, or the face.").WithCause(err))
	}
	hint, err := s.tenants.Verify(ctx, client.Tenant, form.Get("id_token_hint"))
	if errors.Is(err, remotekeys.ErrUnavailable) {
		return refuse(problem.Unavailable(err))
	}
	if err != nil {
		return refuse(problem.InvalidRequest("The id_token_hint is not a current token of the tenant for this application.").WithCause(err))
	}
	return Authorization{
		ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), State: form.Get("state"), Mode: ModeFormPost, Account: hint.ObjectID,
		Form: url.Values{"client_id": {client.ID}}, Echo: &echo{Subject: hint.Subject, Nonce: form.Get("nonce"), ACR: acr, AMR: amr},
	}, nil
}

// grantEntra returns the response with the ID token.
func (s *Server) grantEntra(ctx context.Context, client *clients.Client, a Authorization) (Response, error) {
	if a.Echo == nil {
		return Response{}, errors.New("the request is not one of entra-external-method")
	}
	now := s.clock()
	token, err := s.ring.MintWith(client.Algorithm(), typeIDToken, contract.EntraToken{
		Issuer: s.issuer, Audience: client.ID, Subject: a.Echo.Subject, Nonce: a.Echo.Nonce, ACR: a.Echo.ACR, AMR: []string{a.Echo.AMR},
		IssuedAt: now.Unix(), Expiry: now.Add(client.Contract.Lifetime()).Unix(),
	})
	if err != nil {
		return Response{}, err
	}
	return s.answer(ctx, a, url.Values{"id_token": {token}})
}
