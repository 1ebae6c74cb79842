// Package wallet is the face that wallets see: the request object, the response endpoint, the two calls of the Digital
// Credentials API, which a page makes for a wallet, and our DID.
//
//	GET POST  /openid4vp/request/{handle}                          the request object, in the wallet's own protocol
//	POST      /openid4vp/response/{handle}                         the response
//	POST      /recover/{txn}/digital-credentials/request, response  what a page asks through the browser, and what it got
//	GET       /.well-known/did.json, did-configuration.json        our DID, where wallets know us by one
//
// A request is found, built when it is first fetched, and attached to its transaction (request.go). A response is opened,
// verified, and weighed by the domain (response.go). A refused one changes nothing: the request stays open for the wallet
// it was meant for, and the operator gets a diagnosis.
package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"regain/internal/admission"
	"regain/presentation"
	"regain/presentation/identity"
	"regain/provider/binding"
	"regain/provider/evidence"
	"regain/provider/problem"
	"regain/provider/protocol"
	"regain/provider/web"
	"regain/recovery"
)

// Config is what the operator decides about wallets.
type Config struct {
	Issuer string // URL without a trailing slash
	// Wallets are the kinds of wallet that the recovery profiles ask.
	Wallets map[recovery.WalletName]protocol.Wallet
	// DIDWeb is our did:web, whose document is served here; nil for none.
	DIDWeb *identity.Web
	// ReceiptTypes are the vct values of Face Check receipts that are asked for; ReceiptVCTypes the W3C types of those
	// that are JWT VCs.
	ReceiptTypes, ReceiptVCTypes []string
	// RequestLifetime bounds how long a wallet may take to answer one request.
	RequestLifetime time.Duration
	// Verifying bounds how many answers are verified at a time; the zero value is one for each processor.
	Verifying admission.Config
}

// verifying is one answer for each processor, and a queue that is worked off in less than the patience of who waits in
// it, with answers that cost the most (50 ms).
func verifying() admission.Config {
	return admission.Config{Running: runtime.GOMAXPROCS(0), Waiting: 128, Patience: 5 * time.Second}
}

// Deps are the parts; all are required.
type Deps struct {
	Web      *web.Web
	Binding  *binding.Binding
	Recovery *recovery.Service
	Verifier evidence.Verifier
	// Organisation names the organisation of a client to a person, "" for a client that was removed.
	Organisation func(ctx context.Context, client recovery.ClientID) string
	Clock        func() time.Time
	Random       io.Reader
}

// Endpoints serve wallets.
type Endpoints struct {
	cfg   Config
	deps  Deps
	rules *evidence.Rules // what is asked
	asked atomic.Pointer[asked]
	queue *admission.Queue
}

// New refuses missing parts, and profiles whose wallets cannot be asked what they ask for.
func New(cfg Config, deps Deps) (*Endpoints, error) {
	if len(cfg.Wallets) == 0 || cfg.RequestLifetime <= 0 || len(cfg.ReceiptTypes) == 0 {
		return nil, errors.New("wallet endpoints: Wallets, RequestLifetime and ReceiptTypes are required")
	}
	if deps.Web == nil || deps.Binding == nil || deps.Recovery == nil || deps.Verifier == nil || deps.Organisation == nil || deps.Clock == nil || deps.Random == nil {
		return nil, errors.New("wallet endpoints: a part is missing")
	}
	if cfg.Verifying == (admission.Config{}) {
		cfg.Verifying = verifying()
	}
	queue, err := admission.New(cfg.Verifying)
	if err != nil {
		return nil, fmt.Errorf("wallet endpoints: %w", err)
	}
	e := &Endpoints{cfg: cfg, deps: deps, rules: evidence.New(cfg.ReceiptTypes, cfg.ReceiptVCTypes), queue: queue}
	e.asked.Store(&asked{cfg.Wallets, cfg.DIDWeb})
	return e, e.checkChannels()
}

// Programs are the addresses that wallets call, and the script of a page that asks one through the browser.
func Programs() web.Programs {
	return web.Programs{"/openid4vp", "/recover/*/digital-credentials"}
}

// asked is how wallets are asked: what changes with the certificate and the key that sign requests.
type asked struct {
	wallets map[recovery.WalletName]protocol.Wallet
	web     *identity.Web
}

// SetWallets replaces the wallet profiles and our did:web, for example after the certificate that signs requests was
// renewed. On an error they stay as they were. Whether there is a did:web at all cannot change.
func (e *Endpoints) SetWallets(wallets map[recovery.WalletName]protocol.Wallet, web *identity.Web) error {
	cfg := e.cfg
	cfg.Wallets, cfg.DIDWeb = wallets, web
	next, err := New(cfg, e.deps)
	if err != nil {
		return err
	}
	if (web == nil) != (e.cfg.DIDWeb == nil) {
		return errors.New("wallet endpoints: a did:web comes or goes")
	}
	e.asked.Store(next.asked.Load())
	return nil
}

// Mount adds the endpoints to a router, and those of one recovery to its group.
func (e *Endpoints) Mount(r gin.IRouter, txn *gin.RouterGroup) {
	r.GET("/openid4vp/request/:handle", forWallet(e.requestObject))
	r.POST("/openid4vp/request/:handle", forWallet(e.requestObject))
	r.POST("/openid4vp/response/:handle", forWallet(e.response))
	txn.POST("/digital-credentials/request", e.deps.Binding.Post(forScript(e.browserRequest)))
	txn.POST("/digital-credentials/response", e.deps.Binding.PostUpTo(presentation.MaxForm, forScript(e.browserResponse)))
	if e.cfg.DIDWeb != nil {
		r.GET("/.well-known/did.json", wellKnown(func() ([]byte, error) { return e.asked.Load().web.Document() }))
		r.GET("/.well-known/did-configuration.json", wellKnown(func() ([]byte, error) { return e.asked.Load().web.Configuration(e.deps.Clock()) }))
	}
}

// DisplayName is what people call a kind of wallet, "" for any.
func (e *Endpoints) DisplayName(wallet recovery.WalletName) string {
	return e.asked.Load().wallets[wallet].DisplayName
}

// protocol returns the protocol of a channel's wallet. Configuration names no other, so a missing one is a server error.
func (e *Endpoints) protocol(channel recovery.Channel) (protocol.Protocol, error) {
	p, err := e.asked.Load().wallets[channel.Wallet].Protocol(e.deps.Random)
	if err != nil {
		return nil, fmt.Errorf("wallet profile %q: %w", channel.Wallet, err)
	}
	return p, nil
}

// wellKnown serves a public document, which wallets in browsers read too.
func wellKnown(document func() ([]byte, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		body, err := document()
		if err != nil {
			web.FailJSON(c, problem.ServerError(err))
			return
		}
		c.Header("Access-Control-Allow-Origin", "*")
		c.Header("Cache-Control", "public, max-age=300")
		c.Data(http.StatusOK, "application/json", body)
	}
}
