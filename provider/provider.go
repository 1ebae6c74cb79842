package provider

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/backchannel"
	"regain/provider/binding"
	"regain/provider/evidence"
	"regain/provider/journey"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/openid"
	"regain/provider/problem"
	"regain/provider/registration"
	"regain/provider/sessions"
	"regain/provider/wallet"
	"regain/recovery"
)

// Config is what the operator decides about the HTTP face. The issuer of the parts is the provider's.
type Config struct {
	Issuer string // URL without a trailing slash
	// TrustedProxies are the addresses (CIDR) whose X-Forwarded-For is believed; without any, nobody's is.
	TrustedProxies []string
	LivePages      journey.Limits
	HSTS           time.Duration // how long browsers are to come by https only; 0 says nothing
	OpenID         openid.Config
	Wallet         wallet.Config
}

// Deps are the parts the provider works with; all are required but Proofing and Registration.
type Deps struct {
	OAuth    *oauth.Server
	Recovery *recovery.Service
	Changes  journey.Changes
	Sessions *sessions.Sessions
	Ring     *keys.Ring
	Verifier evidence.Verifier
	Passes   openid.PassVerifier
	Proofing map[string]journey.Proofing
	Notify   backchannel.Notifier
	// Registration lets clients register themselves; nil when nobody may.
	Registration *registration.Service
	// Unready returns the parts that cannot be written just now, by names of ours; nil when there are none to ask.
	Unready func(context.Context) []string
	// Stale reports whether what is in use is older than the files say, which could not be read again; nil for never.
	Stale func() bool
	// WentBack reports whether an older copy of the store was put back a while ago; nil for never.
	WentBack func() bool
	// Stopping reports whether the node is about to stop; nil for never.
	Stopping func() bool
	Logger   *slog.Logger
	Clock    func() time.Time
	Random   io.Reader
}

// Provider serves everything in the package comment.
type Provider struct {
	router    http.Handler
	wallets   *wallet.Endpoints
	pages     *journey.Pages
	endpoints *openid.Endpoints
}

// Wallets are the endpoints for wallets, whose profiles change with the certificate that signs requests.
func (p *Provider) Wallets() *wallet.Endpoints { return p.wallets }

// Close waits, for a bounded time, for what goes on after a request. No request may be in progress.
func (p *Provider) Close() error { return errors.Join(p.pages.Close(), p.endpoints.Close()) }

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		serveHead(w, r, p.router)
		return
	}
	p.router.ServeHTTP(w, r)
}

// EndLivePages ends every live page, and those that are opened later: the server is about to stop, and would wait.
func (p *Provider) EndLivePages() { p.pages.EndLivePages() }

// New makes the faces and mounts them. It refuses missing parts and a configuration that cannot work.
func New(cfg Config, deps Deps) (*Provider, error) {
	if deps.OAuth == nil || deps.Recovery == nil {
		return nil, errors.New("provider: a part is missing")
	}
	cfg.OpenID.Issuer, cfg.Wallet.Issuer = cfg.Issuer, cfg.Issuer
	web, err := newWeb(cfg, deps)
	if err != nil {
		return nil, err
	}
	browsers, err := binding.New(web, deps.Recovery.Open)
	if err != nil {
		return nil, err
	}
	clients := clientsOf{deps.OAuth}
	wallets, err := wallet.New(cfg.Wallet, wallet.Deps{
		Web: web, Binding: browsers, Recovery: deps.Recovery, Verifier: deps.Verifier, Organisation: clients.organisation, Clock: deps.Clock, Random: deps.Random,
	})
	if err != nil {
		return nil, err
	}
	pages, err := journey.New(journey.Deps{
		Issuer: cfg.Issuer, Web: web, Binding: browsers, Recovery: deps.Recovery, Changes: deps.Changes, Wallets: wallets, Proofing: deps.Proofing,
		Client: clients.describe, Clock: deps.Clock, LivePages: cfg.LivePages,
	})
	if err != nil {
		return nil, err
	}
	endpoints, err := openid.New(cfg.OpenID, openid.Deps{
		Web: web, Binding: browsers, OAuth: deps.OAuth, Recovery: deps.Recovery, Sessions: deps.Sessions, Ring: deps.Ring,
		Passes: deps.Passes, Notify: deps.Notify, Registration: deps.Registration, Clock: deps.Clock,
	})
	if err != nil {
		return nil, err
	}
	router := newRouter()
	web.Mount(router)
	router.Use(takeNoStep)
	router.GET("/", web.Page(web.Home))
	probes := probes{unready: deps.Unready, stale: deps.Stale, wentBack: deps.WentBack, stopping: deps.Stopping}
	router.GET("/livez", live)
	router.GET("/readyz", probes.ready)
	router.GET("/healthz", probes.ready)
	txn := browsers.Group(router)
	wallets.Mount(router, txn)
	pages.Mount(txn)
	endpoints.Mount(router, txn)
	return &Provider{router: web.Rooted(router), wallets: wallets, pages: pages, endpoints: endpoints}, nil
}

// newRouter answers each address as it was sent: a redirect of the router's would be to an address that X-Forwarded-Prefix
// chooses. Nothing asks it for the client's address, which web.Network reads.
func newRouter() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash, r.RedirectFixedPath = false, false
	r.ForwardedByClientIP, r.RemoteIPHeaders = false, nil
	r.ContextWithFallback = true // a *gin.Context is also the request's context
	return r
}

// clientsOf tells the faces that know no OAuth who started a recovery.
type clientsOf struct{ oauth *oauth.Server }

// organisation is the client's name, "" for a client that was removed.
func (o clientsOf) organisation(ctx context.Context, id recovery.ClientID) string {
	client, err := o.oauth.Client(ctx, string(id))
	if err != nil {
		return ""
	}
	return client.Name
}

// describe says what the pages show of the client of a transaction.
func (o clientsOf) describe(ctx context.Context, t recovery.Transaction) (journey.Client, error) {
	recovers, err := oauth.Recovers(t.Authorization)
	if err != nil {
		return journey.Client{}, err
	}
	client, err := o.oauth.Client(ctx, string(t.Client))
	var refused *problem.Error
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError: // removed: it shows without its name
		return journey.Client{SignsIn: !recovers}, nil
	case err != nil:
		return journey.Client{}, err
	}
	return journey.Client{
		Organisation: client.Name, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI, ShowsPass: client.ShowPass,
		SignsIn: !recovers && !client.ShowPass,
	}, nil
}
