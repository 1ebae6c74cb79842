package generation

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"regain/storage"
)

// restoredID is that of the one record of its kind.
const restoredID = "at"

// Restored is the record that says when a command filled a store from a copy. What was used between the copy and then, and
// would be refused for that, is not known: what may be as old must be refused.
func Restored(at time.Time) storage.Record {
	return storage.Record{Kind: storage.KindRestored, ID: restoredID, Version: 1, Data: binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))} //nolint:gosec // any bits will do
}

// Marks are the records that Mark and Restored make.
func Marks() iter.Seq2[storage.Kind, string] {
	return func(yield func(storage.Kind, string) bool) {
		_ = yield(storage.KindGeneration, recordID) && yield(storage.KindRestored, restoredID)
	}
}

// RestoredAt returns when the store was filled from a copy, the zero time for never.
func RestoredAt(ctx context.Context, store storage.Store) (time.Time, error) {
	r, err := store.Get(ctx, storage.KindRestored, restoredID)
	if errors.Is(err, storage.ErrNotFound) {
		return time.Time{}, nil
	}
	const size = 8
	if err == nil && len(r.Data) != size {
		err = fmt.Errorf("has %d octets, want %d", len(r.Data), size)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the store was filled from a copy: %w", err)
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(r.Data))).UTC(), nil //nolint:gosec // as it was written
}
