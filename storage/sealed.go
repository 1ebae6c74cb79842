package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Sealed is a Store that encrypts the data of every record before a backend sees it, bound to the record's kind and id.
type Sealed struct {
	backend Store
	keys    *Keyring
}

// NewSealed returns a Store that encrypts the data of records and passes them on to backend.
func NewSealed(backend Store, keys *Keyring) (*Sealed, error) {
	if backend == nil || keys == nil {
		return nil, errors.New("sealed store: backend and keyring are required")
	}
	return &Sealed{backend: backend, keys: keys}, nil
}

func place(kind Kind, id string) string { return string(kind) + "\x00" + id }

func (s *Sealed) Create(ctx context.Context, r Record) error {
	r.Data = s.keys.seal(r.Data, place(r.Kind, r.ID))
	return s.backend.Create(ctx, r)
}

func (s *Sealed) Get(ctx context.Context, kind Kind, id string) (Record, error) {
	r, err := s.backend.Get(ctx, kind, id)
	return s.unseal(r, err)
}

func (s *Sealed) Update(ctx context.Context, r Record) error {
	r.Data = s.keys.seal(r.Data, place(r.Kind, r.ID))
	return s.backend.Update(ctx, r)
}

func (s *Sealed) Consume(ctx context.Context, kind Kind, id string) (Record, error) {
	r, err := s.backend.Consume(ctx, kind, id)
	return s.unseal(r, err)
}

func (s *Sealed) Delete(ctx context.Context, kind Kind, id string) error {
	return s.backend.Delete(ctx, kind, id)
}

func (s *Sealed) List(ctx context.Context, kind Kind, group, after string, limit int) ([]Record, error) {
	records, err := s.backend.List(ctx, kind, group, after, limit)
	if err != nil {
		return nil, err
	}
	for i := range records {
		if records[i], err = s.unseal(records[i], nil); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// Increment implements Store. Counters are not encrypted: a count is no secret, and its key is a digest.
func (s *Sealed) Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error) {
	return s.backend.Increment(ctx, kind, id, window)
}

// Close implements Store.
func (s *Sealed) Close() error { return s.backend.Close() }

func (s *Sealed) unseal(r Record, err error) (Record, error) {
	if err != nil {
		return Record{}, err
	}
	if r.Data, err = s.keys.open(r.Data, place(r.Kind, r.ID)); err != nil {
		return Record{}, fmt.Errorf("read %s: %w", r.Kind, err)
	}
	return r, nil
}
