package keep

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"regain/adapters/auditlog"
	"regain/internal/config"
)

// AuditKeep is how long segments of the audit log are kept, 0 for as long as they are there.
func AuditKeep(c config.AuditConfig) (time.Duration, error) {
	const day = 24 * time.Hour
	keep := time.Duration(c.KeepDays) * day
	if c.KeepDays != 0 && keep < auditlog.ShortestKeep {
		return 0, fmt.Errorf("audit.keep_days %d: use %d or more, since a pass may live for %d days, or leave it out to keep everything", c.KeepDays, auditlog.ShortestKeep/day, auditlog.ShortestKeep/day-1)
	}
	return keep, nil
}

// retention removes old segments of the audit log: at the start, once a day, and when `regain audit prune` asks for it.
type retention struct {
	log    *auditlog.Log
	keep   time.Duration
	logger *slog.Logger
	ctx    context.Context //nolint:containedctx // ends when the node is closed
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

// newRetention returns nil if everything is kept.
func (k *Kept) newRetention(cfg config.AuditConfig) error {
	keep, err := AuditKeep(cfg)
	if err != nil || keep == 0 {
		return err
	}
	r := &retention{log: k.log, keep: keep, logger: k.deps.Logger}
	r.ctx, r.stop = context.WithCancel(context.Background())
	k.retention = r
	k.closers = append(k.closers, r) // before the log is closed
	return nil
}

// Prune removes the segments that were kept long enough, and does not let its caller wait: it reads what it removes. Where only
// asked counts, somebody must have asked.
func (k *Kept) Prune(onlyAsked bool) { k.retention.prune(onlyAsked) }

func (r *retention) prune(onlyAsked bool) {
	if r == nil {
		return
	}
	r.ended.Go(func() {
		var err error
		if onlyAsked {
			_, err = r.log.PruneIfAsked(r.ctx, r.keep)
		} else {
			_, err = r.log.Prune(r.ctx, r.keep)
		}
		if err != nil && r.ctx.Err() == nil {
			r.logger.Error("the audit log was not pruned", "cause", err)
		}
	})
}

// Close ends it, with the segment that is being read.
func (r *retention) Close() error {
	r.stop()
	r.ended.Wait()
	return nil
}
