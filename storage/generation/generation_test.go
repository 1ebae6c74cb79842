package generation_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"regain/recovery"
	"regain/storage"
	"regain/storage/generation"
	"regain/storage/memory"
)

// copied is a backend that can be put back to an older copy of itself. It keeps every record that was ever written.
type copied struct {
	storage.Store
	records map[[2]string]storage.Record
}

func (c *copied) note(r storage.Record, version int64, err error) error {
	if err == nil {
		r.Version = version
		r.Data = bytes.Clone(r.Data)
		c.records[[2]string{string(r.Kind), r.ID}] = r
	}
	return err
}

func (c *copied) Create(ctx context.Context, r storage.Record) error {
	return c.note(r, 1, c.Store.Create(ctx, r))
}

func (c *copied) Update(ctx context.Context, r storage.Record) error {
	return c.note(r, r.Version+1, c.Store.Update(ctx, r))
}

// bench is a database, the nodes over it, and a clock.
type bench struct {
	*testing.T
	ring    *storage.Keyring
	backend *copied
	now     time.Time
}

func setUp(t *testing.T) *bench {
	t.Helper()
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, ring: ring, now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	b.putBack(nil)
	return b
}

func (b *bench) clock() time.Time { return b.now }

func (b *bench) copy() map[[2]string]storage.Record {
	all := make(map[[2]string]storage.Record)
	for k, r := range b.backend.records {
		all[k] = r
	}
	return all
}

