package provider

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/claims"
	"regain/provider/jwa"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/recovery"
)

// userInfo is OpenID Connect Core 1.0 §5.3. The claims are the directory's own, read now: none is kept.
func (p *Provider) userInfo(c *gin.Context) {
	noStore(c)
	form := url.Values{}
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		var err error
		if form, err = oauth.ReadForm(c.Writer, c.Request); err != nil {
			p.failJSON(c, err)
			return
		}
	}
	access, err := p.deps.OAuth.Access(c.Request, form)
	if err != nil {
		p.failBearer(c, err)
		return
	}
	info, err := p.info(c, access)
	if err != nil {
		p.failJSON(c, problem.Unavailable(err))
		return
	}
	if access.Client.UserInfoAlgorithm == "" {
		c.JSON(http.StatusOK, info)
		return
	}
	signed, err := p.deps.OAuth.SignedUserInfo(access.Client, info)
	if err != nil {
		p.failJSON(c, err)
		return
	}
	c.Data(http.StatusOK, "application/jwt", []byte(signed))
}

// info are the claims that an access token releases.
func (p *Provider) info(c *gin.Context, access oauth.Access) (map[string]any, error) {
	subject, err := p.subject(c, access.Client, recovery.AccountName(access.Subject), recovery.ProfileName(access.Profile), access.AuthTime)
	if err != nil {
		return nil, err
	}
	wanted, err := claims.Parse(access.ClaimsRequest)
	if err != nil {
		return nil, err
	}
	info := release(access.Client, wanted[claims.UserInfo], access.Scopes, subject)
	info["sub"], info["txn"] = access.Subject, access.Transaction
	return info, nil
}

// failBearer is RFC 6750 §3, and RFC 9449 §7.1 for errors of a proof.
func (p *Provider) failBearer(c *gin.Context, err error) {
	var shown *problem.Error
	if errors.As(err, &shown) && shown.Status < http.StatusInternalServerError {
		scheme := "Bearer"
		if strings.Contains(shown.Code, "dpop") {
			scheme = `DPoP algs="` + jwa.Challenge(jwa.FAPI()) + `",`
			err = shown.At(http.StatusUnauthorized)
		}
		c.Header("WWW-Authenticate", scheme+` error="`+shown.Code+`"`)
	}
	p.failJSON(c, err)
}
