package oauth

import (
	"net/http"
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/possession"
	"regain/provider/problem"
	"regain/recovery"
)

// Access describes the authentication that an access token represents.
type Access struct {
	Client        *clients.Client
	Account       recovery.Account // as the directory has it now
	Subject       string
	Transaction   string
	Profile       string // the recovery profile under which the person was verified
	AuthTime      time.Time
	Scopes        []string
	ClaimsRequest string // the claims parameter of the authorization request
}

// Access checks the access token of a request to the userinfo endpoint (OpenID Connect Core 1.0 §5.3.1).
func (s *Server) Access(r *http.Request, form url.Values) (Access, error) {
	shown, err := possession.PresentedToken(r, form)
	if err != nil {
		return Access{}, err
	}
	requester, sess, err := s.accessToken(r.Context(), shown.Token)
	if err != nil {
		return Access{}, err
	}
	client := requester.GetClient().(fositeClient) //nolint:forcetypeassert // only this package has clients
	if !requester.GetGrantedScopes().Has(clients.ScopeOpenID) {
		return Access{}, problem.New(http.StatusForbidden, "insufficient_scope", "The access token lacks the scope openid.")
	}
	if err := s.possession.Check(r, client.Client, sess.Binding, shown); err != nil {
		return Access{}, err
	}
	account, err := s.holder(r.Context(), client.Client, sess)
	if err != nil {
		return Access{}, ineligibleIs(problem.New(http.StatusUnauthorized, possession.CodeInvalidToken, "The account behind the access token may have none any more."), err)
	}
	return Access{
		Client: client.Client, Account: account, Subject: sess.Subject, Transaction: sess.Transaction, Profile: sess.Profile, AuthTime: sess.AuthTime, Scopes: requester.GetGrantedScopes(), ClaimsRequest: sess.ClaimsRequest,
	}, nil
}

// SignedUserInfo returns the userinfo response as a JWT (OpenID Connect Core 1.0 §5.3.2), for clients that registered
// userinfo_signed_response_alg.
func (s *Server) SignedUserInfo(client *clients.Client, info map[string]any) (string, error) {
	claims, err := withExtra(struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
	}{s.issuer, client.ID}, info)
	if err != nil {
		return "", err
	}
	return s.ring.MintWith(client.UserInfoAlgorithm, "userinfo+jwt", claims)
}
