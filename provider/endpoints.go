package provider

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/claims"
	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/recovery"
)

// ACR is the authentication context of a recovery: a Verified ID and a Face Check, both bound to the person
// holding the wallet. amrVerified are its methods (RFC 8176): proof of possession of the wallet's key, and the face.
const ACR = "urn:regain:acr:verified-id-face-check"

func amrVerified() []string { return []string{"pop", "face"} }

// push is RFC 9126.
func (p *Provider) push(c *gin.Context) {
	form, err := oauth.ReadPushed(c.Writer, c.Request)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	pushed, err := p.deps.OAuth.Push(c.Request, form)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	noStore(c)
	c.JSON(http.StatusCreated, pushed)
}

// token redeems a code. Redeeming it is what issues the pass: everything that can fail without a pass is done first.
func (p *Provider) token(c *gin.Context) {
	noStore(c)
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	if form.Get("grant_type") == "refresh_token" {
		p.refresh(c, form)
		return
	}
	redeemed, err := p.deps.OAuth.Redeem(c.Request, form)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	extra, err := p.idTokenClaims(c, redeemed)
	if err != nil {
		p.failJSON(c, problem.Unavailable(err))
		return
	}
	answer, err := p.deps.OAuth.Tokens(c, redeemed, extra)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	if redeemed.Recovery {
		if answer["recovery_token"], err = p.redeemRecovery(c, redeemed); err != nil {
			p.failJSON(c, err)
			return
		}
	}
	c.JSON(http.StatusOK, answer)
}

// idTokenClaims are what the claims parameter asks for in the ID token and what the client has by registration, beyond the protocol's own claims.
func (p *Provider) idTokenClaims(c *gin.Context, redeemed oauth.Redemption) (map[string]any, error) {
	wanted, err := claims.Parse(redeemed.ClaimsRequest)
	if err != nil || len(wanted[claims.IDToken]) == 0 && len(redeemed.Client.Claims) == 0 {
		return nil, err
	}
	if redeemed.Client.Contract == contract.OktaIDV {
		return p.oktaClaims(c, redeemed, wanted)
	}
	subject, err := p.subject(c, redeemed.Client, recovery.AccountName(redeemed.Subject), recovery.ProfileName(redeemed.Profile), redeemed.AuthTime)
	if err != nil {
		return nil, err
	}
	return release(redeemed.Client, wanted[claims.IDToken], nil, subject), nil
}

// oktaClaims are the verified_claims of okta-idv: each value that Okta has, held against the account's attributes that the
// recovery profile matched with the Verified ID.
func (p *Provider) oktaClaims(c *gin.Context, redeemed oauth.Redemption, wanted claims.Request) (map[string]any, error) {
	asked, err := contract.ReadOkta(wanted)
	if err != nil {
		return nil, err
	}
	result := contract.OktaResult{Approved: !redeemed.Failed, Time: redeemed.AuthTime, Transaction: redeemed.Transaction}
	if result.Approved {
		account, err := p.deps.Recovery.Account(c, recovery.AccountName(redeemed.Subject))
		if err != nil {
			return nil, err
		}
		matched, _ := p.deps.Recovery.Verified(recovery.ProfileName(redeemed.Profile))
		result.Verified = func(name, value string) bool {
			attribute := recovery.AttributeName(name)
			return slices.Contains(matched, attribute) &&
				recovery.Equivalent(account.Attributes[attribute], value)
		}
	}
	return map[string]any{"verified_claims": result.VerifiedClaims(asked)}, nil
}

func (p *Provider) redeemRecovery(c *gin.Context, redeemed oauth.Redemption) (string, error) {
	key, err := p.deps.OAuth.EncryptionKey(c, redeemed.Client)
	if err != nil { // keys at a jwks_uri may be gone; nothing was issued yet
		return "", problem.New(http.StatusBadRequest, "invalid_request", "The recovery token cannot be encrypted: the keys at the client's jwks_uri cannot be had, or none has use enc.").Because(err)
	}
	redemption, err := p.deps.Recovery.Redeem(c, recovery.TransactionID(redeemed.Transaction), recovery.ClientID(redeemed.Client.ID))
	switch {
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrNoTransaction),
		errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrExpired):
		return "", problem.InvalidGrant("The recovery behind this code is no longer open.").Because(err)
	case err != nil:
		return "", problem.Unavailable(err)
	}
	note(c, redemption.Transaction)
	return p.recoveryToken(redeemed, redemption, key)
}

// refresh gives a new access token to a client that may have one, as long as the account is there and enabled.
func (p *Provider) refresh(c *gin.Context, form url.Values) {
	answer, err := p.deps.OAuth.Refresh(c.Request, form, func(subject string) error {
		account, err := p.deps.Recovery.Account(c, recovery.AccountName(subject))
		switch {
		case errors.Is(err, recovery.ErrNotFound), err == nil && !account.Enabled:
			return problem.InvalidGrant("The account is no longer there.")
		case err != nil:
			return problem.Unavailable(err)
		}
		return nil
	})
	if err != nil {
		p.failJSON(c, err)
		return
	}
	c.JSON(http.StatusOK, answer)
}

// introspect is RFC 7662, and RFC 9701 for those who accept a JWT.
func (p *Provider) introspect(c *gin.Context) {
	noStore(c)
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	client, found, err := p.deps.OAuth.Introspect(c.Request, form)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	const signed = "application/token-introspection+jwt"
	if !strings.Contains(c.GetHeader("Accept"), signed) {
		c.JSON(http.StatusOK, found)
		return
	}
	token, err := p.deps.OAuth.SignedIntrospection(client, found)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	c.Data(http.StatusOK, signed, []byte(token))
}

// revoke is RFC 7009.
func (p *Provider) revoke(c *gin.Context) {
	noStore(c)
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err == nil {
		err = p.deps.OAuth.Revoke(c.Request, form)
	}
	if err != nil {
		p.failJSON(c, err)
		return
	}
	c.Status(http.StatusOK)
}

// verifyPass is the main IdP asking whether a pass is good, and using it up in the same breath.
func (p *Provider) verifyPass(c *gin.Context) {
	noStore(c)
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	client, err := p.deps.OAuth.Authenticate(c.Request, form)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	account, pass := form.Get("account"), form.Get("pass")
	if account == "" || pass == "" {
		p.failJSON(c, problem.InvalidRequest("The parameters account and pass are required."))
		return
	}
	verdict, err := p.deps.Passes.Verify(c, recovery.ClientID(client.ID), recovery.AccountName(account), pass)
	if err != nil {
		p.failJSON(c, problem.Unavailable(err))
		return
	}
	if !verdict.Active {
		c.JSON(http.StatusOK, gin.H{"active": false})
		return
	}
	c.JSON(http.StatusOK, gin.H{"active": true, "usable_once": verdict.UsableOnce, "expires_at": verdict.ExpiresAt.Unix(), "txn": verdict.Transaction})
}

func noStore(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Pragma", "no-cache")
}
