package node

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

// guarded has the store notice that it was put back to an older copy of itself. A store in memory cannot be, and one that is
// only looked at is not served from.
func (n *Node) guarded(sealed, plain *storage.Sealed, deps Deps) *storage.Sealed {
	if deps.ReadOnly || n.cfg.Storage.Backend == "memory" {
		return sealed
	}
	n.guard = generation.New(generation.Config{
		Store: plain, Shared: n.shared != nil, Memory: storeMemory{n}, Clock: deps.Clock, Logger: deps.Logger,
		Record: func(ctx context.Context, found generation.Rollback) error {
			return n.audit.Append(ctx, rollbackEvent(found, deps.Clock()))
		},
	})
	return sealed.Under(n.guard)
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
type storeMemory struct{ node *Node }

func (m storeMemory) Load() (generation.State, error) {
	seen, err := m.node.audit.LoadSeen()
	if errors.Is(err, auditlog.ErrUnseen) {
		err = errors.Join(generation.ErrForgotten, err)
	}
	return generation.State{Number: seen.Number, Epoch: seen.Epoch}, err
}

func (m storeMemory) Save(s generation.State) error {
	return m.node.audit.SaveSeen(chain.Seen{Number: s.Number, Epoch: s.Epoch})
}

// startGuard compares the store with what this node knew, and goes on doing so until the node is closed.
func (n *Node) startGuard(deps Deps) error {
	if n.guard == nil {
		return nil
	}
	if err := n.guard.Open(context.Background()); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	if n.shared != nil { // a node that was killed may not have told the others
		for _, id := range n.audit.Recent() {
			n.guard.Issuing(id)
		}
	}
	w := &guardWatch{guard: n.guard, logger: deps.Logger, done: make(chan struct{}), ended: make(chan struct{})}
	every := deps.LookEvery
	if every <= 0 {
		every = generation.Every
	}
	go w.run(every)
	n.closers = append(n.closers, w)
	return nil
}

// guardWatch looks at the store's generation on a timer.
type guardWatch struct {
	guard       *generation.Guard
	logger      *slog.Logger
	done, ended chan struct{}
	failing     bool
}

func (w *guardWatch) run(every time.Duration) {
	defer close(w.ended)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-ticker.C:
		}
		w.look()
	}
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
	close(w.done)
	<-w.ended
	w.look()
	return nil
}

// wentBackFor is how long a node says that the store went back: longer than anything that was begun before lives, and long
// enough to be seen.
const wentBackFor = 24 * time.Hour

// wentBack reports whether the store went back a while ago.
func (n *Node) wentBack(now time.Time) bool {
	return n.guard != nil && !n.guard.MarkedAt().IsZero() && now.Sub(n.guard.MarkedAt()) < wentBackFor
}

// issuings is the audit log, with what other nodes say of theirs.
type issuings struct {
	*auditlog.Log
	guard *generation.Guard // nil for none
}

var (
	_ recovery.Auditor  = issuings{}
	_ recovery.Issuings = issuings{}
)

// Append implements recovery.Auditor.
func (i issuings) Append(ctx context.Context, event recovery.Event) error {
	if event.Type == recovery.EventPassIssuing && i.guard != nil {
		i.guard.Issuing(event.Transaction)
	}
	return i.Log.Append(ctx, event)
}

// Issued implements recovery.Issuings.
func (i issuings) Issued(ctx context.Context, id recovery.TransactionID, started time.Time) (bool, error) {
	if i.guard != nil {
		if err := i.guard.Check(ctx, started); err != nil {
			if errors.Is(err, generation.ErrWentBack) {
				err = errors.Join(recovery.ErrRedeemed, err)
			}
			return false, err
		}
		if i.guard.IssuedElsewhere(id) {
			return true, nil
		}
	}
	return i.Log.Issued(id, started)
}
