package keep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
	"regain/recovery/chain"
	"regain/storage"
	"regain/storage/generation"
)

// newGuard notices that the store was put back to an older copy of itself.
func (k *Kept) newGuard(plain *storage.Sealed) *generation.Guard {
	return generation.New(generation.Config{
		Store: plain, Shared: k.shared != nil, Memory: storeMemory{k}, Clock: k.deps.Clock, Logger: k.deps.Logger,
		Record: func(ctx context.Context, found generation.Rollback) error {
			return k.log.Append(ctx, rollbackEvent(found, k.deps.Clock()))
		},
	})
}

// rollbackEvent is the record of a store that went back.
func rollbackEvent(found generation.Rollback, now time.Time) recovery.Event {
	detail := fmt.Sprintf("the store is of generation %d, and this node has seen %d", found.Found.Number, found.Known.Number)
	switch {
	case found.Forgotten:
		detail = fmt.Sprintf("the store is of generation %d, and what this node had seen is missing beside its audit log", found.Found.Number)
	case found.Found == generation.State{}:
		detail = fmt.Sprintf("the store has no generation, and this node has seen %d", found.Known.Number)
	}
	return recovery.Event{
		Time: now, Type: recovery.EventStoreRolledBack, Success: recovery.EventStoreRolledBack.Succeeds(),
		Results: []recovery.RuleResult{{Rule: "store:generation", Detail: detail}},
	}
}

// storeMemory keeps what the node knows of its store beside the audit log. The log is opened after the store.
type storeMemory struct{ kept *Kept }

func (m storeMemory) Load() (generation.State, error) {
	seen, err := m.kept.log.LoadSeen()
	if errors.Is(err, auditlog.ErrUnseen) {
		err = errors.Join(generation.ErrForgotten, err)
	}
	return generation.State{Number: seen.Number, Epoch: seen.Epoch}, err
}

func (m storeMemory) Save(s generation.State) error {
	return m.kept.log.SaveSeen(chain.Seen{Number: s.Number, Epoch: s.Epoch})
}

// startGuard compares the store with what this node knew, and goes on doing so until the node is closed.
func (k *Kept) startGuard() error {
	if k.guard == nil {
		return nil
	}
	if err := k.guard.Open(context.Background()); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	if k.shared != nil { // a node that was killed may not have told the others
		for _, id := range k.log.Recent() {
			k.guard.Issuing(id)
		}
	}
	w := &guardWatch{guard: k.guard, logger: k.deps.Logger}
	every := k.deps.LookEvery
	if every <= 0 {
		every = generation.Every
	}
	w.looks = repeat(every, func(context.Context) { w.look() })
	k.closers = append(k.closers, w)
	return nil
}

// guardWatch looks at the store's generation on a timer.
type guardWatch struct {
	guard   *generation.Guard
	logger  *slog.Logger
	looks   *repetition
	failing bool
}

// look logs the first of several failures.
func (w *guardWatch) look() {
	ctx, cancel := context.WithTimeout(context.Background(), generation.Every)
	defer cancel()
	err := w.guard.Look(ctx)
	if err != nil && !w.failing {
		w.logger.Error("whether the store went back to an older copy cannot be told", "cause", err)
	}
	w.failing = err != nil
}

// Close looks a last time, so that whoever stops a node and puts back a copy from before that is noticed. A store that is away
// does not keep a node from stopping.
func (w *guardWatch) Close() error {
	w.looks.end()
	w.look()
	return nil
}

// wentBackFor is how long a node says that the store went back: longer than anything that was begun before lives, and long
// enough to be seen.
const wentBackFor = 24 * time.Hour

// WentBack reports whether the store went back a while ago.
func (k *Kept) WentBack() bool {
	return k.guard != nil && !k.guard.MarkedAt().IsZero() && k.deps.Clock().Sub(k.guard.MarkedAt()) < wentBackFor
}

// LookNow looks whether the store went back, before somebody relies on what it says was not used yet. That it did is no error:
// what was written before is void by then.
func (k *Kept) LookNow(ctx context.Context) error {
	if k.guard == nil {
		return nil
	}
	if err := k.guard.Check(ctx, k.deps.Clock()); !errors.Is(err, generation.ErrWentBack) {
		return err
	}
	return nil
}
