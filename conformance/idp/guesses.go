package idp

import (
	"sync"
	"time"
)

const (
	maxWrong    = 5
	wrongWindow = 15 * time.Minute
)

// guesses counts wrong passes for each account, in windows that end: no account is locked out for good. Names that are no
// accounts share a fixed number of counters, so that made-up ones fill no memory.
type guesses struct {
	clock  func() time.Time
	mu     sync.Mutex
	counts map[string]count
}

type count struct {
	wrong int
	since time.Time
}

func newGuesses(clock func() time.Time) *guesses {
	return &guesses{clock: clock, counts: make(map[string]count)}
}

// begin counts a try as wrong before it is known, so that many at once are no way round the limit. It reports whether
// the try may be made.
func (g *guesses) begin(account string, exists bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	key, now := counter(account, exists), g.clock()
	c := g.counts[key]
	if now.Sub(c.since) >= wrongWindow {
		c = count{since: now}
	}
	if c.wrong >= maxWrong {
		return false
	}
	c.wrong++
	g.counts[key] = c
	return true
}

// forgive takes a try back that was not wrong.
func (g *guesses) forgive(account string, exists bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := counter(account, exists)
	if c := g.counts[key]; c.wrong > 0 {
		c.wrong--
		g.counts[key] = c
	}
}

func counter(account string, exists bool) string {
	if exists {
		return "account:" + account
	}
	return "nobody:" + digest(account)[:2]
}
