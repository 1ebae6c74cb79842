package generation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"regain/storage"
)

// Every is how often a node looks at the store's generation, and raises it if it changed something.
const Every = 5 * time.Second

// ErrWentBack means that the store was put back to an older copy of itself since what is asked about was begun.
var ErrWentBack = errors.New("an older copy of the store was put back: what was begun before is void")

// ErrForgotten is what a Memory returns that held something once, and nobody knows what.
var ErrForgotten = errors.New("what this node knew of the store is gone")

// Memory keeps the latest state that a node has seen, where the store is not.
type Memory interface {
	Load() (State, error) // the zero State at the first start; ErrForgotten if it is not the first
	Save(s State) error   // durably
}

// Rollback is what a node found that noticed a store that went back.
type Rollback struct {
	Known, Found State // Found is zero where the store had no state
	Forgotten    bool  // the node had lost its own memory, and took the store for older
}

// Config holds the dependencies; all are required.
type Config struct {
	Store  storage.Store // sealed, without epochs
	Shared bool          // other nodes write to it
	Memory Memory
	Clock  func() time.Time
	Logger *slog.Logger
	// Record writes a rollback to the audit log.
	Record func(ctx context.Context, found Rollback) error
}

// Guard is what a node knows of the store's generation. It implements storage.Epochs.
type Guard struct {
	cfg     Config
	current atomic.Pointer[State]
	marked  atomic.Pointer[time.Time] // when this node last heard of a mark
	void    atomic.Pointer[time.Time] // the same, of a mark that came while it served
	unsaid  atomic.Int32              // raises that are still to be made for changes

	mu         sync.Mutex // held while the store's state is changed
	unsaved    bool       // what is current is not in Memory
	unrecorded *Rollback  // what is marked and not in the audit log
	issuings   issuings
}

// New returns a guard that knows nothing until Open.
func New(cfg Config) *Guard {
	g := &Guard{cfg: cfg}
	g.current.Store(&State{})
	return g
}

// Shared reports whether other nodes write to the store, and tell this one which passes they issued.
func (g *Guard) Shared() bool { return g.cfg.Shared }

// Epoch implements storage.Epochs.
func (g *Guard) Epoch() storage.Epoch { return g.current.Load().Epoch }

// Changed implements storage.Epochs. The number is raised twice for it: the change may come after the first.
func (g *Guard) Changed() {
	const twice = 2
	g.unsaid.Store(twice)
}

// Stored is what the store says, whatever this node knows.
func (g *Guard) Stored(ctx context.Context) (State, error) {
	found, err := read(ctx, g.cfg.Store)
	return found.State, err
}

