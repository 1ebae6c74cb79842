// Package web is what every face of the provider needs once: the event record of a request, forms and where they come
// from, cookies, the peer's network, the page templates, the renderers of errors, and the way out of our origin.
//
//	Record, RecoverPanic   one log event a request, with a correlation id
//	Page, FailJSON         a handler returns an error, and these render it: for people, and for programs
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
)

// Config are the parts; all are required.
type Config struct {
	Issuer string // URL without a trailing slash: our own origin
	Logger *slog.Logger
	Clock  func() time.Time
	Random io.Reader
}

// Web is what the faces share.
type Web struct {
	cfg    Config
	origin string // as browsers write the issuer's
	root   root
	pages  *pages
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
	return &Web{cfg: cfg, origin: origin, root: rootOf(issuer), pages: pages}, nil
}

// Mount adds what every request passes, the static files, and the answers to addresses and methods that do not exist.
func (w *Web) Mount(r *gin.Engine) {
	r.Use(w.noteRoot, w.Record, w.RecoverPanic)
	r.NoRoute(func(c *gin.Context) { w.FailPage(c, ErrNoPage) })
	r.NoMethod(func(c *gin.Context) { w.FailPage(c, ErrMethod) })
	r.GET("/static/*file", gin.WrapH(w.pages.static()))
}
