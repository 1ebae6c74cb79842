// Package web is what every face of the provider needs once: the event record of a request, forms and where they come
// from, cookies, the peer's network, the page templates, the renderers of errors, and the way out of our origin.
//
//	Record, RecoverPanic   one log event a request, with a correlation id
//	Page, Fail, FailJSON   a handler returns an error, and these render it: for people, and for programs
//	Render                 a page from its own data, which embeds Page
//	Leave, LeaveByPost     to another origin, by a navigation that no Content Security Policy of ours can block
//	Rooted, Local          the path of the issuer, taken off requests and put onto addresses of ours
//	ReadForm, FromOwnPage  a bounded form, and whether a page of ours sent it
//
// It knows no protocol and none of the faces that use it.
package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"regain/internal/peer"
)

// Config are the parts; all are required but Proxies, Programs and HSTS.
type Config struct {
	Issuer string // URL without a trailing slash: our own origin
	// Proxies are the addresses and CIDR ranges whose X-Forwarded-For is believed; without any, nobody's is.
	Proxies []string
	// Programs are the addresses whose errors are JSON; all others are pages.
	Programs Programs
	// HSTS is how long browsers are to come by https only (RFC 6797 §6.1.1); 0 says nothing, as an issuer without https does.
	HSTS   time.Duration
	Logger *slog.Logger
	Clock  func() time.Time
	Random io.Reader
}

// Web is what the faces share.
type Web struct {
	cfg     Config
	origin  string // as browsers write the issuer's
	root    root
	hsts    string // the value of Strict-Transport-Security, "" for none
	proxies peer.Proxies
	unknown telling
	pages   *pages
}

// New refuses missing parts.
func New(cfg Config) (*Web, error) {
	if cfg.Issuer == "" || cfg.Logger == nil || cfg.Clock == nil || cfg.Random == nil {
		return nil, errors.New("web: Issuer, Logger, Clock and Random are required")
	}
	pages, err := newPages()
	if err != nil {
		return nil, err
	}
	origin, err := Origin(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	proxies, err := peer.ParseProxies(cfg.Proxies)
	if err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	return &Web{cfg: cfg, origin: origin, root: rootOf(issuer), hsts: strictTransport(origin, cfg.HSTS), proxies: proxies, pages: pages}, nil
}

// Mount adds what every request passes, the static files, and the answers to addresses and methods that do not exist.
func (w *Web) Mount(r *gin.Engine) {
	r.Use(w.noteRoot, w.Record, w.RecoverPanic)
	r.NoRoute(func(c *gin.Context) { w.Fail(c, ErrNoPage) })
	r.NoMethod(func(c *gin.Context) {
		allowHead(c)
		w.Fail(c, ErrMethod)
	})
	r.GET("/static/*file", w.Page(w.static))
}
