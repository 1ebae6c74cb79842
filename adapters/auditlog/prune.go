package auditlog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/internal/holder"
	"regain/recovery"
)

// ShortestKeep is how long segments are kept at least: longer than any pass lives (30 days), so that the log has the record of
// every pass that somebody may still use. The start needs those of the last two hours.
const ShortestKeep = 31 * 24 * time.Hour

// Pruned says what was removed.
type Pruned struct {
	First, Last uint64 // segments; 0 if there was none to remove
	Records     uint64 // the last record that was removed
}

// outdated is a segment that is to be removed.
type outdated struct {
	path   string
	number uint64
	last   uint64 // record
}

// Prune removes the segments of which every record is older than keep, the oldest first. The segment that is written to stays,
// as does one that is not whole, or that the next one does not follow, and all after it: whoever looks for what happened to the
// log needs it. Before the first is removed a record of the log says which are, so that a log that begins with a later segment
// shows whether it was pruned.
func (l *Log) Prune(ctx context.Context, keep time.Duration) (p Pruned, err error) {
	if keep < ShortestKeep {
		return p, fmt.Errorf("prune the audit log: %s are kept at least", ShortestKeep)
	}
	if l.inMemory() {
		return p, nil
	}
	l.pruning.Lock()
	defer l.pruning.Unlock()
	old, problem := l.outdated(ctx, l.options.Steady().Add(-keep))
	if problem != nil {
		problem = fmt.Errorf("prune the audit log: %w", problem)
	}
	if len(old) == 0 {
		return p, problem
	}
	p = Pruned{First: old[0].number, Last: old[len(old)-1].number, Records: old[len(old)-1].last}
	if err := l.Append(ctx, p.event(keep, l.options.Clock())); err != nil { // which is durable then
		return Pruned{}, errors.Join(problem, fmt.Errorf("prune the audit log: %w", err))
	}
	for _, s := range old {
		if err := os.Remove(s.path); err != nil {
			return p, errors.Join(problem, fmt.Errorf("prune the audit log: %w", err))
		}
	}
	l.options.Logger.Info("segments of the audit log were removed", "first", p.First, "last", p.Last, "up_to_record", p.Records, "older_than", keep)
	return p, errors.Join(problem, l.syncDirectory())
}

func (p Pruned) event(keep time.Duration, now time.Time) recovery.Event {
	return recovery.Event{
		Time: now, Type: recovery.EventAuditPruned, Success: recovery.EventAuditPruned.Succeeds(),
		Results: []recovery.RuleResult{{Rule: "audit:keep", Pass: true, Detail: fmt.Sprintf("segments %d to %d, with records up to %d, were removed: all of them are older than %s", p.First, p.Last, p.Records, keep)}},
	}
}

// outdated finds the segments that ended before a time, from the first on. With an error come those that can go all the same.
func (l *Log) outdated(ctx context.Context, before time.Time) (old []outdated, err error) {
	path, key := l.options.Path, l.options.Key
	found, _, err := segments.All(path, key)
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Sorted(maps.Keys(found)) {
		if len(found[n+1]) == 0 { // the one that is written to, or one that is missing
			break
		}
		next, err := segments.First(found[n+1][0], key)
		if err != nil || !next.Started.Before(before) {
			return old, err
		}
		if len(found[n]) > 1 || len(found[n+1]) > 1 {
			return old, fmt.Errorf("%s are copies of one segment: move away all but one", strings.Join(append(found[n], found[n+1]...), ", "))
		}
		s, err := segments.Scan(found[n][0], key)
		if err == nil {
			err = next.Follows(s.Last)
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return old, fmt.Errorf("segment %d and all after it stay, since it is not whole: %w", n, err)
		}
		old = append(old, outdated{found[n][0], n, s.Last.Seq})
	}
	return old, nil
}

// PruneIfAsked does what `regain audit prune` asked for, at SIGHUP, and reports whether it did.
func (l *Log) PruneIfAsked(ctx context.Context, keep time.Duration) (bool, error) {
	asked := !l.inMemory() && os.Remove(l.options.Path+segments.PruneEnding) == nil
	if !asked {
		return false, nil
	}
	_, err := l.Prune(ctx, keep)
	return true, err
}

// ErrAsked means that a node was asked to prune, and does it by itself.
var ErrAsked = errors.New("a node writes to this audit log and was asked to prune it, as it does once a day: its own log says what it removed")

// PruneFile prunes the log at options.Path, or asks the node that writes to it.
func PruneFile(ctx context.Context, options Options, keep time.Duration) (Pruned, error) {
	if err := CheckOwner(options.Path); err != nil && !written(options.Path) {
		return Pruned{}, err
	}
	if written(options.Path) {
		if _, err := holder.Ask(lockPath(options.Path), options.Path+segments.PruneEnding); err != nil {
			return Pruned{}, fmt.Errorf("ask the node to prune: %w", err)
		}
		return Pruned{}, ErrAsked
	}
	log, err := Open(options)
	if err != nil {
		return Pruned{}, err
	}
	p, err := log.Prune(ctx, keep)
	return p, errors.Join(err, log.Close())
}
