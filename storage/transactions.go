package storage

import (
	"context"
	"fmt"
	"time"

	"regain/recovery"
)

const kindTransaction = Kind("transaction")

// keepAfterEnd is how long a transaction is kept after it expired, so that its page can still show the outcome.
const keepAfterEnd = 15 * time.Minute

// Transactions stores recovery transactions in a Store. It implements recovery.Transactions.
type Transactions struct{ store Store }

// NewTransactions returns the repository over store.
func NewTransactions(store Store) Transactions { return Transactions{store} }

func (r Transactions) Create(ctx context.Context, t recovery.Transaction) error {
	return writeTransaction(ctx, r.store.Create, t)
}

func (r Transactions) Get(ctx context.Context, id recovery.TransactionID) (recovery.Transaction, error) {
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

func (r Transactions) Update(ctx context.Context, t recovery.Transaction) (int64, error) {
	if err := writeTransaction(ctx, r.store.Update, t); err != nil {
		return 0, err
	}
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

const kindAttempts = Kind("attempts")

// Attempts counts recovery attempts in a Store. It implements recovery.Counter.
type Attempts struct{ store Store }

// NewAttempts returns the counters over store.
func NewAttempts(store Store) Attempts { return Attempts{store} }

func (a Attempts) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	return a.store.Increment(ctx, kindAttempts, key, window)
}
