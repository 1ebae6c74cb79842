// Package journey is what a person walks through: the pages of one recovery, and the steps between them. It decides
// nothing: each handler calls one step of recovery.Service and shows where the transaction stands.
//
//	GET   /recover/{txn}                the page for the transaction's state
//	POST  /recover/{txn}/proofing       leave for the proofing provider
//	GET   /recover/{txn}/proofed        come back from there
//	POST  /recover/{txn}/ask            ask the wallet (again)
//	GET   /recover/{txn}/qr.svg         the QR code
//	GET   /recover/{txn}/events         live progress, server-sent events
//	GET   /recover/{txn}/return         same device: the wallet sends the browser here
//	GET   /recover/{txn}/confirmation   cross device: the wallet's browser is shown six digits
//	POST  /recover/{txn}/confirm        cross device: the starting browser types them
//	POST  /recover/{txn}/proceed        a wallet that does not come back: the person says that it was theirs
//	POST  /recover/{txn}/cancel
//	POST  /recover/{txn}/pass           shows the pass, once, where the client cannot receive it
//
// The law of the journey: what a person sees next is decided by the stored state of the transaction, in one place
// (pageFor), and never by the URL they came from.
package journey

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// Proofing makes the one-time URL that hands a person to an identity proofing provider.
type Proofing interface {
	URL(ctx context.Context, reference, returnURL string) (string, error)
	// Name is what people see: who verifies their identity.
	Name() string
}

// Wallets say how to reach a wallet; *wallet.Endpoints in production.
type Wallets interface {
	// DisplayName is what people call a kind of wallet, "" for any.
	DisplayName(wallet recovery.WalletName) string
	// RequestURL is what the link or the QR code of a channel says.
	RequestURL(ctx context.Context, t recovery.Transaction, channel recovery.Channel) (string, error)
}

// Changes tell of changes to a transaction by any node: its newest version, or 0 if that is not known; *storage.Transactions
// in production. A change after Watch returned is told, one before that is not; version is one that the caller has read.
type Changes interface {
	Watch(id recovery.TransactionID, version int64) (changed <-chan int64, stop func())
}

// Client is what the pages say of the client that started a recovery. The zero value is one that was removed.
type Client struct {
	Organisation        string
	PolicyURI, TermsURI string
	SignsIn             bool // it asks who somebody is, and for no pass
	ShowsPass           bool // it cannot receive a pass: the person gets it here
}

// Deps are the parts; all are required but Proofing.
type Deps struct {
	Issuer   string // URL without a trailing slash
	Web      *web.Web
	Binding  *binding.Binding
	Recovery *recovery.Service
	Changes  Changes
	Wallets  Wallets
	Proofing map[string]Proofing
	// Client describes the client of a transaction, for its request.
	Client    func(ctx context.Context, t recovery.Transaction) (Client, error)
	Clock     func() time.Time
	LivePages Limits // the zero value is DefaultLimits
}

// Pages serve the journey.
type Pages struct {
	deps    Deps
	streams *streams
}

// New refuses missing parts.
func New(deps Deps) (*Pages, error) {
	if deps.Issuer == "" || deps.Web == nil || deps.Binding == nil || deps.Recovery == nil || deps.Changes == nil || deps.Wallets == nil || deps.Client == nil || deps.Clock == nil {
		return nil, errors.New("journey: a part is missing")
	}
	return &Pages{deps: deps, streams: newStreams(deps.LivePages)}, nil
}

// Mount adds the pages to the group of one recovery.
func (p *Pages) Mount(txn *gin.RouterGroup) {
	b, w := p.deps.Binding, p.deps.Web
	txn.GET("", b.Step(p.show))
	txn.GET("/proofed", b.Step(p.proofed))
	txn.GET("/qr.svg", b.Step(p.qr))
	txn.GET("/events", w.Page(p.events)) // opens the transaction as Step does
	txn.GET("/return", w.Page(p.walletReturn))
	txn.GET("/confirmation", w.Page(p.confirmation))
	txn.POST("/proofing", b.Post(p.leaveForProofing))
	txn.POST("/ask", b.Post(p.ask))
	txn.POST("/confirm", b.Post(p.confirm))
	txn.POST("/proceed", b.Post(p.proceed))
	txn.POST("/cancel", b.Post(p.cancel))
	txn.POST("/pass", b.Post(p.showPass))
}
