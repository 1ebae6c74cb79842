package balancer

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// spread sends requests to the nodes of a balancer.
type spread struct {
	b    *Balancer
	over http.RoundTripper
}

// RoundTrip sends the request to one node after another until one accepts the connection. The proxy closes the body.
func (s spread) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	for _, u := range s.b.order() {
		try := r.Clone(r.Context())
		if r.Body != nil {
			try.Body = io.NopCloser(r.Body) // a transport that cannot connect closes it, and the next node needs it
		}
		try.URL.Scheme, try.URL.Host = u.base.Scheme, u.base.Host
		if answer, err = s.over.RoundTrip(try); err == nil {
			u.served.Add(1)
			return answer, nil
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		u.healthy.Store(false)
	}
	return nil, err
}

// order returns the nodes in the order in which a request tries them: the healthy ones from one at random on; all where none is
// healthy.
func (b *Balancer) order() []*upstream {
	var healthy []*upstream
	for _, u := range b.nodes {
		if u.healthy.Load() {
			healthy = append(healthy, u)
		}
	}
	if len(healthy) == 0 {
		healthy = slices.Clone(b.nodes)
	}
	first := rand.IntN(len(healthy))
	return slices.Concat(healthy[first:], healthy[:first])
}

// watch probes the nodes until ctx ends.
func (b *Balancer) watch(ctx context.Context, every time.Duration) {
	defer close(b.ended)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		var probes sync.WaitGroup
		for _, u := range b.nodes {
			probes.Go(func() { b.look(ctx, u) })
		}
		probes.Wait()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look probes one node.
func (b *Balancer) look(ctx context.Context, u *upstream) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.base.String()+b.probe, http.NoBody)
	if err != nil {
		u.healthy.Store(false)
		return
	}
	answer, err := b.probing.Do(r)
	if err != nil {
		u.healthy.Store(false)
		return
	}
	u.healthy.Store(answer.StatusCode == http.StatusOK)
	answer.Body.Close() //nolint:errcheck // only its status is read
}
