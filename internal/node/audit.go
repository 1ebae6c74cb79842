package node

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"regain/adapters/auditlog"
	"regain/internal/clock"
	"regain/internal/config"
	"regain/recovery"
	"regain/recovery/chain"
	"regain/storage"
)

// AuditConfig names the audit log. Without a file, the log is in memory, which is allowed for development only.
type AuditConfig struct {
	File       string        `koanf:"file"`        // the segment that is written to; the others are beside it
	Key        config.Secret `koanf:"key"`         // 32 bytes, base64url: the key of the chain
	SegmentMiB int           `koanf:"segment_mib"` // a new segment is begun after so many MiB
}

// Options reads the key and returns how the log is opened.
func (c AuditConfig) Options() (auditlog.Options, error) {
	if c.File == "" {
		return auditlog.Options{}, errors.New("audit.file: name a file")
	}
	key, err := ReadAuditKey(c.Key, "audit.key")
	if err != nil {
		return auditlog.Options{}, err
	}
	const most = 4096 // a start reads a whole segment
	if c.SegmentMiB < 1 || c.SegmentMiB > most {
		return auditlog.Options{}, fmt.Errorf("audit.segment_mib %d: use 1 to %d; 64 is the default", c.SegmentMiB, most)
	}
	return auditlog.Options{Path: c.File, Key: key, SegmentSize: int64(c.SegmentMiB) << 20}, nil
}

// ReadAuditKey reads the key of the audit log's chain. name is the configuration key, for errors.
func ReadAuditKey(secret config.Secret, name string) (chain.Key, error) {
	raw, err := readKey(secret, name)
	if err != nil {
		return chain.Key{}, err
	}
	return chain.NewKey(raw)
}

// validateKeeping reports what a node would forget: no record, no pass.
func (c Config) validateKeeping(issuer *url.URL, mistake func(format string, args ...any)) {
	if c.Development && (issuer == nil || !loopbackName(issuer.Hostname())) {
		mistake("development: is for an issuer under .localhost; leave it out, and set storage.backend: file and audit.file")
	}
	issues := slices.IndexFunc(c.Profiles, func(p ProfileConfig) bool {
		return (p.Enabled == nil || *p.Enabled) && p.Mode == string(recovery.ModeProduction)
	})
	switch {
	case c.Audit.File == "" && c.Storage.Backend != "memory":
		mistake("audit.file: name a file; a node that keeps its transactions must keep its audit log")
	case issues < 0 || c.Development:
		return
	case c.Audit.File == "":
		mistake("audit.file: name a file: profiles[%d] (%s) is in production, and there is no pass without a record that is kept; or set mode: evaluation", issues, c.Profiles[issues].Name)
	}
	if issues >= 0 && !c.Development && c.Storage.Backend == "memory" {
		mistake("storage.backend memory: use file: profiles[%d] (%s) is in production, and a restart would forget which passes were issued; or set mode: evaluation", issues, c.Profiles[issues].Name)
	}
}

func (n *Node) openAudit(cfg AuditConfig, store storage.Store, deps Deps) error {
	n.audit = auditlog.NewMemory()
	switch {
	case cfg.File == "":
	case deps.ReadOnly:
		if err := checkAudit(cfg); err != nil {
			return err
		}
	default:
		options, err := cfg.Options()
		if err != nil {
			return err
		}
		options.Logger, options.Clock, options.Remembered = deps.Logger, deps.Clock, auditHead{store}
		options.Steady = clock.NewSteady(deps.Clock, nil).Now
		if n.audit, err = auditlog.Open(options); err != nil {
			return fmt.Errorf("audit.file: %w", err)
		}
	}
	n.closers = append(n.closers, n.audit)
	return nil
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
func BeginAudit(cfg Config, deps Deps) (err error) {
	if err := cfg.validate(); err != nil {
		return err
	}
	options, err := cfg.Audit.Options()
	if err != nil {
		return err
	}
	secrets, err := readSecrets(cfg.Secrets)
	if err != nil {
		return err
	}
	if err := auditlog.CheckOwner(options.Path); err != nil { // before the store is opened, or made
		return keyed("audit.file", err)
	}
	n := &Node{}
	defer func() { err = errors.Join(err, n.Close()) }()
	store, err := n.openStore(cfg.Storage, secrets.keyring, deps)
	if err != nil {
		return err
	}
	options.Logger, options.Clock, options.Remembered, options.Begin = deps.Logger, deps.Clock, auditHead{store}, true
	log, err := auditlog.Open(options)
	if err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	n.closers = append(n.closers, log)
	return nil
}

const (
	kindAuditHead = storage.Kind("audit_head")
	// A store belongs to one node, as does a log; nodes that share a store will each need a name here.
	auditHeadID = "head"
)

// auditHead keeps the audit log's head in the node's store, so that a log that was deleted together with its head is
// missed at the next start. It is here because adapters and storage do not import each other.
type auditHead struct{ store storage.Store }

var _ auditlog.HeadStore = auditHead{}

func (h auditHead) LoadHead(ctx context.Context) (string, error) {
	r, err := h.store.Get(ctx, kindAuditHead, auditHeadID)
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the audit log's head in the store: %w", err)
	}
	return string(r.Data), nil
}

func (h auditHead) SaveHead(ctx context.Context, line string) error {
	r, err := h.store.Get(ctx, kindAuditHead, auditHeadID)
	if errors.Is(err, storage.ErrNotFound) {
		return h.store.Create(ctx, storage.Record{Kind: kindAuditHead, ID: auditHeadID, Data: []byte(line)})
	}
	if err != nil {
		return err
	}
	r.Data = []byte(line)
	return h.store.Update(ctx, r)
}
