package provider

import (
	"errors"
	"net/http"
	"net/netip"

	"github.com/gin-gonic/gin"

	"regain/provider/oauth"
	"regain/recovery"
)

// acrVerified is the authentication context of a recovery: a Verified ID and a Face Check, both bound to the person
// holding the wallet. amrVerified are its methods (RFC 8176): proof of possession of the wallet's key, and the face.
const acrVerified = "urn:regain:acr:verified-id-face-check"

func amrVerified() []string { return []string{"pop", "face"} }

// push is RFC 9126.
func (p *Provider) push(c *gin.Context) {
	form, err := oauth.ReadForm(c.Writer, c.Request)
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

// authorize opens a transaction for a valid authorization request and sends the browser to its first page.
func (p *Provider) authorize(c *gin.Context) {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failPage(c, err)
		return
	}
	request, err := p.deps.OAuth.Authorize(c, form)
	if err != nil {
		p.failAuthorize(c, err)
		return
	}
	encoded, err := request.Encode()
	if err != nil {
		p.failPage(c, err)
		return
	}
	t, secret, err := p.deps.Recovery.Start(c, recovery.Opening{
		Client: recovery.ClientID(request.ClientID), Account: recovery.AccountName(request.Account),
		Authorization: encoded, Network: network(c.ClientIP()),
	})
	if err != nil {
		// Nothing was opened; the client hears of the outage by a redirect it can trust.
		p.rejectTo(c, request, oauth.Unavailable(err))
		return
	}
	p.setBrowserCookie(c, t, secret)
	note(c, t)
	c.Redirect(http.StatusSeeOther, pagePath(t.ID))
}

// network is what attempts are counted by: an IPv4 address, or the /64 that one IPv6 subscriber has.
func network(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	const subscriber = 64
	prefix, err := address.WithZone("").Prefix(subscriber)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// failAuthorize redirects an error that may reach the client and shows a page for one that may not.
func (p *Provider) failAuthorize(c *gin.Context, err error) {
	var refused *oauth.AuthorizeError
	if errors.As(err, &refused) && refused.Redirect != nil {
		noteError(c, err)
		noStore(c)
		c.Redirect(http.StatusSeeOther, refused.Redirect.String())
		return
	}
	p.failPage(c, err)
}

func (p *Provider) rejectTo(c *gin.Context, request oauth.Authorization, problem *oauth.Error) {
	noteError(c, problem)
	redirect, err := p.deps.OAuth.Reject(c, request, problem)
	if err != nil {
		p.failPage(c, err)
		return
	}
	noStore(c)
	c.Redirect(http.StatusSeeOther, redirect.String())
}

// token redeems a code. Redeeming it is what issues the pass: everything that can fail without a pass is done first.
func (p *Provider) token(c *gin.Context) {
	noStore(c)
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	redeemed, err := p.deps.OAuth.Redeem(c.Request, form)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	answer, err := p.deps.OAuth.Tokens(c, redeemed)
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

func (p *Provider) redeemRecovery(c *gin.Context, redeemed oauth.Redemption) (string, error) {
	redemption, err := p.deps.Recovery.Redeem(c, recovery.TransactionID(redeemed.Transaction), recovery.ClientID(redeemed.Client.ID))
	switch {
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrNoTransaction),
		errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrExpired):
		return "", oauth.InvalidGrant("The recovery behind this code is no longer open.").Because(err)
	case err != nil:
		return "", oauth.Unavailable(err)
	}
	note(c, redemption.Transaction)
	return p.recoveryToken(redeemed, redemption)
}

func (p *Provider) userInfo(c *gin.Context) {
	noStore(c)
	info, err := p.deps.OAuth.UserInfo(c.Request)
	if err != nil {
		c.Header("WWW-Authenticate", `Bearer error="invalid_token"`)
		p.failJSON(c, err)
		return
	}
	c.JSON(http.StatusOK, info)
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
		p.failJSON(c, oauth.InvalidRequest("The parameters account and pass are required."))
		return
	}
	verdict, err := p.deps.Passes.Verify(c, recovery.ClientID(client.ID), recovery.AccountName(account), pass)
	if err != nil {
		p.failJSON(c, oauth.Unavailable(err))
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
