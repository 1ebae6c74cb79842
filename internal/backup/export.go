package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"regain/storage"
	"regain/storage/transfer"
)

// Export writes all that the store holds and that is not over to a stream (package transfer), and returns how many records
// and counters those are. It shows the file store at one moment, also while a node runs on it, and a database as it was while
// it was read: what nodes write meanwhile is there or not.
func (c Command) Export(ctx context.Context, to io.Writer) (n int, err error) {
	from, err := c.open(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	out := bufio.NewWriter(to)
	n, err = transfer.Write(out, c.Keys, transfer.Header{Created: c.Clock().UTC(), Backend: c.Storage.Backend}, c.living(c.counted(from.Dump(ctx))))
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return n, fmt.Errorf("export: %w", err)
	}
	return n, nil
}

// ExportFile is Export to a file, which is there when it is whole.
func (c Command) ExportFile(ctx context.Context, to string) (n int, err error) {
	file, err := create(to)
	if err != nil {
		return 0, err
	}
	defer file.drop()
	if n, err = c.Export(ctx, file); err != nil {
		return n, err
	}
	return n, file.publish()
}

// living leaves out what is over.
func (c Command) living(entries iter.Seq2[storage.Entry, error]) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		for e, err := range entries {
			if err == nil && e.Expired(c.Clock()) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// counted tells the progress.
func (c Command) counted(entries iter.Seq2[storage.Entry, error]) iter.Seq2[storage.Entry, error] {
	const often = 1000
	return func(yield func(storage.Entry, error) bool) {
		n := 0
		for e, err := range entries {
			if n++; c.Progress != nil && n%often == 0 {
				c.Progress(n)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
