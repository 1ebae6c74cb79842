package provider

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/provider/openid"
	"regain/provider/wallet"
	"regain/provider/web"
)

// retryAfter is when a program is to come again: soon, since others may answer behind the same balancer.
const retryAfter = "5"

// Starting is what a node serves while it waits for its database: it is alive, and not ready, and whoever comes all the same
// is told to come again. Of cfg it reads what concerns the HTTP face, of deps Logger, Clock and Random.
func Starting(cfg Config, deps Deps) (http.Handler, error) {
	face, err := newWeb(cfg, deps)
	if err != nil {
		return nil, err
	}
	router := newRouter()
	face.Mount(router)
	router.GET("/livez", live)
	for _, path := range []string{"/readyz", "/healthz"} {
		router.GET(path, func(c *gin.Context) {
			c.Header("Cache-Control", "no-store")
			c.JSON(http.StatusServiceUnavailable, gin.H{"status": "starting"})
		})
	}
	router.GET("/", face.Page(face.Home))
	later := func(c *gin.Context) {
		c.Header("Retry-After", retryAfter)
		face.Fail(c, web.ErrStarting)
	}
	router.GET("/authorize", later) // whose page has a button that asks for the same address again
	router.Any("/recover/:txn", later)
	router.Any("/recover/:txn/*step", func(c *gin.Context) {
		web.NoteBack(c, "/recover/"+c.Param("txn"))
		later(c)
	})
	router.NoRoute(later)
	router.NoMethod(later)
	rooted := face.Rooted(router)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			serveHead(w, r, rooted)
			return
		}
		rooted.ServeHTTP(w, r)
	}), nil
}

// newWeb makes what every face needs.
func newWeb(cfg Config, deps Deps) (*web.Web, error) {
	if deps.Logger == nil || deps.Clock == nil || deps.Random == nil {
		return nil, errors.New("provider: Logger, Clock and Random are required")
	}
	return web.New(web.Config{
		Issuer: cfg.Issuer, Proxies: cfg.TrustedProxies, Programs: append(openid.Programs(), wallet.Programs()...), HSTS: cfg.HSTS,
		Logger: deps.Logger, Clock: deps.Clock, Random: deps.Random,
	})
}
