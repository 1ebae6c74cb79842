package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regain/recovery"
)

const kindTransaction = Kind("transaction")

// keepAfterEnd is how long a transaction is kept after it expired, so that its page can still show the outcome.
const keepAfterEnd = 15 * time.Minute

// Transactions stores recovery transactions in a Store, and tells who waits for one that it was changed. It implements
// recovery.Transactions. A node has one: what another one changes, this one hears of from a shared store alone.
type Transactions struct {
	store   Store
	changes changes
}

// NewTransactions returns the repository over a store that no other process writes to.
func NewTransactions(store Store) *Transactions { return NewSharedTransactions(store, nil) }

// NewSharedTransactions returns the repository over a store. shared is the backend below it if other nodes write to that,
// or nil.
func NewSharedTransactions(store Store, shared Shared) *Transactions {
	return &Transactions{store: store, changes: changes{kind: kindTransaction, shared: shared}}
}

// Watch returns a channel that receives after the transaction was changed, by this node or within a second by another,
// and a function that ends this. What it receives is the newest version that is known, or 0 if that is not: whoever has
// read it need not read again. version is one that the caller has read; what is newer than that when Watch returns is not
// told, so the caller reads the transaction after it.
func (r *Transactions) Watch(id recovery.TransactionID, version int64) (changed <-chan int64, stop func()) {
	return r.changes.watch(string(id), version)
}

func (r *Transactions) Create(ctx context.Context, t recovery.Transaction) error {
	return writeTransaction(ctx, r.store.Create, t)
}

func (r *Transactions) Get(ctx context.Context, id recovery.TransactionID) (recovery.Transaction, error) {
	record, err := r.store.Get(ctx, kindTransaction, string(id))
	if err != nil {
		return recovery.Transaction{}, err
	}
	var t recovery.Transaction
	if err := Decode(record.Data, &t); err != nil {
		return recovery.Transaction{}, fmt.Errorf("read transaction: %w", err)
	}
	t.Version = record.Version
	return t, nil
}

func (r *Transactions) Update(ctx context.Context, t recovery.Transaction) (int64, error) {
	if err := writeTransaction(ctx, r.store.Update, t); err != nil {
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound) {
			r.changes.changed(string(t.ID), 0) // the answer may be lost and not the change
		}
		return 0, err
	}
	r.changes.changed(string(t.ID), t.Version+1)
	return t.Version + 1, nil
}

// writeTransaction stores a transaction with a method of the store.
func writeTransaction(ctx context.Context, write func(context.Context, Record) error, t recovery.Transaction) error {
	data, err := Encode(t)
	if err == nil {
		err = write(ctx, Record{Kind: kindTransaction, ID: string(t.ID), Version: t.Version, Data: data, ExpiresAt: t.ExpiresAt.Add(keepAfterEnd)})
	}
	return err
}