// putBack makes the database what it was. Versions are part of that, and of the seal.
func (b *bench) putBack(all map[[2]string]storage.Record) {
	b.Helper()
	inner, err := memory.New(b.clock)
	if err != nil {
		b.Fatal(err)
	}
	if b.backend == nil {
		b.backend = &copied{}
	}
	b.backend.Store, b.backend.records = inner, make(map[[2]string]storage.Record)
	for k, r := range all {
		wanted := r.Version
		if err := inner.Create(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		for r.Version = 1; r.Version < wanted; r.Version++ {
			if err := inner.Update(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
		b.backend.records[k] = r
	}
}

func (b *bench) sealed() *storage.Sealed {
	b.Helper()
	s, err := storage.NewSealed(b.backend, b.ring)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// memo is a node's memory outside of the store.
type memo struct {
	state     generation.State
	err, full error
}

func (m *memo) Load() (generation.State, error) { return m.state, m.err }

func (m *memo) Save(s generation.State) error {
	if m.full == nil {
		m.state = s
	}
	return m.full
}

// node is one node: its guard, the store as its requests see it, and what it recorded.
type node struct {
	*generation.Guard
	store storage.Store
	memo  *memo
	found []generation.Rollback
	full  error // of its audit log
}

func (b *bench) start(m *memo) *node {
	b.Helper()
	n := &node{memo: m}
	n.Guard = generation.New(generation.Config{
		Store: b.sealed(), Shared: true, Memory: m, Clock: b.clock, Logger: slog.New(slog.DiscardHandler),
		Record: func(_ context.Context, found generation.Rollback) error {
			if n.full == nil {
				n.found = append(n.found, found)
			}
			return n.full
		},
	})
	n.store = b.sealed().Under(n.Guard)
	if err := n.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	return n
}

func (b *bench) looks(nodes ...*node) {
	b.Helper()
	for _, n := range nodes {
		if err := n.Look(b.Context()); err != nil {
			b.Error(err)
		}
	}
}

func (b *bench) creates(n *node, kind storage.Kind, id string) {
	b.Helper()
	if err := n.store.Create(b.Context(), storage.Record{Kind: kind, ID: id, Group: "group", Data: []byte("x"), ExpiresAt: b.now.Add(time.Hour)}); err != nil {
		b.Error(err)
	}
}

// has holds what nodes see of the kind "thing" to a list of ids.
func (b *bench) has(n *node, ids ...string) {
	b.Helper()
	records, err := n.store.List(b.Context(), "thing", "group", "", 10)
	var listed []string
	for _, r := range records {
		listed = append(listed, r.ID)
	}
	if err != nil || !slices.Equal(listed, ids) {
		b.Errorf("listed %q, %v; want %q", listed, err, ids)
	}
	for _, id := range []string{"old", "new"} {
		if _, err := n.store.Get(b.Context(), "thing", id); (err == nil) != slices.Contains(ids, id) || err != nil && !errors.Is(err, storage.ErrNotFound) {
			b.Errorf("get %s: %v; want %q", id, err, ids)
		}
	}
}

// went checks that a node found the rollback, or that nobody did.
func (b *bench) went(n *node, times int) {
	b.Helper()
	if len(n.found) != times {
		b.Errorf("%d rollbacks were recorded, want %d: %+v", len(n.found), times, n.found)
	}
}

// Nothing went back: nodes start, change things, stop and start again, and everything stays.
func TestNothingWentBack(t *testing.T) {
	b := setUp(t)
	first, second := b.start(&memo{}), b.start(&memo{})
	b.creates(first, "thing", "old")
	b.looks(first, second, first, second)
	b.creates(second, "thing", "older")
	b.looks(second, first)
	again := b.start(first.memo)
	third := b.start(&memo{})
	for _, n := range []*node{first, second, again, third} {
		b.looks(n)
		b.has(n, "old", "older")
		b.went(n, 0)
		if err := n.Check(t.Context(), b.now); err != nil || !n.MarkedAt().IsZero() {
			t.Errorf("checked: %v, marked at %v", err, n.MarkedAt())
		}
	}
	if n := first.memo.state.Number; n <= third.memo.state.Number-2 || n < 2 {
		t.Errorf("the number is %d", n)
	}
}

// An older copy of a store is put back; whoever looks first, before a pass, on its timer or at its start, marks it, once, and
// what was begun before is void everywhere.
func TestAnOlderCopyIsNoticed(t *testing.T) {
	for name, notices := range map[string]func(b *bench, first, second *node) *node{
		"at the node that changed it": func(b *bench, first, _ *node) *node {
			b.looks(first)
			return first
		},
		"at another node": func(b *bench, _, second *node) *node {
			b.looks(second)
			return second
		},
		"before a pass": func(b *bench, _, second *node) *node {
			if err := second.Check(b.Context(), b.now.Add(-time.Second)); !errors.Is(err, generation.ErrWentBack) {
				b.Errorf("checked: %v", err)
			}
			return second
		},
		"after a restart":            func(b *bench, first, _ *node) *node { return b.start(first.memo) },
		"after a restart of another": func(b *bench, _, second *node) *node { return b.start(second.memo) },
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			first, second := b.start(&memo{}), b.start(&memo{})
			b.creates(first, "thing", "old")
			b.creates(first, "jti", "used")
			b.looks(first, second, first, second)
			older := b.copy()
			b.creates(first, "thing", "later")
			b.looks(first, second)
			b.putBack(older)
			b.has(second, "old") // nobody has looked
			noticed := notices(b, first, second)
			b.went(noticed, 1)
			b.has(noticed)
			b.creates(noticed, "thing", "new")
			b.looks(first, second, first, second)
			for _, n := range []*node{first, second, b.start(first.memo), b.start(&memo{})} {
				b.has(n, "new")
				if n != noticed {
					b.went(n, 0)
				}
				if err := n.store.Create(t.Context(), storage.Record{Kind: "jti", ID: "used"}); !errors.Is(err, storage.ErrExists) {
					t.Errorf("what forbids is void too: %v", err)
				}
			}
			if noticed.MarkedAt().IsZero() {
				t.Error("the node does not say that the store went back")
			}
			if err := noticed.Check(t.Context(), b.now.Add(time.Second)); err != nil {
				t.Errorf("what was begun after the mark is refused: %v", err)
			}
		})
	}
}

// A node that is killed right after a change has not raised the number for it. It does so when it has started again, and a copy
// from before the change is noticed, however late it is put back.
func TestANodeThatWasKilled(t *testing.T) {
	b := setUp(t)
	killed, other := b.start(&memo{}), b.start(&memo{})
	b.creates(killed, "thing", "old")
	b.looks(killed, other, killed, other)
	older := b.copy()
	b.creates(killed, "thing", "later")
	again := b.start(killed.memo)
	b.looks(again, other, again, other)
	b.putBack(older)
	b.looks(other)
	b.went(other, 1)
	b.has(other)
}

// Copies that look newer than they are: of another epoch, without the record, empty, filled by a node that knows nothing.
func TestCopiesInDisguise(t *testing.T) {
	state := [2]string{string(storage.KindGeneration), "generation"}
	for name, disguise := range map[string]func(b *bench, older map[[2]string]storage.Record){
		"without the record": func(b *bench, older map[[2]string]storage.Record) {
			delete(older, state)
			b.putBack(older)
		},
		"empty": func(b *bench, _ map[[2]string]storage.Record) { b.putBack(nil) },
		"empty, and raised by a new node beyond what is known": func(b *bench, _ map[[2]string]storage.Record) {
			b.putBack(nil)
			n := b.start(&memo{})
			for range 20 {
				b.creates(n, "other", string(rune('a'+len(b.backend.records))))
				b.looks(n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			n := b.start(&memo{})
			b.creates(n, "thing", "old")
			b.looks(n, n)
			disguise(b, b.copy())
			b.looks(n)
			b.went(n, 1)
			b.has(n)
			again := b.start(n.memo)
			b.went(again, 0)
			b.has(again)
		})
	}
}

// A copy from before a mark is put back after it, and a second one: each is noticed, and has an epoch of its own.
func TestACopyFromBeforeAMark(t *testing.T) {
	b := setUp(t)
	n := b.start(&memo{})
	b.creates(n, "thing", "old")
	b.looks(n, n)
	older := b.copy()
	var seen []storage.Epoch
	for times := 1; times <= 3; times++ {
		b.creates(n, "other", string(rune('a'+times)))
		b.looks(n, n)
		b.putBack(older)
		b.looks(n)
		b.went(n, times)
		b.has(n)
		if slices.Contains(seen, n.Epoch()) {
			t.Error("an epoch comes twice")
		}
		seen = append(seen, n.Epoch())
	}
}

// A node that lost its memory takes the store for older: somebody who puts back a store could have removed it.
func TestAMemoryThatIsGone(t *testing.T) {
	b := setUp(t)
	b.creates(b.start(&memo{}), "thing", "old")
	n := b.start(&memo{err: generation.ErrForgotten})
	b.has(n)
	if b.went(n, 1); !n.found[0].Forgotten {
		t.Errorf("recorded %+v", n.found)
	}
	broken := &memo{err: errors.New("an input/output error")}
	g := generation.New(generation.Config{Store: b.sealed(), Memory: broken, Clock: b.clock, Logger: slog.New(slog.DiscardHandler)})
	if err := g.Open(t.Context()); !errors.Is(err, broken.err) {
		t.Errorf("a memory that cannot be read: %v", err)
	}
}

// A command that puts back a copy marks it: all is void, and no node takes it for somebody's doing.
func TestAMarkOfACommand(t *testing.T) {
	b := setUp(t)
	first, second := b.start(&memo{}), b.start(&memo{})
	b.creates(first, "thing", "old")
	b.looks(first, second, first)
	older := b.copy()
	for range 10 {
		b.creates(first, "other", string(rune('a'+len(b.backend.records))))
		b.looks(first, second)
	}
	b.putBack(older)
	if err := generation.Mark(t.Context(), b.sealed()); err != nil {
		t.Fatal(err)
	}
	if err := second.Check(t.Context(), b.now); !errors.Is(err, generation.ErrWentBack) {
		t.Errorf("checked: %v", err)
	}
	for _, n := range []*node{first, second, b.start(first.memo)} {
		b.looks(n)
		b.went(n, 0)
		b.has(n)
	}
	b.putBack(nil)
	if err := generation.Mark(t.Context(), b.sealed()); err != nil {
		t.Errorf("an empty store: %v", err)
	}
}

// A request was under way at one node when the store went back: what it read before the mark it stores after it. It gives no
// pass at that node, at one that started later, or at that one when it has started again.
func TestARequestUnderWayOutlivesNoMark(t *testing.T) {
	b := setUp(t)
	n := b.start(&memo{})
	began := b.now
	b.creates(n, "thing", "old")
	b.looks(n, n)
	older := b.copy()
	b.creates(n, "thing", "later")
	b.looks(n, n)
	b.putBack(older)
	b.now = b.now.Add(time.Minute)
	read, err := n.store.Get(t.Context(), "thing", "old")
	if err != nil {
		t.Fatal(err)
	}
	b.looks(n)
	b.has(n)
	if err := n.store.Update(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	b.looks(n, n)
	for name, n := range map[string]*node{"the node": n, "a new node": b.start(&memo{}), "the node, started again": b.start(n.memo)} {
		b.has(n, "old") // nobody sees that it is older than the mark
		if err := n.Check(t.Context(), began); !errors.Is(err, generation.ErrWentBack) {
			t.Errorf("%s: checked: %v", name, err)
		}
		if err := n.Check(t.Context(), b.now.Add(time.Second)); err != nil {
			t.Errorf("%s: what was begun after the mark is refused: %v", name, err)
		}
	}
}

// A disk that was full keeps what it was given as soon as it can: what the node knows, and the record of what it found.
func TestADiskThatWasFull(t *testing.T) {
	b := setUp(t)
	n := b.start(&memo{})
	b.creates(n, "thing", "old")
	b.looks(n, n)
	older := b.copy()
	b.creates(n, "thing", "later")
	b.looks(n, n)
	b.putBack(older)
	n.memo.full, n.full = errors.New("no space left on device"), errors.New("no space left on device")
	if err := n.Look(t.Context()); !errors.Is(err, n.memo.full) || !errors.Is(err, n.full) {
		t.Errorf("looked: %v", err)
	}
	b.has(n) // it is void all the same
	b.went(n, 0)
	n.memo.full, n.full = nil, nil
	b.looks(n, n)
	b.went(n, 1)
	if n.memo.state.Epoch != n.Epoch() {
		t.Error("what the node knows is not kept")
	}
}

// A database that answers from the past, as a primary does that does not know yet that it is none, takes no write: nothing is
// marked, and nothing is granted.
func TestAnAnswerFromThePast(t *testing.T) {
	b := setUp(t)
	n := b.start(&memo{})
	b.creates(n, "thing", "old")
	b.looks(n, n)
	older := b.copy()
	b.creates(n, "thing", "older")
	b.looks(n, n)
	b.backend.Store = &past{Store: b.backend.Store, record: older[[2]string{string(storage.KindGeneration), "generation"}]}
	if err := n.Check(t.Context(), b.now); err == nil || errors.Is(err, generation.ErrWentBack) {
		t.Errorf("checked: %v", err)
	}
	b.went(n, 0)
	b.has(n, "old", "older")
}

// past answers with an older record of the generation.
type past struct {
	storage.Store
	record storage.Record
}

func (p *past) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if kind == storage.KindGeneration {
		return p.record, nil
	}
	return p.Store.Get(ctx, kind, id)
}

// What one node issues, the others know after both have looked, also those that start later, and for as long as it matters.
func TestNodesTellOfIssuings(t *testing.T) {
	b := setUp(t)
	first, second := b.start(&memo{}), b.start(&memo{})
	knows := func(n *node, id recovery.TransactionID, want bool) {
		t.Helper()
		if n.IssuedElsewhere(id) != want {
			t.Errorf("%s is known: %v, want %v", id, !want, want)
		}
	}
	first.Issuing("one")
	knows(second, "one", false)
	b.looks(first, second)
	knows(second, "one", true)
	knows(second, "two", false)
	for range 3 { // both at once: one loses the number, and tells later
		first.Issuing("two")
		second.Issuing("three")
		b.looks(second, first, second, first)
	}
	for _, n := range []*node{first, second, b.start(&memo{})} {
		b.looks(n)
		for _, id := range []recovery.TransactionID{"one", "two", "three"} {
			knows(n, id, true)
		}
	}
	b.now = b.now.Add(2*recovery.MaxLifetime + time.Minute)
	first.Issuing("four")
	b.looks(first, second)
	knows(second, "one", false)
	knows(second, "four", true)
}

// More passes than one record names are told by and by.
func TestManyIssuings(t *testing.T) {
	b := setUp(t)
	first, second := b.start(&memo{}), b.start(&memo{})
	const many = 10_000
	for i := range many {
		first.Issuing(recovery.TransactionID(rune('a' + i)))
	}
	for range 4 {
		b.looks(first, second)
	}
	for i := range many {
		if !second.IssuedElsewhere(recovery.TransactionID(rune('a' + i))) {
			t.Fatalf("%d is not known", i)
		}
	}
}

// A store that is away is an outage, and no rollback.
func TestAStoreThatIsAway(t *testing.T) {
	b := setUp(t)
	n := b.start(&memo{})
	b.backend.Store = away{b.backend.Store}
	if err := n.Check(t.Context(), b.now); !errors.Is(err, errAway) || errors.Is(err, generation.ErrWentBack) {
		t.Errorf("checked: %v", err)
	}
	if err := n.Look(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("looked: %v", err)
	}
	if err := generation.Mark(t.Context(), b.sealed()); !errors.Is(err, errAway) {
		t.Errorf("marked: %v", err)
	}
	b.went(n, 0)
}

var errAway = errors.New("connection refused")

type away struct{ storage.Store }

func (away) Get(context.Context, storage.Kind, string) (storage.Record, error) {
	return storage.Record{}, errAway
}
