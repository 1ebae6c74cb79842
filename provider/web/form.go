package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// MaxForm bounds the forms of our own pages, in bytes.
const MaxForm = 8 << 10

// Errors of ReadForm. They quote nothing of what was sent.
var (
	ErrFormTooLarge  = errors.New("form is too large")
	ErrFormMalformed = errors.New("form is malformed")
)

// ReadForm reads the body of a POST, up to limit bytes.
func ReadForm(c *gin.Context, limit int64) (url.Values, error) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	if err := c.Request.ParseForm(); err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return nil, fmt.Errorf("read form: %w", ErrFormTooLarge)
		}
		return nil, fmt.Errorf("read form: %w", ErrFormMalformed)
	}
	return c.Request.PostForm, nil
}

// CheckOrigin refuses a request that the browser says a page of another origin sent: Fetch Metadata, or the Origin that
// browsers without it send with every POST. Origin is held against the issuer's, never against Host, which a proxy rewrites.
// A program, which says nothing, passes: the form's token is for those.
func (w *Web) CheckOrigin(c *gin.Context) error {
	switch site, origin := c.GetHeader("Sec-Fetch-Site"), c.GetHeader("Origin"); {
	case site == "same-origin", site == "none", site == "" && (origin == "" || origin == w.origin):
		return nil
	case site != "":
		return fmt.Errorf("the browser says that the form is %s: %w", siteName(site), ErrForgedForm)
	}
	return fmt.Errorf("the form is of a page of another origin than the issuer's: %w", ErrForgedForm)
}

// siteName names a value of Sec-Fetch-Site in the log; what is none of them may be anything.
func siteName(site string) string {
	if site == "same-site" || site == "cross-site" {
		return site
	}
	return "of an unknown kind of site"
}

// FromOwnPage reports whether the browser says that the request is a form of a page of ours.
func (w *Web) FromOwnPage(c *gin.Context) bool {
	if c.Request.Method != http.MethodPost {
		return false
	}
	if site := c.GetHeader("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	return c.GetHeader("Origin") == w.origin
}

// Origin serialises the origin of a URL as browsers do (RFC 6454 §6.2): in lower case, without a default port or a path.
func Origin(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", errors.New("web: the issuer is not a URL")
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	for _, standard := range []struct{ scheme, port string }{{"https", ":443"}, {"http", ":80"}} {
		if scheme == standard.scheme {
			host = strings.TrimSuffix(host, standard.port)
		}
	}
	return scheme + "://" + host, nil
}

// FormToken returns the token that forms carry for browsers that say nothing of where a form comes from. It is derived
// from the secret of the browser's cookie, so nothing more need be stored.
func FormToken(secret string) string {
	sum := sha256.Sum256([]byte("csrf\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// HasFormToken reports whether the form carries the token of secret, in constant time.
func HasFormToken(form url.Values, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(form.Get("csrf")), []byte(FormToken(secret))) == 1
}
