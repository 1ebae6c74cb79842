package storagetest

import (
	"fmt"
	"testing"
	"time"

	"regain/storage"
)

// OpenNodes opens one empty store by as many nodes as there are clocks; the test closes each.
type OpenNodes func(t *testing.T, clocks ...func() time.Time) []storage.Store

// RunNodes checks the rules of storage.Store for nodes that share one, and whose clocks differ.
func RunNodes(t *testing.T, open OpenNodes) {
	t.Helper()
	const ahead = 30 * time.Second
	for name, check := range map[string]func(*testing.T, []storage.Store, *Clock){
		"one of all nodes wins":          nodesRace,
		"one list of all nodes wins":     nodesCommit,
		"each expires by its own clock":  nodesExpire,
		"a count is that of all nodes":   nodesCount,
		"what one changed all see":       nodesSee,
		"an end is the same on each one": nodesEnd,
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			nodes := open(t, clock.Now, clock.Now, func() time.Time { return clock.Now().Add(ahead) })
			t.Cleanup(func() {
				for _, s := range nodes {
					if err := s.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				}
			})
			check(t, nodes, clock)
		})
	}
}

func nodesRace(t *testing.T, nodes []storage.Store, _ *Clock) {
	of := func(caller int) storage.Store { return nodes[caller%len(nodes)] }
	if won := winners(t, crowd(many, func(caller int) error { return of(caller).Create(t.Context(), record("a", "one")) }), storage.ErrExists); won != 1 {
		t.Errorf("%d creators won", won)
	}
	r := record("a", "two")
	r.Version = 1
	if won := winners(t, crowd(many, func(caller int) error { return of(caller).Update(t.Context(), r) }), storage.ErrConflict); won != 1 {
		t.Errorf("%d updaters won", won)
	}
	consumed := crowd(many, func(caller int) error {
		_, err := of(caller).Consume(t.Context(), kind, "a")
		return err
	})
	if won := winners(t, consumed, storage.ErrNotFound); won != 1 {
		t.Errorf("%d consumers won", won)
	}
}

func nodesCommit(t *testing.T, nodes []storage.Store, _ *Clock) {
	must(t, nodes[0].Create(t.Context(), record("shared", "one")))
	r := record("shared", "two")
	r.Version = 1
	errs := crowd(many, func(caller int) error {
		_, err := nodes[caller%len(nodes)].Commit(t.Context(), []storage.Change{
			storage.Counting(kind, "tried", time.Hour, 0), storage.Creating(record(fmt.Sprint(caller), "own")), storage.Updating(r),
		})
		return err
	})
	if won := winners(t, errs, storage.ErrConflict); won != 1 {
		t.Errorf("%d lists won", won)
	}
	expect(t, nodes[1], "shared", "two", 2)
}

// A node whose clock is ahead shows less, and makes nothing go that others show.
func nodesExpire(t *testing.T, nodes []storage.Store, clock *Clock) {
	r := record("a", "one")
	r.ExpiresAt = clock.Now().Add(20 * time.Second)
	must(t, nodes[0].Create(t.Context(), r))
	_, err := nodes[2].Get(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
	_, err = nodes[2].Consume(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
	expect(t, nodes[1], "a", "one", 1)
	clock.Turn(20 * time.Second)
	_, err = nodes[1].Get(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
}

// A window that a node began ends for all: for one whose clock is ahead as much earlier.
func nodesCount(t *testing.T, nodes []storage.Store, clock *Clock) {
	hit := func(node int, wanted int64) {
		t.Helper()
		n, err := nodes[node].Increment(t.Context(), kind, "a", time.Minute)
		must(t, err)
		if n != wanted {
			t.Errorf("node %d counts %d, want %d", node, n, wanted)
		}
	}
	hit(0, 1)
	hit(1, 2)
	hit(2, 3)
	clock.Turn(29 * time.Second)
	hit(2, 4)
	clock.Turn(time.Second)
	hit(1, 5)
	hit(2, 1)
	hit(0, 2)
}

func nodesSee(t *testing.T, nodes []storage.Store, _ *Clock) {
	r := record("a", "one")
	r.Group = "g"
	must(t, nodes[0].Create(t.Context(), r))
	for i, s := range nodes {
		got := expect(t, s, "a", "one", int64(i+1))
		must(t, s.Update(t.Context(), got))
		list, err := nodes[(i+1)%len(nodes)].List(t.Context(), kind, "g", "", 9)
		must(t, err)
		if len(list) != 1 || list[0].Version != int64(i+2) {
			t.Errorf("another node lists %v", list)
		}
	}
	must(t, nodes[1].Delete(t.Context(), kind, "a"))
	_, err := nodes[0].Get(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
}

func nodesEnd(t *testing.T, nodes []storage.Store, clock *Clock) {
	r := record("a", "one")
	r.ExpiresAt = clock.Now().Add(time.Hour + 123456789) // not of whole milliseconds: the seal covers all of it
	must(t, nodes[0].Create(t.Context(), r))
	for _, s := range nodes {
		if got := expect(t, s, "a", "one", 1); !got.ExpiresAt.Equal(r.ExpiresAt) {
			t.Errorf("it ends %v, want %v", got.ExpiresAt, r.ExpiresAt)
		}
	}
}
