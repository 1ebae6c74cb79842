package backup

import (
	"context"
	"iter"

	"regain/storage"
	"regain/storage/generation"
	"regain/storage/memory"
)

// marked is what a store is filled with: what may come back of a copy, and the two records by which everybody knows that the
// store is not the one of then. The generation is a new one, so that nodes take for void whatever was written before, and
// what they wrote themselves; and it says when it was filled, so that nothing that may have been used once before is
// accepted a second time.
func (c Command) marked(ctx context.Context, entries iter.Seq2[storage.Entry, error], left map[storage.Kind]int) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		var before *storage.Record // the generation of the copy
		for e, err := range entries {
			switch {
			case err != nil || e.Counter: // a count is never lower than none
			case e.Kind == storage.KindGeneration:
				before = &e.Record
				continue
			case e.Kind == storage.KindRestored:
				continue
			case !e.Kind.Outlives():
				left[e.Kind]++
				continue
			default:
				e.Record, err = c.resealed(e.Record)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		marks, err := c.marks(ctx, before)
		if err != nil {
			yield(storage.Entry{}, err)
			return
		}
		for _, r := range marks {
			if !yield(storage.Entry{Record: r}, nil) {
				return
			}
		}
	}
}

// resealed seals a record anew. One that this configuration's keys do not open could never be read.
func (c Command) resealed(r storage.Record) (storage.Record, error) {
	opened, err := c.Keys.OpenRecord(r)
	if err != nil {
		return r, err
	}
	return c.Keys.SealRecord(opened), nil
}

// marks makes the records that a store which is filled gets, in a store of their own.
func (c Command) marks(ctx context.Context, before *storage.Record) (made []storage.Record, err error) {
	backend, err := memory.New(c.Clock)
	if err != nil {
		return nil, err
	}
	sealed, err := storage.NewSealed(backend, c.Keys)
	if err != nil {
		return nil, err
	}
	if before != nil {
		opened, err := c.Keys.OpenRecord(*before)
		if err != nil {
			return nil, err
		}
		opened.Version = 1
		if err := backend.Create(ctx, c.Keys.SealRecord(opened)); err != nil {
			return nil, err
		}
	}
	if err := generation.Mark(ctx, sealed); err != nil {
		return nil, err
	}
	if err := sealed.Create(ctx, generation.Restored(c.Clock())); err != nil {
		return nil, err
	}
	for kind, id := range generation.Marks() {
		r, err := backend.Get(ctx, kind, id)
		if err != nil {
			return nil, err
		}
		made = append(made, r)
	}
	return made, nil
}
