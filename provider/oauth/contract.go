package oauth

import (
	"context"
	"errors"
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/pushed"
	"regain/provider/requests"
)

// clientOf returns the client_id. If it is missing, the pushed request determines it, but only for okta-idv, whose
// clients send the request_uri alone; RFC 9126 §4 requires the client_id of all others.
func (s *Server) clientOf(ctx context.Context, id, uri string) (string, error) {
	if id != "" || !pushed.Is(uri) {
		return id, nil
	}
	a, err := s.pushed.Load(ctx, uri)
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

// oktaTokens returns the token response of okta-idv: an ID token, and no access token. The ID token has no auth_time,
// acr or amr, since the person may not have been authenticated.
func (s *Server) oktaTokens(redeemed Redemption, extra map[string]any) (map[string]any, error) {
	now := s.clock()
	token := map[string]any{
		"iss": s.issuer, "aud": redeemed.Client.ID, "sub": redeemed.Subject, "nonce": redeemed.Nonce,
		"iat": now.Unix(), "exp": now.Add(idTokenLifetime).Unix(), "verified_claims": extra["verified_claims"],
	}
	signed, err := s.ring.MintWith(redeemed.Client.Algorithm(), requests.TypeIDToken, token)
	if err != nil {
		return nil, problem.ServerError(err)
	}
	return map[string]any{"id_token": signed, "token_type": "Bearer", "expires_in": int(idTokenLifetime / time.Second)}, nil
}

// grantEntra returns the response with the ID token.
func (s *Server) grantEntra(ctx context.Context, client *clients.Client, a requests.Authorization) (Response, error) {
	if a.Echo == nil {
		return Response{}, errors.New("the request is not one of entra-external-method")
	}
	now := s.clock()
	token, err := s.ring.MintWith(client.Algorithm(), requests.TypeIDToken, contract.EntraToken{
		Issuer: s.issuer, Audience: client.ID, Subject: a.Echo.Subject, Nonce: a.Echo.Nonce, ACR: a.Echo.ACR, AMR: []string{a.Echo.AMR},
		IssuedAt: now.Unix(), Expiry: now.Add(client.Contract.Lifetime()).Unix(),
	})
	if err != nil {
		return Response{}, err
	}
	return s.answer(ctx, a, url.Values{"id_token": {token}})
}
