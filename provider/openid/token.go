package openid

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/problem"
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
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if form.Get("grant_type") == "refresh_token" {
		return t.refresh(c, form)
	}
	redeemed, err := t.oauth.Redeem(c.Request, form)
	if err != nil {
		return err
	}
	extra, err := t.idTokenClaims(redeemed)
	if err != nil {
		return problem.Unavailable(err)
	}
	answer, err := t.oauth.Tokens(c, redeemed, extra)
	if err != nil {
		return err
	}
	if redeemed.Recovery {
		if answer["recovery_token"], err = t.redeemRecovery(c, redeemed); err != nil {
			return err
		}
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

func (t *tokens) redeemRecovery(c *gin.Context, redeemed oauth.Redemption) (string, error) {
	key, err := t.oauth.EncryptionKey(c, redeemed.Client)
	if err != nil { // keys at a jwks_uri may be gone; nothing was issued yet
		return "", problem.New(http.StatusBadRequest, "invalid_request", "The recovery token cannot be encrypted: the keys at the client's jwks_uri cannot be had, or none has use enc.").WithCause(err)
	}
	redemption, err := t.recovery.Redeem(c, recovery.TransactionID(redeemed.Transaction), recovery.ClientID(redeemed.Client.ID))
	switch {
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrNoTransaction),
		errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrExpired):
		return "", problem.InvalidGrant("The recovery behind this code is no longer open.").WithCause(err)
	case err != nil:
		return "", problem.Unavailable(err)
	}
	binding.Note(c, redemption.Transaction)
	return t.recoveryToken(redeemed, redemption, key)
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
	form, err := oauth.ReadForm(c.Writer, c.Request)
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
	form, err := oauth.ReadForm(c.Writer, c.Request)
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
	form, err := oauth.ReadForm(c.Writer, c.Request)
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
		c.JSON(http.StatusOK, gin.H{"active": false})
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
		return recovery.AccountID("\x00" + named.LimitKey()), false, nil
	}
	return account.ID, err == nil, err
}
