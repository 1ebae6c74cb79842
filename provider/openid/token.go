package openid

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-jose/go-jose/v4"

	"regain/provider/binding"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/recovery"
)

// tokens issue tokens, say what they stand for, and use up passes.
type tokens struct {
	issuer   string
	oauth    *oauth.Server
	recovery *recovery.Service
	ring     *keys.Ring
	passes   PassVerifier
	clock    func() time.Time
}

func (t *tokens) mount(r gin.IRouter, forClient wrapper) {
	r.POST("/token", forClient(t.token))
	r.POST("/introspect", forClient(t.introspect))
	r.POST("/revoke", forClient(t.revoke))
	r.GET("/userinfo", forClient(t.userInfo))
	r.POST("/userinfo", forClient(t.userInfo))
	r.POST("/pass/verify", forClient(t.verifyPass))
}

// token redeems a code. Redeeming it is what issues the pass: everything that can fail without a pass is done first.
func (t *tokens) token(c *gin.Context) error {
	form, err := requests.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if form.Get("grant_type") == "refresh_token" {
		return t.refresh(c, form)
	}
	var ready prepared
	redeemed, err := t.oauth.Redeem(c.Request, form, func(r oauth.Redemption) (err error) {
		ready, err = t.prepare(c, r)
		return err
	})
	if err != nil {
		return err
	}
	answer, err := t.oauth.Tokens(c, redeemed, ready.extra)
	if err != nil {
		return err
	}
	if redeemed.Recovery {
		answer["recovery_token"], err = t.redeemRecovery(c, redeemed, ready.encrypter)
	} else {
		err = t.redeemSignIn(c, redeemed)
	}
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// prepared is what a token response needs of others: the directory, and the client's published keys.
type prepared struct {
	extra     map[string]any // of the ID token
	encrypter jose.Encrypter // of the recovery token; nil without one
}

// prepare runs before anything is used up: what fails here can be repeated with the same code.
func (t *tokens) prepare(c *gin.Context, r oauth.Redemption) (prepared, error) {
	extra, err := t.idTokenClaims(r)
	if err != nil {
		return prepared{}, problem.Unavailable(err)
	}
	if !r.Recovery {
		return prepared{extra: extra}, nil
	}
	encrypter, err := t.encrypter(c, r.Client)
	return prepared{extra, encrypter}, err
}

// redeemRecovery issues the pass. A pass that cannot be handed out is revoked.
func (t *tokens) redeemRecovery(c *gin.Context, redeemed oauth.Redemption, encrypter jose.Encrypter) (string, error) {
	redemption, err := t.recovery.Redeem(c, claimOf(redeemed))
	if err != nil {
		return "", notRedeemed(err)
	}
	binding.Note(c, redemption.Transaction)
	token, err := t.recoveryToken(redeemed, redemption, encrypter)
	if err != nil {
		return "", problem.ServerError(errors.Join(err, t.recovery.RevokePass(c, redemption)))
	}
	return token, nil
}

// redeemSignIn marks the transaction behind a code that redeems no pass, if it is the end of one.
func (t *tokens) redeemSignIn(c *gin.Context, redeemed oauth.Redemption) error {
	if redeemed.FromSession || redeemed.Failed {
		return nil
	}
	return notRedeemed(t.recovery.RedeemCode(c, claimOf(redeemed)))
}

func claimOf(redeemed oauth.Redemption) recovery.Claim {
	return recovery.Claim{
		Transaction: recovery.TransactionID(redeemed.Transaction), Client: recovery.ClientID(redeemed.Client.ID), Code: recovery.CodeID(redeemed.CodeID),
	}
}

// notRedeemed is the answer to a client whose code redeemed nothing.
func notRedeemed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrNoTransaction),
		errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrExpired):
		return problem.InvalidGrant("The recovery behind this code is no longer open.").WithCause(err)
	}
	return problem.Unavailable(err)
}

// refresh gives a new access token to a client that may have one, as long as the account may.
func (t *tokens) refresh(c *gin.Context, form url.Values) error {
	answer, err := t.oauth.Refresh(c.Request, form)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// introspect is RFC 7662, and RFC 9701 for those who accept a JWT.
func (t *tokens) introspect(c *gin.Context) error {
	form, err := requests.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	client, found, err := t.oauth.Introspect(c.Request, form)
	if err != nil {
		return err
	}
	const signed = "application/token-introspection+jwt"
	if !strings.Contains(c.GetHeader("Accept"), signed) {
		c.JSON(http.StatusOK, found)
		return nil
	}
	token, err := t.oauth.SignedIntrospection(client, found)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, signed, []byte(token))
	return nil
}

// revoke is RFC 7009.
func (t *tokens) revoke(c *gin.Context) error {
	form, err := requests.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if err := t.oauth.Revoke(c.Request, form); err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}

// verifyPass is the main IdP asking whether a pass is good, and using it up in the same breath.
func (t *tokens) verifyPass(c *gin.Context) error {
	form, err := requests.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	client, err := t.oauth.Authenticate(c.Request, form)
	if err != nil {
		return err
	}
	account, pass := form.Get("account"), form.Get("pass")
	if account == "" || pass == "" {
		return problem.InvalidRequest("The parameters account and pass are required.")
	}
	id, eligible, err := t.passHolder(c, recovery.RequestedAccount(account))
	if err != nil {
		return problem.Unavailable(err)
	}
	verdict, err := t.passes.Verify(c, recovery.ClientID(client.ID), id, pass)
	if err != nil {
		return problem.Unavailable(err)
	}
	if !verdict.Active || !eligible {
		answer := gin.H{"active": false}
		if wait := verdict.RetryAfter; wait > 0 {
			answer["retry_after"] = int((wait + time.Second - 1) / time.Second)
		}
		c.JSON(http.StatusOK, answer)
		return nil
	}
	c.JSON(http.StatusOK, gin.H{"active": true, "usable_once": verdict.UsableOnce, "expires_at": verdict.ExpiresAt.Unix(), "txn": verdict.Transaction})
	return nil
}

// passHolder returns the id under which an account's pass is kept. The account is named as for a recovery: by any name
// that finds it, sub among them. One that there is not, or that may have no pass, gets an id that nobody has, so that the
// work is that of a wrong pass.
func (t *tokens) passHolder(ctx context.Context, named recovery.RequestedAccount) (id recovery.AccountID, eligible bool, err error) {
	account, err := t.recovery.EligibleByName(ctx, named)
	if errors.Is(err, recovery.ErrIneligible) {
		return recovery.AccountID("\x00" + recovery.AccountName(named).Exact()), false, nil
	}
	return account.ID, err == nil, err
}
