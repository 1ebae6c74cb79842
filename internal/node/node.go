// Package node builds one Regain node from its configuration: it reads the files that the configuration names, reports
// what cannot work with the configuration key and the cure, and wires adapters to ports. It is the only package that
// imports every backend.
//
//	Config   all configuration keys and their defaults
//	New      builds a node from a configuration
//	Serve    runs a node, with TLS if a certificate is configured, until the context ends
//	Check    reports whether a configuration is complete
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

// Deps holds a node's dependencies; all but Wrap are required.
type Deps struct {
	Logger *slog.Logger
	Clock  func() time.Time
	Random io.Reader
	// Wrap wraps the storage backend, to measure it or to inject failures; nil for none.
	Wrap func(storage.Store) storage.Store
}

// Node is one running node.
type Node struct {
	handler http.Handler
	ring    *keys.Ring
	signing config.Secret
	closers []io.Closer // closed in reverse order
	audit   *auditlog.Log
	store   *watchedStore
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.handler.ServeHTTP(w, r) }

// Close closes the node's files. No request may be in progress.
func (n *Node) Close() error {
	var problems []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		problems = append(problems, n.closers[i].Close())
	}
	return errors.Join(problems...)
}

// ReloadKeys reads the signing keys again, for example after `regain keys rotate`. On an error the current keys stay.
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

// New builds a node: it reads the files that the configuration names and wires the parts.
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

func (n *Node) newService(cfg Config, store storage.Store, passes recovery.PassIssuer, deps Deps) (*recovery.Service, error) {
	policy, err := cfg.policy()
	if err != nil {
		return nil, err
	}
	accounts, err := openDirectory(cfg.Directory)
	if err != nil {
		return nil, err
	}
	if err := n.openAudit(cfg.Audit, store, deps); err != nil {
		return nil, err
	}
	return recovery.NewService(recovery.Ports{
		Transactions: storage.NewTransactions(store), Directory: accounts, Passes: passes, Audit: n.audit, Issuings: n.audit,
		Attempts: storage.NewAttempts(store), Clock: deps.Clock, Random: deps.Random,
	}, policy)
}

// newProvider adds the verifier, the wallets and the proofing providers, and builds the HTTP handler.
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
	parts.Logger, parts.Clock, parts.Random, parts.Unready = deps.Logger, deps.Clock, deps.Random, n.unready
	n.handler, err = provider.New(provider.Config{
		Issuer: cfg.Issuer, TrustedProxies: cfg.TrustedProxies,
		OpenID: openid.Config{MutualTLS: cfg.MutualTLS.BaseURL, EntraContract: entra},
		Wallet: wallet.Config{
			Wallets: wallets, DIDWeb: web, ReceiptTypes: cfg.FaceCheck.ReceiptTypes, ReceiptVCTypes: cfg.FaceCheck.ReceiptVCTypes, RequestLifetime: cfg.RequestLife,
		},
	}, parts)
	return err
}
