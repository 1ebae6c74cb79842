// Package keep opens what a node keeps, and watches over it while the node runs: its store and its audit log. They are one
// package because each knows what the other must not have lost: the store has the head of the log, and beside the log is the
// generation of the store.
//
//	Open        opens both, and refuses what must not be gone on with
//	BeginAudit  begins a segment of an audit log of which something is missing
//	Keys        says which encryption keys the records of a store need
//	ForgetKey   removes the records of a key that is lost
//
// A change goes from storage.Guarded, which requests have, through these to the backend:
//
//	watched         remembers whether the last change failed, for readiness (watched.go)
//	storage.Sealed  encrypts, and treats as void what was written in another epoch (generation.go)
//	disk            refuses changes while the disk of the file store does not answer (disk.go)
//	Deps.Wrap       what a test puts in between
//
// backend.go and mongo.go open the backend; keys.go looks after encryption keys, and keycommands.go is for the commands; nodes.go
// compares the nodes of one store; shared.go hears of their changes; copies.go copies the file store. passes.go keeps passes in
// the store. audit.go opens the log, audithead.go keeps its head, retention.go prunes it, and issuings.go asks it.
// repeat.go does what is done now and then.
package keep

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"regain/adapters/auditlog"
	"regain/internal/config"
	"regain/storage"
	"regain/storage/generation"
)

// Deps holds what a store and an audit log need; Logger and Clock are required.
type Deps struct {
	Logger *slog.Logger
	Clock  func() time.Time
	// Wrap wraps the storage backend, to measure it or to inject failures; nil for none.
	Wrap func(storage.Store) storage.Store
	// LookEvery is how often the node looks whether its store went back; 0 is generation.Every.
	LookEvery time.Duration
	// ReadOnly has the store and the audit log looked at, and empty ones in memory worked with.
	ReadOnly bool
}

// Kept is the store of a node and its audit log.
type Kept struct {
	// Store is what requests are served from.
	Store storage.Store
	// Nodes are the others that share the store; nil for none.
	Nodes *Nodes

	deps      Deps
	keys      *storage.Keyring
	watched   *watched
	shared    storage.Shared    // nil if no other node writes to the store
	guard     *generation.Guard // of the store's generation; nil for a store in memory
	surveyed  storage.Surveyed  // tells which encryption keys the store needs; nil if it cannot be looked through
	resealed  resealed          // nil for a backend that seals nothing itself
	copies    *copies           // nil for a backend that is not a file
	log       *auditlog.Log
	retention *retention // nil where everything is kept
	restored  time.Time
	closers   []io.Closer // closed in reverse order
}

// Open opens the store and the audit log of a configuration. common says what this node, which has this name, must have in
// common with the others of the store. On an error nothing stays open.
func Open(cfg config.Config, keys *storage.Keyring, common func(name string) (Settings, error), deps Deps) (*Kept, error) {
	k, err := openStore(cfg.Storage, keys, deps)
	if err != nil {
		return nil, err
	}
	if err := k.begin(cfg, common); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// begin does what is done before a store is served from.
func (k *Kept) begin(cfg config.Config, common func(name string) (Settings, error)) (err error) {
	if err := k.checkKeys(cfg.Storage); err != nil {
		return err
	}
	if err := k.meetOthers(cfg.Audit, common); err != nil {
		return err
	}
	if k.restored, err = generation.RestoredAt(context.Background(), k.Store); err != nil {
		return err
	}
	if err := k.openAudit(cfg); err != nil {
		return err
	}
	return k.startGuard()
}

// Close closes the audit log and the store, and ends what watches over them.
func (k *Kept) Close() error {
	var problems []error
	for i := len(k.closers) - 1; i >= 0; i-- {
		problems = append(problems, k.closers[i].Close())
	}
	return errors.Join(problems...)
}

// Transactions returns the transactions of the store, which hear of the changes of other nodes.
func (k *Kept) Transactions() *storage.Transactions {
	return storage.NewSharedTransactions(k.Store, k.shared)
}

// Restored is when the store was filled from a copy; the zero time for never.
func (k *Kept) Restored() time.Time { return k.restored }

// Unready returns what cannot be written, for readiness probes.
func (k *Kept) Unready(ctx context.Context) (parts []string) {
	if k.log.Ready() != nil {
		parts = append(parts, "audit_log")
	}
	if k.watched.ready(ctx) != nil {
		parts = append(parts, "store")
	}
	return parts
}
