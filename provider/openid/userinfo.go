package openid

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"regain/provider/claims"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/recovery"
)

// userInfo is OpenID Connect Core 1.0 §5.3. The claims are the directory's own, read now: none is kept.
func (t *tokens) userInfo(c *gin.Context) error {
	form := url.Values{}
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		var err error
		if form, err = requests.ReadForm(c.Writer, c.Request); err != nil {
			return err
		}
	}
	access, err := t.oauth.Access(c.Request, form)
	if err != nil {
		return challenge(c, err)
	}
	info, err := t.info(access)
	if err != nil {
		return problem.Unavailable(err)
	}
	if access.Client.UserInfoAlgorithm == "" {
		c.JSON(http.StatusOK, info)
		return nil
	}
	signed, err := t.oauth.SignedUserInfo(access.Client, info)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "application/jwt", []byte(signed))
	return nil
}

// info are the claims that an access token releases.
func (t *tokens) info(access oauth.Access) (map[string]any, error) {
	subject := t.subject(access.Client, access.Account, recovery.ProfileName(access.Profile), access.AuthTime)
	wanted, err := claims.Parse(access.ClaimsRequest)
	if err != nil {
		return nil, err
	}
	info := claims.Release(wanted[claims.UserInfo], claims.Permit{Scopes: access.Scopes, Own: access.Client.OwnClaims(), UserInfo: true}, subject)
	info["sub"], info["txn"] = access.Subject, access.Transaction
	return info, nil
}
