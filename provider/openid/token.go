package openid

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/recovery"
)

// token redeems a code. Redeeming it is what issues the pass: everything that can fail without a pass is done first.
func (e *Endpoints) token(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if form.Get("grant_type") == "refresh_token" {
		return e.refresh(c, form)
	}
	redeemed, err := e.deps.OAuth.Redeem(c.Request, form)
	if err != nil {
		return err
	}
	extra, err := e.idTokenClaims(c, redeemed)
	if err != nil {
		return problem.Unavailable(err)
	}
	answer, err := e.deps.OAuth.Tokens(c, redeemed, extra)
	if err != nil {
		return err
	}
	if redeemed.Recovery {
		if answer["recovery_token"], err = e.redeemRecovery(c, redeemed); err != nil {
			return err
		}
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

func (e *Endpoints) redeemRecovery(c *gin.Context, redeemed oauth.Redemption) (string, error) {
	key, err := e.deps.OAuth.EncryptionKey(c, redeemed.Client)
	if err != nil { // keys at a jwks_uri may be gone; nothing was issued yet
		return "", problem.New(http.StatusBadRequest, "invalid_request", "The recovery token cannot be encrypted: the keys at the client's jwks_uri cannot be had, or none has use enc.").WithCause(err)
	}
	redemption, err := e.deps.Recovery.Redeem(c, recovery.TransactionID(redeemed.Transaction), recovery.ClientID(redeemed.Client.ID))
	switch {
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrNoTransaction),
		errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrExpired):
		return "", problem.InvalidGrant("The recovery behind this code is no longer open.").WithCause(err)
	case err != nil:
		return "", problem.Unavailable(err)
	}
	binding.Note(c, redemption.Transaction)
	return e.recoveryToken(redeemed, redemption, key)
}

// refresh gives a new access token to a client that may have one, as long as the account is there and enabled.
func (e *Endpoints) refresh(c *gin.Context, form url.Values) error {
	answer, err := e.deps.OAuth.Refresh(c.Request, form, func(subject string) error {
		account, err := e.deps.Recovery.Account(c, recovery.AccountName(subject))
		switch {
		case errors.Is(err, recovery.ErrNotFound), err == nil && !account.Enabled:
			return problem.InvalidGrant("The account is no longer there.")
		case err != nil:
			return problem.Unavailable(err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// introspect is RFC 7662, and RFC 9701 for those who accept a JWT.
func (e *Endpoints) introspect(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	client, found, err := e.deps.OAuth.Introspect(c.Request, form)
	if err != nil {
		return err
	}
	const signed = "application/token-introspection+jwt"
	if !strings.Contains(c.GetHeader("Accept"), signed) {
		c.JSON(http.StatusOK, found)
		return nil
	}
	token, err := e.deps.OAuth.SignedIntrospection(client, found)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, signed, []byte(token))
	return nil
}

// revoke is RFC 7009.
func (e *Endpoints) revoke(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if err := e.deps.OAuth.Revoke(c.Request, form); err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}

// verifyPass is the main IdP asking whether a pass is good, and using it up in the same breath.
func (e *Endpoints) verifyPass(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	client, err := e.deps.OAuth.Authenticate(c.Request, form)
	if err != nil {
		return err
	}
	account, pass := form.Get("account"), form.Get("pass")
	if account == "" || pass == "" {
		return problem.InvalidRequest("The parameters account and pass are required.")
	}
	verdict, err := e.deps.Passes.Verify(c, recovery.ClientID(client.ID), recovery.AccountName(account), pass)
	if err != nil {
		return problem.Unavailable(err)
	}
	if !verdict.Active {
		c.JSON(http.StatusOK, gin.H{"active": false})
		return nil
	}
	c.JSON(http.StatusOK, gin.H{"active": true, "usable_once": verdict.UsableOnce, "expires_at": verdict.ExpiresAt.Unix(), "txn": verdict.Transaction})
	return nil
}
