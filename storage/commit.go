package storage

import (
	"context"
	"fmt"
	"time"
)

// Operation is what a Change does.
type Operation string

// The operations, each as the method of Store with this name.
const (
	OpCreate    Operation = "create"
	OpUpdate    Operation = "update"
	OpConsume   Operation = "consume"
	OpDelete    Operation = "delete"
	OpIncrement Operation = "increment"
)

// Change is one of the changes that Commit makes. The functions below make one for each operation.
type Change struct {
	Operation Operation
	Record    Record        // what to create or update; of the other operations Kind and ID alone
	Window    time.Duration // of a counter
	Max       int64         // increment: the change fails with ErrOver beyond this count; 0 for no limit
}

// Creating is the change that Create makes.
func Creating(r Record) Change { return Change{Operation: OpCreate, Record: r} }

// Updating is the change that Update makes.
func Updating(r Record) Change { return Change{Operation: OpUpdate, Record: r} }

// Consuming is the change that Consume makes; its Result has the record.
func Consuming(kind Kind, id string) Change {
	return Change{Operation: OpConsume, Record: Record{Kind: kind, ID: id}}
}

// Deleting is the change that Delete makes.
func Deleting(kind Kind, id string) Change {
	return Change{Operation: OpDelete, Record: Record{Kind: kind, ID: id}}
}

// Counting is the change that Increment makes; its Result has the count. Beyond most it fails with ErrOver and counts
// nothing; 0 is no limit.
func Counting(kind Kind, id string, window time.Duration, most int64) Change {
	return Change{Operation: OpIncrement, Record: Record{Kind: kind, ID: id}, Window: window, Max: most}
}

// Result is what a change gave.
type Result struct {
	Record Record // that was consumed
	Count  int64  // of the counter
}

// CommitError says which change of a list failed, and is its error to errors.Is.
type CommitError struct {
	At  int // its place in the list
	Err error
	// Made has the results of the changes that were made all the same, by their places: none of a backend that makes all or
	// none; of one without transactions those before At, and counters beside it.
	Made map[int]Result
}

func (e *CommitError) Error() string { return fmt.Sprintf("change %d of the list: %v", e.At, e.Err) }

func (e *CommitError) Unwrap() error { return e.Err }

// Apart reports whether each record and each counter is in a list once, and each operation is one. Every implementation of
// Commit asks it first: a second change of a record would hang on what the first one leaves, which each backend would
// have to know before it makes either.
func Apart(changes []Change) error {
	type place struct {
		counter bool
		kind    Kind
		id      string
	}
	for i, c := range changes {
		at := place{c.Operation == OpIncrement, c.Record.Kind, c.Record.ID}
		for _, before := range changes[:i] { // lists are short
			if at == (place{before.Operation == OpIncrement, before.Record.Kind, before.Record.ID}) {
				return &CommitError{At: i, Err: fmt.Errorf("commit: %s %s is in the list twice", c.Operation, c.Record.Kind)}
			}
		}
		switch c.Operation {
		case OpCreate, OpUpdate, OpConsume, OpDelete, OpIncrement:
		default:
			return &CommitError{At: i, Err: fmt.Errorf("commit: there is no operation %q", c.Operation)}
		}
	}
	return nil
}

// MakeOne makes one change by the method that it is named for: what Commit does with a list of one, for a backend that
// carries lists out one by one, and for stores that watch the methods. A limit is Commit's alone.
func MakeOne(ctx context.Context, s Store, c Change) (r Result, err error) {
	switch {
	case c.Max != 0:
		return Only(s.Commit(ctx, []Change{c}))
	case c.Operation == OpCreate:
		err = s.Create(ctx, c.Record)
	case c.Operation == OpUpdate:
		err = s.Update(ctx, c.Record)
	case c.Operation == OpConsume:
		r.Record, err = s.Consume(ctx, c.Record.Kind, c.Record.ID)
	case c.Operation == OpDelete:
		err = s.Delete(ctx, c.Record.Kind, c.Record.ID)
	case c.Operation == OpIncrement:
		r.Count, err = s.Increment(ctx, c.Record.Kind, c.Record.ID, c.Window)
	default:
		err = fmt.Errorf("commit: there is no operation %q", c.Operation)
	}
	return r, err
}
