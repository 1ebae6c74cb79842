package node

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"regain/provider"
	"regain/storage"
)

// How long a node waits before it tries its store again: twice as long each time, and less by chance, so that the nodes of a
// site do not come back all at once.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// start wires the node, again and again while its store is away, until ctx ends or a listener fails. It calls waits once it
// begins to wait.
func (n *Node) start(ctx context.Context, deps Deps, failed <-chan error, waits func()) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) { //nolint:mnd // twice
		err := n.wireUntil(ctx, deps, failed)
		if !errors.Is(err, storage.ErrUnavailable) && !errors.Is(err, storage.ErrUncertain) {
			return err
		}
		waits()
		wait := pause/2 + mathrand.N(pause/2) //nolint:gosec,mnd // only keeps nodes apart
		deps.Logger.Error("the store is away; the node is not ready, and tries again", "cause", err, "in", wait.Round(time.Millisecond))
		select {
		case err := <-failed:
			return fmt.Errorf("serve: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// wireUntil wires the node, and returns before that when ctx ends or a listener fails: a database or a disk that does not answer
// must not keep the process from stopping. What was opened meanwhile is closed when it is.
func (n *Node) wireUntil(ctx context.Context, deps Deps, failed <-chan error) (err error) {
	wired := make(chan error, 1)
	go func() { wired <- n.wire(deps) }()
	select {
	case err := <-wired:
		return err
	case <-ctx.Done():
		err = ctx.Err()
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	}
	go func() {
		if <-wired == nil {
			_ = n.Close()
		}
	}()
	return err
}

// patience is how long a request waits for a node that is being wired for the first time: nearly always that takes less than
// to come again.
const patience = 2 * time.Second

// front is what listens: the node once it is wired, and before that what says so.
type front struct {
	node     *Node
	starting http.Handler
	ready    atomic.Bool
	tried    chan struct{} // closed when the node is wired, or waits for its store
	told     func()        // closes it
}

func newFront(n *Node, deps Deps) (*front, error) {
	starting, err := provider.Starting(faceConfig(n.cfg), provider.Deps{Logger: deps.Logger, Clock: deps.Clock, Random: deps.Random})
	tried := make(chan struct{})
	return &front{node: n, starting: starting, tried: tried, told: sync.OnceFunc(func() { close(tried) })}, err
}

// open has the node answer.
func (f *front) open() {
	f.ready.Store(true)
	f.told()
}

// ServeHTTP implements http.Handler. A node that is about to stop ends each connection with its next answer (RFC 9112 §9.6),
// while it still answers: a balancer that finds a connection closed under its request cannot know what became of that.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.node.leaving.Load() {
		w.Header().Set("Connection", "close")
	}
	if !f.ready.Load() && !strings.HasSuffix(r.URL.Path, "/livez") {
		select {
		case <-f.tried:
		case <-r.Context().Done():
		case <-time.After(patience):
		}
	}
	if f.ready.Load() {
		f.node.ServeHTTP(w, r)
		return
	}
	f.starting.ServeHTTP(w, r)
}
