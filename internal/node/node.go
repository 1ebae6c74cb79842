// Package node puts the parts of one Regain node together: it reads what the configuration names, refuses what cannot
// work with the key and the cure, and wires adapters to ports. It is the only place that knows every backend.
//
//	Config   every key there is, and the defaults
//	New      configuration → running parts
//	Serve    listens, with TLS when given a certificate, until the context ends
//	Check    New, and Close again: is this configuration complete?
package node

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"regain/adapters/auditlog"
	"regain/internal/config"
	"regain/internal/fetch"
	"regain/provider"
	"regain/provider/keys"
	"regain/provider/openid"
	"regain/provider/sessions"
	"regain/provider/wallet"
	"regain/recovery"
	"regain/storage"
)

// Deps are what a node takes from outside; all are required.
type Deps struct {
	Logger *slog.Logger
	Clock  func() time.Time
	Random io.Reader
	// Wrap goes around the storage backend, for measurements and to have it fail; nil for none.
	Wrap func(storage.Store) storage.Store
}

// Node is one running node.
type Node struct {
	handler http.Handler
	ring    *keys.Ring
	signing config.Secret
	closers []io.Closer // closed in reverse order
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.handler.ServeHTTP(w, r) }

// Close releases files. Requests must have ended.
func (n *Node) Close() error {
	var problems []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		problems = append(problems, n.closers[i].Close())
	}
	return errors.Join(problems...)
}

// ReloadKeys reads the signing keys again, as after `regain keys rotate`. With an error, those in use stay.
func (n *Node) ReloadKeys() error {
	list, err := readSigning(n.signing)
	if err != nil {
		return err
	}
	if err := n.ring.Replace(list); err != nil {
		return fmt.Errorf("secrets.signing_key: %w", err)
	}
	return nil
}

// New reads everything that the configuration names and wires it.
func New(cfg Config, deps Deps) (*Node, error) {
	if deps.Logger == nil || deps.Clock == nil || deps.Random == nil {
		return nil, errors.New("node: Logger, Clock and Random are required")
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	n := &Node{}
	if err := n.wire(cfg, deps); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) wire(cfg Config, deps Deps) error {
	secrets, err := readSecrets(cfg.Secrets)
	if err != nil {
		return err
	}
	store, err := n.openStore(cfg.Storage, secrets.keyring, deps)
	if err != nil {
		return err
	}
	ring, err := keys.NewRing(secrets.signing, deps.Clock)
	if err != nil {
		return fmt.Errorf("secrets.signing_key: %w", err)
	}
	n.ring, n.signing = ring, cfg.Secrets.SigningKey
	passes, err := newPasses(cfg.PassIssuer, secrets.pass, store, deps)
	if err != nil {
		return err
	}
	service, err := n.newService(cfg, store, passes.issuer, deps)
	if err != nil {
		return err
	}
	fetcher, err := newFetcher(cfg.Fetch)
	if err != nil {
		return err
	}
	made, err := openID{store: store, ring: ring, fetcher: fetcher, secret: secrets.token}.wire(cfg, deps)
	if err != nil {
		return err
	}
	remembered, err := sessions.New(store, deps.Clock, deps.Random)
	if err != nil {
		return err
	}
	return n.newProvider(cfg, deps, provider.Deps{OAuth: made.server, Sessions: remembered, Recovery: service, Ring: ring, Passes: passes.verifier, Notify: fetcher, Registration: made.registration}, fetcher, made.entra)
}

// newService wires the domain to its ports.
func (n *Node) newService(cfg Config, store storage.Store, passes recovery.PassIssuer, deps Deps) (*recovery.Service, error) {
	policy, err := cfg.policy()
	if err != nil {
		return nil, err
	}
	accounts, err := openDirectory(cfg.Directory)
	if err != nil {
		return nil, err
	}
	audit := auditlog.NewMemory()
	if cfg.Audit.File != "" {
		if audit, err = auditlog.Open(cfg.Audit.File); err != nil {
			return nil, fmt.Errorf("audit.file: %w", err)
		}
	}
	n.closers = append(n.closers, audit)
	return recovery.NewService(recovery.Ports{
		Transactions: storage.NewTransactions(store), Directory: accounts, Passes: passes, Audit: audit,
		Attempts: storage.NewAttempts(store), Clock: deps.Clock, Random: deps.Random,
	}, policy)
}

// newProvider adds the wallet's side and makes the HTTP face.
func (n *Node) newProvider(cfg Config, deps Deps, parts provider.Deps, fetcher *fetch.Fetcher, entra bool) error {
	key, chain, err := cfg.RequestSigning.read()
	if err != nil {
		return err
	}
	signing := signing{key, chain, deps.Clock()}
	wallets, err := cfg.newWallets(signing)
	if err != nil {
		return err
	}
	web, err := cfg.web(signing)
	if err != nil {
		return err
	}
	if parts.Verifier, err = newVerifier(cfg, fetcher, deps); err != nil {
		return err
	}
	if parts.Proofing, err = newProofing(cfg, parts.Ring, deps); err != nil {
		return err
	}
	parts.Logger, parts.Clock, parts.Random = deps.Logger, deps.Clock, deps.Random
	n.handler, err = provider.New(provider.Config{
		Issuer: cfg.Issuer, TrustedProxies: cfg.TrustedProxies,
		OpenID: openid.Config{MutualTLS: cfg.MutualTLS.BaseURL, EntraContract: entra},
		Wallet: wallet.Config{
			Wallets: wallets, DIDWeb: web, ReceiptTypes: cfg.FaceCheck.ReceiptTypes, ReceiptVCTypes: cfg.FaceCheck.ReceiptVCTypes, RequestLifetime: cfg.RequestLife,
		},
	}, parts)
	return err
}