// MarkedAt is when this node last noticed, or heard, that the store went back; zero for never.
func (g *Guard) MarkedAt() time.Time {
	if at := g.marked.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// heard notes that there is a mark.
func (g *Guard) heard() {
	now := g.cfg.Clock()
	g.marked.Store(&now)
	if g.current.Load().Number > 0 {
		g.void.Store(&now)
	}
}

// Open compares the store with what this node remembers. It must be called before the store is served from.
func (g *Guard) Open(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, err := g.cfg.Memory.Load()
	forgotten := errors.Is(err, ErrForgotten)
	if err != nil && !forgotten {
		return err
	}
	for {
		found, err := read(ctx, g.cfg.Store)
		switch {
		case err != nil:
			return err
		case found.version == 0 && known == State{} && !forgotten: // a new store and a new node
			var first State
			if first, err = marked(); err == nil {
				err = write(ctx, g.cfg.Store, found, first)
			}
			found.State = first
		case forgotten || wentBack(known, found.State):
			found.State, err = g.mark(ctx, Rollback{Known: known, Found: found.State, Forgotten: forgotten}, found)
		}
		switch {
		case lost(err): // against another node that starts
			continue
		case err != nil:
			return err
		}
		if known.Number > 0 && known.Epoch != found.Epoch {
			g.heard()
		}
		if known.Number > 0 { // it may have been killed before it raised the number for what it changed
			g.Changed()
		}
		if err := g.adopt(found.State); err != nil {
			return err
		}
		return g.collect(ctx, found.Number)
	}
}

// wentBack reports whether what the store says cannot follow what was known. Within an epoch the number grows, and from one
// to the next it jumps, give or take what two nodes know.
func wentBack(known, found State) bool {
	if known.Epoch == found.Epoch {
		return found.Number < known.Number
	}
	return found.Number < known.Number+jump/2 && known != State{}
}

// mark ends what is in a store that went back, and records it. The caller holds mu.
func (g *Guard) mark(ctx context.Context, what Rollback, found stored) (State, error) {
	next, err := marked(what.Known, what.Found)
	if err != nil {
		return next, err
	}
	next.Marked = max(next.Marked, g.cfg.Clock().UnixNano())
	if err := write(ctx, g.cfg.Store, found, next); err != nil {
		return next, err
	}
	g.cfg.Logger.Error("an older copy of the store was put back: whatever was begun before is void, and everybody starts again",
		"store_generation", what.Found.Number, "known_generation", what.Known.Number, "memory_lost", what.Forgotten)
	g.heard()
	g.unrecorded = &what
	if err := g.record(ctx); err != nil {
		return next, errors.Join(err, g.adopt(next))
	}
	return next, nil
}

// record writes the rollback that is marked to the audit log, unless it is there: a log that took no record then takes it
// when it can again. The caller holds mu.
func (g *Guard) record(ctx context.Context) error {
	if g.unrecorded == nil {
		return nil
	}
	if err := g.cfg.Record(ctx, *g.unrecorded); err != nil {
		return fmt.Errorf("record that the store went back: %w", err)
	}
	g.unrecorded = nil
	return nil
}

// adopt takes over a state, and keeps it, also if that failed before. The caller holds mu.
func (g *Guard) adopt(s State) error {
	if s == *g.current.Load() && !g.unsaved {
		return nil
	}
	g.current.Store(&s)
	err := g.cfg.Memory.Save(s)
	if g.unsaved = err != nil; err != nil {
		return fmt.Errorf("keep the store's generation: %w", err)
	}
	return nil
}

// Check reads the store's generation, and returns ErrWentBack if the store went back since a transaction was started. Any
// other error is an outage. It comes right before what must not happen twice.
func (g *Guard) Check(ctx context.Context, started time.Time) error {
	known := *g.current.Load() // before the read, which then cannot be older
	found, err := read(ctx, g.cfg.Store)
	if err != nil {
		return err
	}
	if found.Epoch != known.Epoch || found.Number < known.Number {
		if err := g.look(ctx, false); err != nil {
			return err
		}
	}
	// What was read under one epoch and is stored under the next would outlive its end: at this node, which knows when it
	// heard of the mark, or at one that has stopped since, of which the store knows when the mark was made.
	if at := g.void.Load(); at != nil && !started.After(*at) {
		return ErrWentBack
	}
	if at := g.current.Load().Marked; at != 0 && !started.After(time.Unix(0, at)) {
		return ErrWentBack
	}
	return nil
}

// Look compares the store with what this node knows, raises the number if this node changed anything, and exchanges with
// other nodes which passes were issued. A node calls it every [Every], and when it stops.
func (g *Guard) Look(ctx context.Context) error { return g.look(ctx, true) }

func (g *Guard) look(ctx context.Context, raise bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, err := g.compare(ctx)
	if lost(err) { // another node noticed too, or the database answered from the past
		found, err = g.compare(ctx)
	}
	if err != nil || !raise {
		return err
	}
	if err := g.raise(ctx, found); err != nil {
		return err
	}
	return errors.Join(g.collect(ctx, g.current.Load().Number), g.record(ctx))
}

// compare reads the store's state and takes it over, or marks a store that went back. The caller holds mu.
func (g *Guard) compare(ctx context.Context) (stored, error) {
	known := *g.current.Load()
	found, err := read(ctx, g.cfg.Store)
	if err != nil {
		return found, err
	}
	switch {
	case wentBack(known, found.State):
		if found.State, err = g.mark(ctx, Rollback{Known: known, Found: found.State}, found); err != nil {
			return found, err
		}
		found.version++
	case known.Epoch != found.Epoch:
		g.cfg.Logger.Error("an older copy of the store was put back, as another node or a command says: whatever was begun before is void")
		g.heard()
	}
	return found, g.adopt(found.State)
}

// raise raises the number, if this node changed anything. The caller holds mu.
func (g *Guard) raise(ctx context.Context, found stored) error {
	due := g.unsaid.Load()
	if due == 0 && len(g.issuings.toTell()) == 0 {
		return nil
	}
	next := State{Number: found.Number + 1, Epoch: found.Epoch, Marked: found.Marked}
	told, err := g.publish(ctx, next.Number)
	if err != nil {
		return err
	}
	if err := write(ctx, g.cfg.Store, found, next); lost(err) {
		return nil // another node raised it; the next look does
	} else if err != nil {
		return err
	}
	g.issuings.told(told)
	g.unsaid.CompareAndSwap(due, max(due-1, 0))
	return g.adopt(next)
}
