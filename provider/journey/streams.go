package journey

import (
	"sync"
	"time"

	"regain/internal/peer"
	"regain/recovery"
)

// maxStreams is how many live pages one transaction has on one node: a person's tabs, and no flood of connections that
// each read the store at every change.
const maxStreams = 8

// Limits bound the live pages of one node, which each hold a connection.
type Limits struct {
	Total      int
	PerNetwork int // of an IPv4 address or an IPv6 /64; peer.Shares says how many an IPv6 /48 has
}

// DefaultLimits are for one node of a middling organisation.
func DefaultLimits() Limits { return Limits{Total: 1024, PerNetwork: 64} }

// streams counts the live pages.
type streams struct {
	limits Limits
	ended  chan struct{} // closed when the node stops
	end    func()
	open   sync.WaitGroup // live pages

	mu           sync.Mutex
	total        int
	transactions map[recovery.TransactionID]int
	networks     *peer.Shares
}

func newStreams(limits Limits) *streams {
	if limits == (Limits{}) {
		limits = DefaultLimits()
	}
	ended := make(chan struct{})
	return &streams{
		limits: limits, ended: ended, end: sync.OnceFunc(func() { close(ended) }),
		transactions: make(map[recovery.TransactionID]int), networks: peer.NewShares(limits.Total, limits.PerNetwork),
	}
}

// enter takes a place, and returns false when there is none.
func (s *streams) enter(id recovery.TransactionID, network string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.networks.Add(network)
	if s.transactions[id] >= maxStreams || s.networks.Exceeded(network) || s.total >= s.limits.Total {
		s.networks.Remove(network)
		return nil, false
	}
	s.total++
	s.open.Add(1)
	s.transactions[id]++
	return func() { s.leave(id, network) }, true
}

func (s *streams) leave(id recovery.TransactionID, network string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.transactions[id]--; s.transactions[id] == 0 {
		delete(s.transactions, id)
	}
	s.networks.Remove(network)
	s.open.Done()
}

// EndLivePages ends every live page, and those that are opened later: a server that stops waits for its requests. The
// browser connects again by itself, to the next server.
func (p *Pages) EndLivePages() { p.streams.end() }

// closeWithin is how long Close waits: for a look at the store, and no longer for browsers that do not read.
const closeWithin = 5 * time.Second

// Close ends the live pages and waits until they are over, for a bounded time: those that took their connections over are
// nobody's requests, and may be reading what is about to be closed, or writing that a recovery has expired. No request may
// be in progress.
func (p *Pages) Close() error {
	p.streams.end()
	over := make(chan struct{})
	go func() {
		p.streams.open.Wait()
		close(over)
	}()
	timer := time.NewTimer(closeWithin)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
		p.deps.Web.Logger().Warn("live pages that did not end in time are left behind", "after", closeWithin)
	}
	return nil
}
