package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"

	"regain/storage"
)

// Redemption is a code that was checked and claimed: nobody else will redeem it. What it stands for is for the
// caller to carry out; Tokens then completes the response.
type Redemption struct {
	Client      *Client
	Transaction string
	Subject     string
	Nonce       string
	ACR         string
	AMR         []string
	AuthTime    time.Time
	Recovery    bool // the scope recovery was granted
	requester   fosite.AccessRequester
	exchange    *exchange
}

// Redeem authenticates the client, checks code, redirect_uri and PKCE verifier, and claims the code for this caller.
// Of any number of simultaneous callers one succeeds; the others get invalid_grant.
func (s *Server) Redeem(r *http.Request, form url.Values) (Redemption, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return Redemption{}, err
	}
	if grantType := form.Get("grant_type"); grantType != "authorization_code" {
		return Redemption{}, newError(http.StatusBadRequest, "unsupported_grant_type", "The only supported grant_type is authorization_code.")
	}
	e := &exchange{client: client}
	ctx := e.context(r.Context())
	requester, err := s.fosite.NewAccessRequest(ctx, r.WithContext(ctx), (&session{}).hydrate())
	if err != nil {
		return Redemption{}, asError(err)
	}
	sess, ok := requester.GetSession().(*session)
	if !ok {
		return Redemption{}, ServerError(fmt.Errorf("session is a %T", requester.GetSession()))
	}
	if err := s.claim(ctx, e); err != nil {
		return Redemption{}, err
	}
	return Redemption{
		Client: client, Transaction: sess.Transaction, Subject: sess.Subject, Nonce: sess.Nonce, ACR: sess.ACR, AMR: sess.AMR,
		AuthTime: sess.AuthTime, Recovery: requester.GetRequestedScopes().Has("recovery"), requester: requester, exchange: e,
	}, nil
}

// claim marks the code as used, by compare-and-swap on the row that was checked: fosite would read, then write, and let
// two callers through.
func (s *Server) claim(ctx context.Context, e *exchange) error {
	if e.code == nil {
		return ServerError(errors.New("a code was accepted without its record"))
	}
	claimed := *e.code
	claimed.Claimed = true
	row := e.row
	var err error
	if row.Data, err = storage.Encode(claimed); err != nil {
		return ServerError(err)
	}
	switch err := s.store.Update(ctx, row); {
	case errors.Is(err, storage.ErrConflict), errors.Is(err, storage.ErrNotFound):
		return InvalidGrant("The authorization code has already been used.")
	case err != nil:
		return Unavailable(err)
	}
	return nil
}

// Tokens makes the access token and the ID token of a redemption.
func (s *Server) Tokens(ctx context.Context, redeemed Redemption) (map[string]any, error) {
	response, err := s.fosite.NewAccessResponse(redeemed.exchange.context(ctx), redeemed.requester)
	if err != nil {
		return nil, asError(err)
	}
	answer := response.ToMap()
	if answer["token_type"] == "bearer" {
		answer["token_type"] = "Bearer"
	}
	delete(answer, "scope")
	answer["scope"] = strings.Join(redeemed.requester.GetGrantedScopes(), " ")
	return answer, nil
}

// idTokens mints ID tokens in fosite's place: fosite's strategy knows one key and guesses auth_time and acr.
type idTokens struct{ *Server }

// idTokenClaims are OpenID Connect Core 1.0 §2, and `txn` (RFC 8417 §2.2) which ties it to the recovery token.
type idTokenClaims struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        string   `json:"aud"`
	Expiry          int64    `json:"exp"`
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"`
	ACR             string   `json:"acr"`
	AMR             []string `json:"amr"`
	AccessTokenHash string   `json:"at_hash,omitempty"`
	Transaction     string   `json:"txn"`
}

// GenerateIDToken implements fosite's OpenIDConnectTokenStrategy. It never carries the pass.
func (t idTokens) GenerateIDToken(_ context.Context, _ time.Duration, requester fosite.Requester) (string, error) {
	sess, ok := requester.GetSession().(*session)
	if !ok {
		return "", fmt.Errorf("session is a %T", requester.GetSession())
	}
	now := t.clock()
	return t.signer.Mint("JWT", idTokenClaims{
		Issuer: t.issuer, Subject: sess.Subject, Audience: requester.GetClient().GetID(),
		Expiry: now.Add(idTokenLifetime).Unix(), IssuedAt: now.Unix(), AuthTime: sess.AuthTime.Unix(),
		Nonce: sess.Nonce, ACR: sess.ACR, AMR: sess.AMR, AccessTokenHash: sess.IDTokenClaims().AccessTokenHash, Transaction: sess.Transaction,
	})
}

// UserInfo are the claims of the userinfo endpoint (OpenID Connect Core 1.0 §5.3.2).
type UserInfo struct {
	Subject     string `json:"sub"`
	Transaction string `json:"txn"`
}

// UserInfo answers for the bearer of an access token. The token comes in the Authorization header, and nowhere else
// (RFC 9700 §2.3: not in the query).
func (s *Server) UserInfo(r *http.Request) (UserInfo, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(r.Header.Values("Authorization")) != 1 {
		return UserInfo{}, newError(http.StatusUnauthorized, "invalid_token", "Send the access token as Authorization: Bearer.")
	}
	_, requester, err := s.fosite.IntrospectToken(r.Context(), token, fosite.AccessToken, (&session{}).hydrate())
	if err != nil {
		return UserInfo{}, newError(http.StatusUnauthorized, "invalid_token", "The access token is unknown, expired or revoked.").Because(err)
	}
	sess, ok := requester.GetSession().(*session)
	if !ok || !requester.GetGrantedScopes().Has("openid") {
		return UserInfo{}, newError(http.StatusForbidden, "insufficient_scope", "The access token lacks the scope openid.")
	}
	return UserInfo{Subject: sess.Subject, Transaction: sess.Transaction}, nil
}
