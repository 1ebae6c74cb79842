package keep

import (
	"context"
	"errors"
	"fmt"

	"regain/adapters/auditlog"
	"regain/internal/clock"
	"regain/internal/config"
	"regain/internal/plan"
	"regain/recovery/chain"
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

func (k *Kept) openAudit(node config.Config) error {
	cfg := node.Audit
	k.log = auditlog.NewMemory()
	switch {
	case cfg.File == "":
	case k.deps.ReadOnly:
		if err := checkAudit(cfg); err != nil {
			return err
		}
	default:
		options, err := AuditOptions(cfg)
		if err != nil {
			return err
		}
		head, err := newAuditHead(node, k.Store)
		if err != nil {
			return err
		}
		options.Logger, options.Clock, options.Remembered = k.deps.Logger, k.deps.Clock, head
		options.Steady = clock.NewSteady(k.deps.Clock, nil).Now
		if k.log, err = auditlog.Open(options); err != nil {
			return fmt.Errorf("audit.file: %w", err)
		}
	}
	k.closers = append(k.closers, k.log)
	return k.newRetention(cfg)
}

// ReopenAudit carries the audit log on after its file was rotated, or after a failure that closed it.
func (k *Kept) ReopenAudit() error {
	if err := k.log.Reopen(); err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	return nil
}

// BeginAudit begins a new segment of an audit log of which something is missing, or whose key is a new one. The node
// must not be running.
func BeginAudit(cfg config.Config, deps Deps) (err error) {
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
	k, err := openStore(cfg.Storage, secrets.Keyring, deps)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	head, err := newAuditHead(cfg, k.Store)
	if err != nil {
		return err
	}
	options.Logger, options.Clock, options.Remembered, options.Begin = deps.Logger, deps.Clock, head, true
	log, err := auditlog.Open(options)
	if err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	k.closers = append(k.closers, log)
	return acceptStore(log, k.guard)
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
