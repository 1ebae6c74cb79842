package storage

import (
	"context"
	"slices"
	"sync"
	"time"
)

// How often a node asks a shared store for the changes of other nodes, so that a person hears of them within a second; and
// how long one answer may take.
const (
	pollEvery  = 500 * time.Millisecond
	pollWithin = 5 * time.Second
)

// changes tells whoever waits for a record that it was changed. What this node changes is told at once and without asking
// the store. What other nodes change is found by one poll for all that wait, which rests while nobody does.
type changes struct {
	kind   Kind
	shared Shared // nil if no other process writes to the store

	mu      sync.Mutex
	records map[string]*awaited
	rest    context.CancelFunc // ends the poll
}

// awaited is a record that somebody waits for.
type awaited struct {
	known   int64 // the version that everybody who waits knows of
	waiting []chan int64
}

// watch returns a channel that receives after the record was changed, and a function that ends this. What it receives is the
// newest version that is known, or 0 if that is not: whoever has read it need not read again. version is one that the caller
// has read; what is newer than that when watch returns is not told, so the caller reads the record after it.
func (c *changes) watch(id string, version int64) (changed <-chan int64, stop func()) {
	news := make(chan int64, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.records[id]
	if r == nil {
		r = &awaited{known: version}
		if c.records == nil {
			c.records = make(map[string]*awaited)
		}
		c.records[id] = r
	}
	r.waiting = append(r.waiting, news)
	if c.shared != nil && c.rest == nil {
		ctx, cancel := context.WithCancel(context.Background())
		c.rest = cancel
		go c.poll(ctx)
	}
	return news, sync.OnceFunc(func() { c.leave(id, news) })
}

func (c *changes) leave(id string, news chan int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.records[id]
	r.waiting = slices.DeleteFunc(r.waiting, func(other chan int64) bool { return other == news })
	if len(r.waiting) > 0 {
		return
	}
	delete(c.records, id)
	if len(c.records) == 0 && c.rest != nil {
		c.rest()
		c.rest = nil
	}
}

// changed tells of a change that this node made: the version that it made, or 0 if it may have made one.
func (c *changes) changed(id string, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.records[id]; r != nil {
		r.tell(version)
	}
}

// tell puts the version in the place of an earlier one that nobody has taken. Nobody else sends, so there is room then.
func (r *awaited) tell(version int64) {
	r.known = max(r.known, version)
	for _, news := range r.waiting {
		select {
		case <-news:
		default:
		}
		news <- version
	}
}

// poll asks the store until ctx ends.
func (c *changes) poll(ctx context.Context) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for ids := range slices.Chunk(c.awaited(), MaxVersions) {
			if err := c.ask(ctx, ids); err != nil {
				break // nothing is missed: the next round compares with the same versions
			}
		}
	}
}

func (c *changes) awaited() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]string, 0, len(c.records))
	for id := range c.records {
		ids = append(ids, id)
	}
	return ids
}

// ask tells of the records that have another version than those who wait know of, and of those that are gone.
func (c *changes) ask(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	versions, err := c.shared.Versions(ctx, c.kind, ids)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		r := c.records[id]
		// An older version is what the store answered before this node's last change. That of a record that is gone is 0.
		if version, exists := versions[id]; r != nil && (!exists || version > r.known) {
			r.tell(version)
		}
	}
	return nil
}
