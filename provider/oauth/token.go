package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/recovery"
)

// Redemption is a code that was checked and claimed: no other request can redeem it. The caller acts on it; Tokens
// then completes the response.
type Redemption struct {
	Client      *clients.Client
	Transaction string
	Account     recovery.Account // as the directory has it now; none if Failed
	Subject     string
	Nonce       string
	ACR         string
	AMR         []string
	AuthTime    time.Time
	Recovery    bool // the scope recovery was granted

	Profile       string // the recovery profile under which the person was verified
	Scopes        []string
	ClaimsRequest string // the claims parameter of the authorization request
	Failed        bool   // okta-idv: the person was not approved
	FromSession   bool   // the browser's session answered, and not the end of Transaction
	CodeID        string // of Response

	requester fosite.AccessRequester
	request   *tokenRequest
}

// Redeem authenticates the client, checks code, redirect_uri and PKCE verifier, and claims the code. Of any number of
// concurrent callers one succeeds; the others get invalid_grant. prepare is called before the claim: if it fails, the
// code stays as good as it was, and so does the transaction behind it.
func (s *Server) Redeem(r *http.Request, form url.Values, prepare func(Redemption) error) (Redemption, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return Redemption{}, err
	}
	if grantType := form.Get("grant_type"); grantType != "authorization_code" {
		return Redemption{}, problem.New(http.StatusBadRequest, "unsupported_grant_type", "The supported grant types are authorization_code and refresh_token.")
	}
	t := &tokenRequest{client: client}
	requester, err := t.read(s, r)
	if err != nil {
		return Redemption{}, asError(err)
	}
	sess := requester.GetSession().(*session) //nolint:forcetypeassert // only this package creates sessions
	if err := checkChallenge(client, t.code); err != nil {
		return Redemption{}, err
	}
	if sess.Binding, err = s.possession.Bind(r, client, sess.CodeKey); err != nil {
		return Redemption{}, err
	}
	var account recovery.Account
	if !sess.Failed {
		if account, err = s.holder(r.Context(), client, sess); err != nil {
			return Redemption{}, ineligibleIs(problem.InvalidGrant("The account behind the code may have no tokens any more."), err)
		}
	}
	redemption := Redemption{
		Client: client, Transaction: sess.Transaction, Account: account, Scopes: requester.GetRequestedScopes(), Subject: sess.Subject, Nonce: sess.Nonce, ACR: sess.ACR, AMR: sess.AMR,
		AuthTime: sess.AuthTime, Recovery: requester.GetRequestedScopes().Has(clients.ScopeRecovery), Profile: sess.Profile, ClaimsRequest: sess.ClaimsRequest, Failed: sess.Failed,
		FromSession: sess.FromSession, CodeID: t.row.ID, requester: requester, request: t,
	}
	if err := prepare(redemption); err != nil {
		return Redemption{}, err
	}
	return redemption, s.claim(r.Context(), t)
}

// checkChallenge checks that PKCE was used, unless the client may do without. fosite did the rest: a verifier comes if, and
// only if, there was a challenge (RFC 9700 §4.8.2, PKCE downgrade).
func checkChallenge(client *clients.Client, code *grant) error {
	if code.Form.Get("code_challenge") == "" && !client.AllowNoPKCE {
		return problem.InvalidGrant("The authorization request of this code had no code_challenge.")
	}
	return nil
}

// Tokens issues the access token and the ID token of a redemption. extra holds further claims of the ID token,
// requested by the claims parameter; they never replace the standard ones.
func (s *Server) Tokens(ctx context.Context, redeemed Redemption, extra map[string]any) (map[string]any, error) {
	if redeemed.Client.Contract == contract.OktaIDV {
		return s.oktaTokens(redeemed, extra)
	}
	redeemed.request.extra = extra
	response, err := redeemed.request.answer(ctx, s, redeemed.requester)
	if err != nil {
		return nil, asError(err)
	}
	answer := response.ToMap()
	if sess, ok := redeemed.requester.GetSession().(*session); ok {
		answer["token_type"] = sess.Binding.TokenType()
	}
	delete(answer, "scope")
	answer["scope"] = strings.Join(redeemed.requester.GetGrantedScopes(), " ")
	return answer, s.refresh.add(ctx, redeemed.requester, answer)
}

// idTokens issues ID tokens in place of fosite's strategy, which supports one key only and guesses auth_time and acr.
type idTokens struct{ *Server }

// idTokenClaims are the claims of an ID token (OpenID Connect Core 1.0 §2), and `txn` (RFC 8417 §2.2), which links it
// to the recovery token.
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
	SessionID       string   `json:"sid,omitempty"`
}

// GenerateIDToken implements fosite's OpenIDConnectTokenStrategy. It never carries the pass.
func (t idTokens) GenerateIDToken(ctx context.Context, _ time.Duration, requester fosite.Requester) (string, error) {
	sess, ok := requester.GetSession().(*session)
	if !ok {
		return "", fmt.Errorf("session is a %T", requester.GetSession())
	}
	client, ok := requester.GetClient().(fositeClient)
	if !ok {
		return "", fmt.Errorf("client is a %T", requester.GetClient())
	}
	now := t.clock()
	hash := sess.IDTokenClaims().AccessTokenHash
	if client.Algorithm() == jose.EdDSA {
		hash = "" // fosite computes it with SHA-256, Ed25519 requires SHA-512 (OpenID Connect Core 1.0 §3.1.3.6); it is optional in the code flow
	}
	claims, err := withExtra(idTokenClaims{
		Issuer: t.issuer, Subject: sess.Subject, Audience: client.ID,
		Expiry: now.Add(idTokenLifetime).Unix(), IssuedAt: now.Unix(), AuthTime: sess.AuthTime.Unix(),
		Nonce: sess.Nonce, ACR: sess.ACR, AMR: sess.AMR, AccessTokenHash: hash,
		Transaction: sess.Transaction, SessionID: sess.SessionID,
	}, tokenRequestOf(ctx).extra)
	if err != nil {
		return "", err
	}
	return t.ring.MintWith(client.Algorithm(), requests.TypeIDToken, claims)
}

// withExtra adds claims to those of a token.
func withExtra(claims any, extra map[string]any) (any, error) {
	if len(extra) == 0 {
		return claims, nil
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("encode claims: %w", err)
	}
	all := make(map[string]any)
	maps.Copy(all, extra)
	if err := json.Unmarshal(text, &all); err != nil { // the standard claims last: they replace extra ones
		return nil, fmt.Errorf("encode claims: %w", err)
	}
	return all, nil
}

// GrantTypes returns the grant types that the token endpoint supports.
func GrantTypes() []string { return []string{"authorization_code", "refresh_token"} }
