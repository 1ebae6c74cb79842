// Package generation notices a store that was put back to an older copy of itself, and ends what was good in that copy: a
// transaction whose pass left, a code that was redeemed, a pass that was used, a session that was signed out.
//
// The store has one record, the [State]: a number that only grows, and a random epoch. Every node raises the number within
// [Every] of a change that it made, and keeps the highest number that it has seen outside of the store ([Memory]). A
// lower one than that means that the store went back. Whoever notices writes a mark: a new epoch, and a number that is
// higher by far than any that a node has seen. storage.Sealed writes each record in the current epoch and takes those of
// every other for void, so the one thing that has to be known everywhere is the epoch; nodes read it each time they look at
// the number, and before each pass.
//
//	Guard  what a node knows, and does on its timer and before a pass
//	Mark   what a command does that puts back a copy on purpose
//
// Nodes that share a store tell each other through it which transactions have their pass too, so that a single record that
// was put back is noticed at every node and not only at the one whose audit log has the pass.
//
// What is not noticed: a copy that is younger than the last raise, and one that is put back while nobody is left who knows a
// higher number (every node is new, or its own memory was put back with the store).
package generation

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"regain/storage"
)

// State is what the store says of itself.
type State struct {
	Number uint64
	Epoch  storage.Epoch
	// Marked is when a node began this epoch with a mark, in nanoseconds since 1970; 0 where none did. It is in the store, for
	// nodes that start later, and in no Memory.
	Marked int64
}

// jump is by how much a mark raises the number: by more than nodes raise it in the life of a store, so that a number of one
// epoch is never taken for one of another.
const jump = uint64(1) << 40

const recordID = "generation"

// size is that of an encoded State: eight octets of the number, the epoch, and eight octets of the time.
const size = 8 + len(storage.Epoch{}) + 8

func (s State) encode() []byte {
	data := append(binary.BigEndian.AppendUint64(make([]byte, 0, size), s.Number), s.Epoch[:]...)
	return binary.BigEndian.AppendUint64(data, uint64(s.Marked)) //nolint:gosec // any bits will do
}

func decode(data []byte) (s State, err error) {
	if len(data) != size {
		return s, fmt.Errorf("the store's generation has %d octets, want %d", len(data), size)
	}
	s.Number = binary.BigEndian.Uint64(data)
	rest := data[8:]
	rest = rest[copy(s.Epoch[:], rest):]
	s.Marked = int64(binary.BigEndian.Uint64(rest)) //nolint:gosec // as it was written
	return s, nil
}

// stored is a State with the version of its record; of none, version 0.
type stored struct {
	State
	version int64
}

func read(ctx context.Context, store storage.Store) (s stored, err error) {
	r, err := store.Get(ctx, storage.KindGeneration, recordID)
	if errors.Is(err, storage.ErrNotFound) {
		return s, nil
	}
	if err == nil {
		s.State, err = decode(r.Data)
		s.version = r.Version
	}
	if err != nil {
		return s, fmt.Errorf("read the store's generation: %w", err)
	}
	return s, nil
}

// write replaces what was read, or returns ErrConflict or ErrExists if that is not there any more. So what was read is
// confirmed too: a database that answers from the past takes no writes.
func write(ctx context.Context, store storage.Store, old stored, next State) error {
	r := storage.Record{Kind: storage.KindGeneration, ID: recordID, Version: old.version, Data: next.encode()}
	var err error
	if old.version == 0 {
		err = store.Create(ctx, r)
	} else {
		err = store.Update(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("write the store's generation: %w", err)
	}
	return nil
}

// lost reports whether a write lost against another one.
func lost(err error) bool {
	return errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrNotFound)
}

// marked is the state after a mark, which is later than all of those.
func marked(all ...State) (State, error) {
	var next State
	for _, s := range all {
		next.Number, next.Marked = max(next.Number, s.Number), max(next.Marked, s.Marked)
	}
	if next.Number > math.MaxUint64-jump {
		return next, errors.New("the store's generation cannot be raised any more")
	}
	next.Number += jump
	_, err := rand.Read(next.Epoch[:])
	return next, err
}

// Mark makes everything void that was in progress in a store, for a command that puts back a copy or fills a store from an
// export: nobody can go on with a recovery, redeem a code, or use a session or a pass that is in it. store is the sealed one,
// without epochs. Nodes that run notice within [Every].
func Mark(ctx context.Context, store storage.Store) error {
	const tries = 8
	var err error
	for range tries {
		var old stored
		if old, err = read(ctx, store); err != nil {
			return err
		}
		var next State
		if next, err = marked(old.State); err != nil {
			return err
		}
		if err = write(ctx, store, old, next); !lost(err) {
			return err
		}
	}
	return err
}
