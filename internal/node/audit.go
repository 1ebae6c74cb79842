package node

import (
	"context"
	"errors"
	"fmt"
	"os"

	"regain/adapters/auditlog"
	"regain/internal/clock"
	"regain/internal/config"
	"regain/internal/plan"
	"regain/recovery/chain"
	"regain/storage"
	"regain/storage/generation"
)

// AuditOptions reads the key and returns how the log is opened.
func AuditOptions(c config.AuditConfig) (auditlog.Options, error) {
	if c.File == "" {
		return auditlog.Options{}, errors.New("audit.file: name a file")
	}
	key, err := plan.ReadAuditKey(c.Key, "audit.key")
	if err != nil {
		return auditlog.Options{}, err
	}
	const most = 4096 // a start reads a whole segment
	if c.SegmentMiB < 1 || c.SegmentMiB > most {
		return auditlog.Options{}, fmt.Errorf("audit.segment_mib %d: use 1 to %d; 64 is the default", c.SegmentMiB, most)
	}
	if _, err := AuditKeep(c); err != nil {
		return auditlog.Options{}, err
	}
	return auditlog.Options{Path: c.File, Key: key, SegmentSize: int64(c.SegmentMiB) << 20}, nil
}

func (n *Node) openAudit(cfg config.AuditConfig, store storage.Store, deps Deps) error {
	n.audit = auditlog.NewMemory()
	switch {
	case cfg.File == "":
	case deps.ReadOnly:
		if err := checkAudit(cfg); err != nil {
			return err
		}
	default:
		options, err := AuditOptions(cfg)
		if err != nil {
			return err
		}
		head, err := newAuditHead(n.cfg, store)
		if err != nil {
			return err
		}
		options.Logger, options.Clock, options.Remembered = deps.Logger, deps.Clock, head
		options.Steady = clock.NewSteady(deps.Clock, nil).Now
		if n.audit, err = auditlog.Open(options); err != nil {
			return fmt.Errorf("audit.file: %w", err)
		}
	}
	n.closers = append(n.closers, n.audit)
	return n.newRetention(deps.Logger)
}

// ReopenAudit carries the audit log on after its file was rotated, or after a failure that closed it.
func (n *Node) ReopenAudit() error {
	if err := n.audit.Reopen(); err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	return nil
}

// BeginAudit begins a new segment of an audit log of which something is missing, or whose key is a new one. The node
// must not be running.
func BeginAudit(cfg config.Config, deps Deps) (err error) {
	if err := validate(cfg); err != nil {
		return err
	}
	options, err := AuditOptions(cfg.Audit)
	if err != nil {
		return err
	}
	secrets, err := plan.ReadSecrets(cfg.Secrets)
	if err != nil {
		return err
	}
	if err := auditlog.CheckOwner(options.Path); err != nil { // before the store is opened, or made
		return config.Keyed("audit.file", err)
	}
	n := &Node{cfg: cfg}
	defer func() { err = errors.Join(err, n.Close()) }()
	store, err := n.openStore(cfg.Storage, secrets.Keyring, deps)
	if err != nil {
		return err
	}
	head, err := newAuditHead(cfg, store)
	if err != nil {
		return err
	}
	options.Logger, options.Clock, options.Remembered, options.Begin = deps.Logger, deps.Clock, head, true
	log, err := auditlog.Open(options)
	if err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	n.closers = append(n.closers, log)
	return acceptStore(log, n.guard)
}

// acceptStore has a log that was begun anew know the store as it is now, unless it knows it already: what it knew may be lost,
// or be written with another key.
func acceptStore(log *auditlog.Log, guard *generation.Guard) error {
	if _, err := log.LoadSeen(); guard == nil || !errors.Is(err, auditlog.ErrUnseen) {
		return err
	}
	state, err := guard.Stored(context.Background())
	if err != nil || state == (generation.State{}) {
		return err
	}
	return log.SaveSeen(chain.Seen{Number: state.Number, Epoch: state.Epoch})
}

const (
	kindAuditHead = storage.Kind("audit_head")
	// auditHeadID is that of a store that belongs to one node, as does a log; nodes that share a store add their names.
	auditHeadID = "head"
)

// auditHead keeps the audit log's head in the node's store, so that a log that was deleted together with its head is
// missed at the next start. It is here because adapters and storage do not import each other.
type auditHead struct {
	store storage.Store
	id    string
}

func newAuditHead(cfg config.Config, store storage.Store) (auditHead, error) {
	if cfg.Storage.Backend != "mongo" {
		return auditHead{store, auditHeadID}, nil
	}
	name := cfg.Audit.Node
	if name == "" {
		var err error
		if name, err = os.Hostname(); err != nil {
			return auditHead{}, fmt.Errorf("audit.node: name this node: %w", err)
		}
	}
	return auditHead{store, auditHeadID + "-" + name}, nil
}

var _ auditlog.HeadStore = auditHead{}

func (h auditHead) LoadHead(ctx context.Context) (string, error) {
	r, err := h.store.Get(ctx, kindAuditHead, h.id)
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the audit log's head in the store: %w", err)
	}
	return string(r.Data), nil
}

func (h auditHead) SaveHead(ctx context.Context, line string) error {
	r, err := h.store.Get(ctx, kindAuditHead, h.id)
	if errors.Is(err, storage.ErrNotFound) {
		return h.store.Create(ctx, storage.Record{Kind: kindAuditHead, ID: h.id, Data: []byte(line)})
	}
	if err != nil {
		return err
	}
	r.Data = []byte(line)
	return h.store.Update(ctx, r)
}
