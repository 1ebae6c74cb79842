package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// An issuer may have a path: https://host/regain. This file is the one place that knows. Rooted takes the path off each
// request, so that routes are the same with and without one; Local puts it onto each address of our own; cookies of two
// issuers on one host have different names.

// root is the path of the issuer, "" for none.
type root string

func rootOf(issuer *url.URL) root { return root(strings.TrimSuffix(issuer.EscapedPath(), "/")) }

// keyRoot is where a request notes the root.
const keyRoot = "regain.root"

// noteRoot is the first that every request passes.
func (w *Web) noteRoot(c *gin.Context) { c.Set(keyRoot, string(w.root)) }

// Local returns the address of a page, a form or a file of ours, for a browser: path begins with a slash.
func Local(c *gin.Context, path string) string { return c.GetString(keyRoot) + path }

// cookie returns the name of a cookie. `__Host-` requires Path=/, so the browser sends the cookies of every issuer of a host
// to each of them: the name keeps them apart.
func cookie(c *gin.Context, name string) string {
	path := c.GetString(keyRoot)
	if path == "" {
		return name
	}
	const enough = 4 // octets: not a secret, and there are few issuers on a host
	sum := sha256.Sum256([]byte(path))
	return name + "-" + hex.EncodeToString(sum[:enough])
}

// Rooted serves a router at the path of the issuer, and at the addresses that others form from an issuer with a path:
//
//	/.well-known/oauth-authorization-server/regain, openid-configuration/regain  RFC 8414 §3.1 inserts the well-known
//	  part before the path, OpenID Connect Discovery 1.0 §4 appends it; both are answered
//	/regain/did.json                      did:web Method Specification, Read: a did:web with a path has no well-known part
//	/.well-known/did-configuration.json   DIF Well Known DID Configuration: always of the origin
//	/livez, /readyz, /healthz             probes know the port and no issuer
//
// Everything else outside of the path is nobody's page.
func (w *Web) Rooted(router http.Handler) http.Handler {
	if w.root == "" {
		return router
	}
	return http.HandlerFunc(func(writer http.ResponseWriter, r *http.Request) {
		inner := new(http.Request)
		*inner = *r
		inner.URL = new(url.URL)
		*inner.URL = *r.URL
		inner.URL.Path, inner.URL.RawPath = w.root.within(r.URL.EscapedPath())
		router.ServeHTTP(writer, inner)
	})
}

// outside is an address that no route has.
const outside = "/.outside"

// within returns the path that the router knows for one that was called, and its encoded form.
func (r root) within(called string) (path, raw string) {
	const wellKnown = "/.well-known/"
	switch called {
	case wellKnown + "oauth-authorization-server" + string(r), wellKnown + "openid-configuration" + string(r):
		called = strings.TrimSuffix(called, string(r))
	case string(r): // the issuer itself, as people type it
		called = "/"
	case string(r) + "/did.json":
		called = wellKnown + "did.json"
	case wellKnown + "did-configuration.json", "/livez", "/readyz", "/healthz":
	default:
		below, ok := strings.CutPrefix(called, string(r)+"/")
		if !ok {
			return outside, ""
		}
		called = "/" + below
	}
	decoded, err := url.PathUnescape(called)
	if err != nil {
		return outside, ""
	}
	return decoded, called
}
