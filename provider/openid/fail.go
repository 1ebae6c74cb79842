package openid

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/dpop"
	"regain/provider/jwa"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/provider/web"
)

// wrapper renders the error of a handler.
type wrapper = func(next web.Handler) gin.HandlerFunc

// forClient renders a handler's error as JSON (RFC 6749 §5.2), and keeps the answer out of caches. Every endpoint at which
// clients authenticate is behind it, so none can answer before the client's assertion is used up.
func (e *Endpoints) forClient(next web.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		web.NoStore(c)
		err := together(c, next)
		if err == nil {
			return
		}
		var shown *problem.Error
		if errors.As(err, &shown) {
			switch shown.Code {
			case "invalid_client":
				c.Header("WWW-Authenticate", `Basic realm="regain"`)
			case "use_dpop_nonce": // RFC 9449 §8
				c.Header(dpop.NonceHeader, e.oauth.DPoPNonce())
			}
		}
		web.FailJSON(c, err)
	}
}

// forBrowser gives an error that may reach the client to it, and shows a page for one that may not.
func (a *authorization) forBrowser(next web.Handler) gin.HandlerFunc {
	return a.web.Page(func(c *gin.Context) error {
		err := next(c)
		var refused *oauth.AuthorizeError
		if !errors.As(err, &refused) || refused.Response == nil {
			return err
		}
		web.NoteError(c, err)
		return a.respond(c, *refused.Response)
	})
}

// reject is an error that the client hears of: a valid request that is refused.
func (a *authorization) reject(c *gin.Context, request requests.Authorization, refusal *problem.Error) error {
	response, err := a.oauth.Reject(c, request, refusal)
	if err != nil {
		return err
	}
	return &oauth.AuthorizeError{Problem: refusal, Response: &response}
}

// respond sends the browser to the client with an authorization response, by a navigation that repeats no form (RFC 9700
// §4.12) or by a form that submits itself, as the request wants it.
func (a *authorization) respond(c *gin.Context, r oauth.Response) error {
	if r.Mode.Posted() {
		a.web.LeaveByPost(c, r.RedirectURI, r.Parameters)
		return nil
	}
	a.web.Leave(c, r.Location())
	return nil
}

// challenge adds to an error of a bearer's what RFC 6750 §3 asks for, and RFC 9449 §7.1 for errors of a proof.
func challenge(c *gin.Context, err error) error {
	var shown *problem.Error
	if !errors.As(err, &shown) || shown.Status >= http.StatusInternalServerError {
		return err
	}
	scheme := "Bearer"
	if strings.Contains(shown.Code, "dpop") {
		scheme = `DPoP algs="` + jwa.Challenge(jwa.FAPI()) + `",`
		err = shown.WithStatus(http.StatusUnauthorized)
	}
	c.Header("WWW-Authenticate", scheme+` error="`+shown.Code+`"`)
	return err
}
