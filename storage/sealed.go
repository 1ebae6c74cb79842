package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Sealed is a Store that encrypts the data of every record before a backend sees it. The seal covers all that the backend
// knows of the record: kind, id, group, version and end of life. So nobody who can write to the backend can move data to
// another record, make an old version look like a later one, or let a record live on. What the seal cannot show is that
// a whole record was put back as it was: see package bolt for that.
type Sealed struct {
	backend Store
	keys    *Keyring
	epochs  Epochs // nil for none
}

// NewSealed returns a Store that encrypts the data of records and passes them on to backend.
func NewSealed(backend Store, keys *Keyring) (*Sealed, error) {
	if backend == nil || keys == nil {
		return nil, errors.New("sealed store: backend and keyring are required")
	}
	return &Sealed{backend: backend, keys: keys}, nil
}

// place encodes what the seal of a record covers beside its data. Each part has its length in front of it, so that no two
// records have the same place.
func place(r Record) string {
	const usual = 128 // octets of nearly every place, which then needs no memory of its own until it is a string
	b := make([]byte, 0, usual)
	for _, part := range [...]string{string(r.Kind), r.ID, r.Group} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version)) //nolint:gosec // any bits will do
	if !r.ExpiresAt.IsZero() {                              // which has no time in nanoseconds
		b = binary.BigEndian.AppendUint64(b, uint64(r.ExpiresAt.UnixNano())) //nolint:gosec // any bits will do
	}
	return string(b)
}

// sealed returns the record with its data sealed for the version that it is about to have.
func (s *Sealed) sealed(r Record, version int64) Record {
	next := r
	next.Version = version
	r.Data = s.keys.Seal(s.dated(r.Data), place(next))
	return r
}

func (s *Sealed) Create(ctx context.Context, r Record) error {
	return s.backend.Create(ctx, s.sealed(r, 1))
}

func (s *Sealed) Get(ctx context.Context, kind Kind, id string) (Record, error) {
	r, err := s.backend.Get(ctx, kind, id)
	return s.unseal(r, err)
}

func (s *Sealed) Update(ctx context.Context, r Record) error {
	return s.backend.Update(ctx, s.sealed(r, r.Version+1))
}

func (s *Sealed) Consume(ctx context.Context, kind Kind, id string) (Record, error) {
	s.changes()
	r, err := s.backend.Consume(ctx, kind, id)
	return s.unseal(r, err)
}

func (s *Sealed) Delete(ctx context.Context, kind Kind, id string) error {
	s.changes()
	return s.backend.Delete(ctx, kind, id)
}

func (s *Sealed) List(ctx context.Context, kind Kind, group, after string, limit int) ([]Record, error) {
	var valid []Record
	for len(valid) < limit { // fewer than limit are the end of the group to who asks
		wanted := limit - len(valid)
		records, err := s.backend.List(ctx, kind, group, after, wanted)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			after = r.ID
			r, err := s.unseal(r, nil)
			switch {
			case err == nil:
				valid = append(valid, r)
			case !errors.Is(err, errVoid):
				return nil, err
			}
		}
		if len(records) < wanted {
			break
		}
	}
	return valid, nil
}

// Increment implements Store. Counters are not encrypted: a count is no secret, and its key is a digest. A backend that
// others can write to authenticates them itself.
func (s *Sealed) Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error) {
	return s.backend.Increment(ctx, kind, id, window)
}

// Commit implements Store.
func (s *Sealed) Commit(ctx context.Context, changes []Change) ([]Result, error) {
	sealed := slices.Clone(changes)
	for i, c := range changes {
		switch c.Operation {
		case OpCreate:
			sealed[i].Record = s.sealed(c.Record, 1)
		case OpUpdate:
			sealed[i].Record = s.sealed(c.Record, c.Record.Version+1)
		case OpConsume, OpDelete, OpIncrement:
		}
	}
	results, err := s.backend.Commit(ctx, sealed)
	if err != nil {
		return nil, err
	}
	for i, c := range changes {
		if c.Operation == OpConsume {
			if results[i].Record, err = s.unseal(results[i].Record, nil); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// Close implements Store.
func (s *Sealed) Close() error { return s.backend.Close() }

func (s *Sealed) unseal(r Record, err error) (Record, error) {
	if err != nil {
		return Record{}, err
	}
	if r.Data, err = s.keys.Open(r.Data, place(r)); err != nil {
		return Record{}, fmt.Errorf("read %s: %w", r.Kind, err)
	}
	if r.Data, err = s.undated(r.Kind, r.Data); err != nil {
		return Record{}, err
	}
	return r, nil
}
