package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"regain/presentation/identity"
	"regain/provider/evidence"
	"regain/provider/exchange"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/registration"
	"regain/provider/sessions"
	"regain/recovery"
	"regain/verifier"
)

// Config is what the operator decides about the HTTP face.
type Config struct {
	Issuer string // URL without a trailing slash
	// MutualTLS is the URL under which clients show certificates (RFC 8705 §5), without a trailing slash; "" for none.
	MutualTLS string
	// Wallets are the kinds of wallet that the recovery profiles ask.
	Wallets map[recovery.WalletName]exchange.Wallet
	// DIDWeb is our did:web, whose document is served here; nil for none.
	DIDWeb *identity.Web
	// ReceiptTypes are the vct values of Face Check receipts that are asked for; ReceiptVCTypes the W3C types of those
	// that are JWT VCs.
	ReceiptTypes, ReceiptVCTypes []string
	// RequestLifetime bounds how long a wallet may take to answer one request.
	RequestLifetime time.Duration
	// TrustedProxies are the addresses (CIDR) whose X-Forwarded-For is believed; without any, nobody's is.
	TrustedProxies []string
	// EntraContract publishes what clients with the contract entra-external-method look for in the metadata.
	EntraContract bool
}

// Verifier checks presented credentials; *verifier.Verifier in production.
type Verifier interface {
	Verify(ctx context.Context, p verifier.Presentation, expect verifier.Expect) (verifier.Verified, error)
}

// Proofing makes the one-time URL that hands a person to an identity proofing provider.
type Proofing interface {
	URL(ctx context.Context, reference, returnURL string) (string, error)
	// Name is what people see: who verifies their identity.
	Name() string
}

// PassVerifier verifies and consumes passes for the client that got them. Every kind of no is a nil PassVerdict.
type PassVerifier interface {
	Verify(ctx context.Context, client recovery.ClientID, account recovery.AccountName, pass string) (PassVerdict, error)
}

// PassVerdict is the answer of the pass endpoint (docs/protocols.md §1).
type PassVerdict struct {
	Active      bool
	UsableOnce  bool
	ExpiresAt   time.Time
	Transaction recovery.TransactionID
}

// Deps are the parts the provider works with; all are required but Proofing and Registration.
type Deps struct {
	OAuth    *oauth.Server
	Recovery *recovery.Service
	Sessions *sessions.Sessions
	Ring     *keys.Ring
	Verifier Verifier
	Passes   PassVerifier
	Proofing map[string]Proofing
	Notify   Notifier
	// Registration lets clients register themselves; nil when nobody may.
	Registration *registration.Service
	Logger       *slog.Logger
	Clock        func() time.Time
	Random       io.Reader
}

// Provider serves everything in the package comment.
type Provider struct {
	cfg      Config
	deps     Deps
	metadata []byte
	pages    *pages
	streams  streams
	rules    *evidence.Rules // what is asked of wallets
	handler  http.Handler
}

// New refuses missing parts and a configuration that cannot work.
func New(cfg Config, deps Deps) (*Provider, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil || issuer.Host == "" {
		return nil, errors.New("provider: issuer is not a URL")
	}
	if len(cfg.Wallets) == 0 || cfg.RequestLifetime <= 0 || len(cfg.ReceiptTypes) == 0 {
		return nil, errors.New("provider: Wallets, RequestLifetime and ReceiptTypes are required")
	}
	if deps.OAuth == nil || deps.Recovery == nil || deps.Sessions == nil || deps.Ring == nil || deps.Verifier == nil ||
		deps.Passes == nil || deps.Notify == nil || deps.Logger == nil || deps.Clock == nil || deps.Random == nil {
		return nil, errors.New("provider: a part is missing")
	}
	p := &Provider{cfg: cfg, deps: deps, rules: evidence.New(cfg.ReceiptTypes, cfg.ReceiptVCTypes), streams: streams{open: make(map[recovery.TransactionID]int)}}
	if err := p.checkWays(); err != nil {
		return nil, err
	}
	if p.metadata, err = encodeMetadata(cfg, deps); err != nil {
		return nil, err
	}
	if p.pages, err = newPages(); err != nil {
		return nil, err
	}
	if p.handler, err = p.routes(); err != nil {
		return nil, err
	}
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

func (p *Provider) routes() (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.ContextWithFallback = true
	if err := r.SetTrustedProxies(p.cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	r.Use(p.record, p.recoverPanic)
	r.NoRoute(func(c *gin.Context) { p.failPage(c, errNoPage) })
	r.NoMethod(func(c *gin.Context) { p.failPage(c, errMethod) })

	r.GET("/.well-known/openid-configuration", p.serveMetadata)
	r.GET("/.well-known/oauth-authorization-server", p.serveMetadata)
	r.GET("/jwks", p.serveJWKS)
	r.POST("/par", p.push)
	r.GET("/authorize", p.authorize)
	r.POST("/authorize", p.authorize)
	r.POST("/authorize/account", p.nameAccount)
	r.POST("/token", p.token)
	r.POST("/introspect", p.introspect)
	r.POST("/revoke", p.revoke)
	r.GET("/userinfo", p.userInfo)
	r.POST("/userinfo", p.userInfo)
	r.GET("/logout", p.logout)
	r.POST("/logout", p.logout)
	r.POST("/pass/verify", p.verifyPass)
	r.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })

	if p.cfg.DIDWeb != nil {
		r.GET("/.well-known/did.json", p.didDocument)
		r.GET("/.well-known/did-configuration.json", p.didConfiguration)
	}
	r.GET("/openid4vp/request/:handle", p.walletRequest)
	r.POST("/openid4vp/request/:handle", p.walletRequest)
	r.POST("/openid4vp/response/:handle", p.walletResponse)

	if p.deps.Registration != nil {
		r.POST(registration.Path, p.register)
		r.GET(registration.Path+"/:client", p.registration)
		r.PUT(registration.Path+"/:client", p.registration)
		r.DELETE(registration.Path+"/:client", p.registration)
	}
	p.journey(r.Group("/recover/:txn", secureHeaders))
	r.GET("/static/*file", gin.WrapH(p.pages.static()))
	return r, nil
}

// journey are the pages of one recovery.
func (p *Provider) journey(j *gin.RouterGroup) {
	j.GET("", p.step(p.show))
	j.GET("/proofed", p.step(p.proofed))
	j.GET("/qr.svg", p.step(p.qr))
	j.GET("/events", p.step(p.events))
	j.GET("/return", p.walletReturn)
	j.GET("/confirmation", p.confirmation)
	j.POST("/proofing", p.post(p.leaveForProofing))
	j.POST("/ask", p.post(p.ask))
	j.POST("/digital-credentials/request", p.post(p.browserRequest))
	j.POST("/digital-credentials/response", p.postUpTo(maxBrowserForm, p.browserResponse))
	j.POST("/confirm", p.post(p.confirm))
	j.POST("/proceed", p.post(p.proceed))
	j.POST("/cancel", p.post(p.cancel))
	j.POST("/pass", p.post(p.showPass))
	j.POST("/finish", p.post(p.finish))
}
