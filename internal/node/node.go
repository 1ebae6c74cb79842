// Package node builds one Regain node and runs it. It wires adapters to ports: a new kind of directory or pass issuer is a case
// here (systems.go) and its keys in internal/config. What the configuration means is decided in internal/plan, and the store and
// the audit log are opened by internal/keep.
//
//	New         builds a node from a configuration
//	Serve       runs a node, with TLS if a certificate is configured, until the context ends
//	Check       reports whether a configuration is complete
//	Warnings    reports what works and will not for long
//	BeginAudit  begins a segment of an audit log of which something is missing
//
// node.go and openid.go wire, after loaded.go and systems.go have opened what is outside; serve.go, start.go and connections.go
// listen, and memory.go says how much there is; reload.go, watch.go, stale.go and live.go take over files that change. settings.go
// tells what the nodes of one store must have in common.
package node

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/plan"
	"regain/provider"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/provider/registration"
	"regain/provider/sessions"
	"regain/provider/wallet"
	"regain/recovery"
	"regain/storage"
)

// Deps holds a node's dependencies; Logger, Clock and Random are required.
type Deps struct {
	Logger *slog.Logger
	Clock  func() time.Time
	Random io.Reader
	// Wrap wraps the storage backend, to measure it or to inject failures; nil for none.
	Wrap func(storage.Store) storage.Store
	// LookEvery is how often the node looks whether its store went back; 0 is generation.Every.
	LookEvery time.Duration
	// ReadOnly has the node look at its store and its audit log, and work with empty ones in memory: for Check.
	ReadOnly bool
}

// keep is what the store and the audit log need of it.
func (d Deps) keep() keep.Deps {
	return keep.Deps{Logger: d.Logger, Clock: d.Clock, Wrap: d.Wrap, LookEvery: d.LookEvery, ReadOnly: d.ReadOnly}
}

// BeginAudit begins a new segment of an audit log of which something is missing, or whose key is a new one. The node
// must not be running.
func BeginAudit(cfg config.Config, deps Deps) error {
	if err := validate(cfg); err != nil {
		return err
	}
	return keep.BeginAudit(cfg, deps.keep())
}

// Node is one running node.
type Node struct {
	cfg     config.Config
	loaded  loaded
	kept    *keep.Kept  // the store and the audit log
	leaving atomic.Bool // it is about to stop
	closers []io.Closer // closed in reverse order
	parts   []*watched  // that are made of files

	// What is made again when files change.
	ring         *keys.Ring
	clients      liveClients
	verifier     liveVerifier
	fetcher      liveFetcher
	certificate  liveCertificate
	source       *mtls.Source
	registration *registration.Service // nil if it is disabled
	provider     *provider.Provider
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.provider.ServeHTTP(w, r) }

// EndLivePages ends every live page, and those that are opened later: the node is about to stop.
func (n *Node) EndLivePages() { n.provider.EndLivePages() }

// ReopenAudit carries the audit log on after its file was rotated, or after a failure that closed it.
func (n *Node) ReopenAudit() error { return n.kept.ReopenAudit() }

// Close closes the node's files. No request may be in progress.
func (n *Node) Close() error {
	var problems []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		problems = append(problems, n.closers[i].Close())
	}
	return errors.Join(problems...)
}

// New builds a node: it reads the files that the configuration names and wires the parts. Its error has every mistake
// that the configuration and its files hold.
func New(cfg config.Config, deps Deps) (*Node, error) {
	if deps.Logger == nil || deps.Clock == nil || deps.Random == nil {
		return nil, errors.New("node: Logger, Clock and Random are required")
	}
	n, err := read(cfg, deps)
	if err == nil {
		err = n.wire(deps)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// read reads what the configuration names.
func read(cfg config.Config, deps Deps) (*Node, error) {
	n := &Node{cfg: cfg}
	n.collectParts(deps)
	var err error
	n.loaded, err = load(cfg, deps)
	n.certificate.current.Store(n.loaded.Certificate) // a node listens before it is wired, and somebody's handshake may be as fast
	return n, err
}

// wire opens what is outside and wires the parts. On an error nothing stays open, and it may be called again.
func (n *Node) wire(deps Deps) error {
	if err := n.wireParts(deps); err != nil {
		err = errors.Join(err, n.Close())
		n.closers = nil
		return err
	}
	return nil
}

func (n *Node) wireParts(deps Deps) error {
	n.ring = n.loaded.Ring
	n.clients.current.Store(&n.loaded.Clients)
	n.fetcher.current.Store(n.loaded.Fetcher)
	kept, err := keep.Open(n.cfg, n.loaded.Secrets.Keyring, n.common, deps.keep())
	if err != nil {
		return err
	}
	n.kept, n.closers = kept, append(n.closers, kept)
	passes, err := newPasses(n.cfg.PassIssuer, n.loaded.Secrets.Pass, kept, deps)
	if err != nil {
		return err
	}
	transactions := kept.Transactions()
	service, err := n.newService(transactions, passes.issuer, deps)
	if err != nil {
		return err
	}
	server, err := n.makeOpenID(service, deps)
	if err != nil {
		return err
	}
	remembered, err := sessions.New(kept.Store, deps.Clock, deps.Random)
	if err != nil {
		return err
	}
	return n.makeProvider(deps, provider.Deps{OAuth: server, Sessions: remembered, Recovery: service, Changes: transactions, Ring: n.ring, Passes: passes.verifier, Notify: &n.fetcher, Registration: n.registration})
}

func (n *Node) newService(transactions recovery.Transactions, passes recovery.PassIssuer, deps Deps) (*recovery.Service, error) {
	log := n.kept.Issuings()
	return recovery.NewService(recovery.Ports{
		Transactions: transactions, Directory: n.loaded.directory, Passes: passes, Audit: log, Issuings: log,
		Attempts: storage.NewAttempts(n.kept.Store), Clock: deps.Clock, Random: deps.Random,
	}, n.loaded.Policy)
}

// makeProvider adds the verifier, the wallets and the proofing providers, and builds the HTTP handler.
func (n *Node) makeProvider(deps Deps, parts provider.Deps) (err error) {
	if err := n.makeVerifier(n.loaded.Trust, deps); err != nil {
		return err
	}
	parts.Verifier, parts.Proofing = &n.verifier, n.loaded.proofing
	parts.Logger, parts.Clock, parts.Random = deps.Logger, deps.Clock, deps.Random
	parts.Unready, parts.Stale, parts.Stopping = n.kept.Unready, n.stale, n.leaving.Load
	parts.WentBack = n.kept.WentBack
	attributes, err := plan.Attributes(n.loaded.directory)
	if err != nil {
		return err
	}
	face := faceConfig(n.cfg)
	face.OpenID = openIDConfig(n.cfg, attributes, n.loaded.Clients.Follow(contract.EntraExternalMethod))
	face.Wallet = wallet.Config{
		Wallets: n.loaded.Wallets.Named, DIDWeb: n.loaded.Wallets.Web, ReceiptTypes: n.cfg.FaceCheck.ReceiptTypes,
		ReceiptVCTypes: n.cfg.FaceCheck.ReceiptVCTypes, RequestLifetime: n.cfg.RequestLife,
	}
	if n.provider, err = provider.New(face, parts); err != nil {
		return err
	}
	n.closers = append(n.closers, n.provider)
	return nil
}

// faceConfig is the part of the HTTP face's configuration that needs no other part.
func faceConfig(c config.Config) provider.Config {
	return provider.Config{Issuer: c.Issuer, TrustedProxies: c.TrustedProxies, HSTS: c.HSTS, LivePages: livePages(c)}
}
