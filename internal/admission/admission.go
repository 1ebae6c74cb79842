// Package admission bounds how much costly work is done at a time for strangers, such as the verification of what a
// wallet presents: as much as there are processors, a bounded number that wait, and everybody else is told at once to
// come again. Without it a few messages hold every processor, and each one more makes all of them slower.
//
// Two rules keep one stranger from being everybody: work that belongs together, such as all answers in one recovery, is
// done one at a time; and one network has at most a quarter of the places to wait, an IPv6 site one half (peer.Shares).
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"regain/internal/peer"
)

// ErrBusy means that too much work waits. A retry after a few seconds may succeed.
var ErrBusy = errors.New("too much work is waiting")

// Shares of the places to wait.
const (
	networkShare = 4  // one network has a quarter
	perTask      = 16 // and of one task this many wait: somebody may try several wallets at once
)

// Config bounds the work; all fields are required.
type Config struct {
	Running  int           // at a time
	Waiting  int           // for a place, and likewise for something outside
	Patience time.Duration // how long one waits for a place
}

// Visitor is whose work it is.
type Visitor struct {
	Task    string // work of one task is done one at a time
	Network string // the peer's network, as peer.Network writes it; the unknown ones are one
}

// Queue admits visitors in the order in which they come.
type Queue struct {
	cfg Config

	mu       sync.Mutex
	running  int
	outside  int
	busy     map[string]bool // tasks that have a place, or wait outside
	waiting  []*waiter
	networks *peer.Shares // of those who wait
}

// waiter is a visitor who waits for a place.
type waiter struct {
	Visitor
	returns bool          // from outside: its task is its own already
	admit   chan struct{} // closed when the place is theirs
}

// New returns an empty queue.
func New(cfg Config) (*Queue, error) {
	if cfg.Running <= 0 || cfg.Waiting < networkShare || cfg.Patience <= 0 {
		return nil, errors.New("admission: Running, Patience and four places to wait are required")
	}
	return &Queue{cfg: cfg, busy: make(map[string]bool), networks: peer.NewShares(cfg.Waiting, cfg.Waiting/networkShare)}, nil
}

// place is what the context of an admitted visitor carries.
type place struct {
	queue *Queue
	who   Visitor
	held  bool // guarded by queue.mu; false while outside, and for good if the way back failed
}

type contextKey struct{}

// Enter waits for a place. The work is done under the returned context, and leave gives the place back. It returns
// ErrBusy at once if too many wait, and after Config.Patience.
func (q *Queue) Enter(ctx context.Context, who Visitor) (inside context.Context, leave func(), err error) {
	patience, cancel := context.WithTimeoutCause(ctx, q.cfg.Patience, ErrBusy)
	defer cancel()
	if err := q.wait(patience, who, false); err != nil {
		return nil, nil, err
	}
	p := &place{queue: q, who: who, held: true}
	return context.WithValue(ctx, contextKey{}, p), sync.OnceFunc(p.leave), nil
}

// Outside runs something that waits for others, such as a request to another server, without the place: a slow server
// of a stranger must not hold a processor that has nothing to do. Where ctx has no place it just runs it. If ctx ends
// on the way back, the place is lost, which the end of ctx tells the caller as well.
func Outside(ctx context.Context, wait func()) {
	p, ok := ctx.Value(contextKey{}).(*place)
	if !ok || !p.step(false) {
		wait()
		return
	}
	defer p.queue.back(ctx, p)
	wait()
}

// step goes outside, or marks that the visitor is back, and reports whether anything changed.
func (p *place) step(held bool) bool {
	q := p.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.held == held || !held && q.outside >= q.cfg.Waiting { // then it waits at its place
		return false
	}
	p.held = held
	if held {
		q.outside--
	} else {
		q.outside++
		q.running--
		q.admit()
	}
	return true
}

// back waits for a place again, before everybody who has none yet.
func (q *Queue) back(ctx context.Context, p *place) {
	if err := q.wait(ctx, p.who, true); err == nil {
		p.step(true)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.outside--
}

func (p *place) leave() {
	q := p.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, p.who.Task)
	if p.held {
		q.running--
	}
	q.admit()
}

// wait takes a place, or waits for one until ctx ends.
func (q *Queue) wait(ctx context.Context, who Visitor, returns bool) error {
	w := &waiter{Visitor: who, returns: returns, admit: make(chan struct{})}
	if err := q.join(w); err != nil {
		return err
	}
	select {
	case <-w.admit:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.remove(i)
		return context.Cause(ctx)
	}
	return nil // it was admitted at the same time
}

// join puts a visitor into the queue, if there is room.
func (q *Queue) join(w *waiter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.returns {
		q.waiting = slices.Insert(q.waiting, 0, w)
	} else {
		q.waiting = append(q.waiting, w)
	}
	q.networks.Add(w.Network)
	q.admit()
	i := slices.Index(q.waiting, w)
	if i < 0 || w.returns || len(q.waiting) <= q.cfg.Waiting && !q.networks.Exceeded(w.Network) && q.ofTask(w.Task) <= perTask {
		return nil
	}
	q.remove(i)
	return ErrBusy
}

func (q *Queue) ofTask(task string) (n int) {
	for _, w := range q.waiting {
		if w.Task == task {
			n++
		}
	}
	return n
}

// admit gives the free places to those who wait, in their order, but for those whose task is being done.
func (q *Queue) admit() {
	for i := 0; i < len(q.waiting) && q.running < q.cfg.Running; {
		w := q.waiting[i]
		if q.busy[w.Task] && !w.returns {
			i++
			continue
		}
		q.remove(i)
		q.running++
		q.busy[w.Task] = true
		close(w.admit)
	}
}

func (q *Queue) remove(i int) {
	w := q.waiting[i]
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.networks.Remove(w.Network)
}
