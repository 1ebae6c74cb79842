package storage

import (
	"context"
	"fmt"
	"iter"
)

// Entry is a record or a counter as a backend keeps it: the data of a record stays sealed.
type Entry struct {
	// Record is the record, or of a counter its kind, its id and, in ExpiresAt, the end of its window.
	Record
	Counter bool
	Count   int64 // of the counter
}

// Dumped is what a backend implements besides whose content can be read as a whole: to look at it, or to keep it elsewhere.
type Dumped interface {
	// Dump returns every record and every counter once, in no order, those included that are over and not yet swept. After
	// an error there is nothing more. An entry, with its data, is the caller's.
	Dump(ctx context.Context) iter.Seq2[Entry, error]
}

// SealRecord seals the data of a record for the version and all else that it has. It is for whoever writes the records of
// another backend: [Sealed] seals what it stores itself.
func (k *Keyring) SealRecord(r Record) Record {
	r.Data = k.Seal(r.Data, place(r))
	return r
}

// OpenRecord opens the data of a record that SealRecord or [Sealed] sealed.
func (k *Keyring) OpenRecord(r Record) (Record, error) {
	var err error
	if r.Data, err = k.Open(r.Data, place(r)); err != nil {
		return Record{}, fmt.Errorf("read %s: %w", r.Kind, err)
	}
	return r, nil
}
