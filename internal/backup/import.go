package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"regain/adapters/auditlog"
	"regain/internal/keep"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/mongo"
	"regain/storage/transfer"
)

// Imported is what an import did.
type Imported struct {
	Stored int // records and counters
	Left   map[storage.Kind]int
}

// Import fills the configured store, which must be empty, from an export. The store is there as a whole or not at all. What
// may never come back is left behind (mark.go), and the rest is sealed anew with the newest key, so that an older one is
// not needed for it any more.
func (c Command) Import(ctx context.Context, from io.Reader) (Imported, error) {
	_, entries, err := transfer.Read(bufio.NewReader(from), c.Keys)
	if err != nil {
		return Imported{}, err
	}
	return c.fill(ctx, entries)
}

// ImportFile is Import from a file: an export, or a copy of a file store.
func (c Command) ImportFile(ctx context.Context, from string) (done Imported, err error) {
	file, err := os.Open(from) //nolint:gosec // the caller chooses the file
	if err != nil {
		return done, fmt.Errorf("import: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	done, err = c.Import(ctx, file)
	if !errors.Is(err, transfer.ErrNotExport) {
		return done, err
	}
	copied, problem := c.openFile(from)
	if problem != nil {
		return done, fmt.Errorf("import %s: it is neither an export nor a copy of the file store that this configuration opens: as a copy: %w; as an export: %w", from, problem, err)
	}
	defer func() { err = errors.Join(err, copied.close()) }()
	return c.fill(ctx, copied.Dump(ctx))
}

// fill fills the configured store.
func (c Command) fill(ctx context.Context, entries iter.Seq2[storage.Entry, error]) (done Imported, err error) {
	done.Left = make(map[storage.Kind]int)
	entries = c.marked(ctx, c.living(c.counted(entries)), done.Left)
	if c.Storage.Backend == fileBackend {
		done.Stored, err = c.fillFile(entries)
	} else {
		done.Stored, err = c.fillDatabase(ctx, entries)
	}
	if err != nil {
		return done, fmt.Errorf("import: %w", err)
	}
	return done, nil
}

func (c Command) fillFile(entries iter.Seq2[storage.Entry, error]) (n int, err error) {
	if err := auditlog.CheckOwner(c.Storage.Path); err != nil { // before root makes a file that the node cannot open
		return 0, err
	}
	file, err := create(c.Storage.Path)
	if err != nil {
		return 0, fmt.Errorf("storage.path: %w; an import needs an empty store: move the file away while no node runs, or name another", err)
	}
	defer file.drop()
	if n, err = bolt.Load(file.Name(), c.Keys, entries); err != nil {
		return n, err
	}
	return n, file.publish()
}

func (c Command) fillDatabase(ctx context.Context, entries iter.Seq2[storage.Entry, error]) (int, error) {
	database, err := keep.MongoConfig(c.Storage.Mongo)
	if err != nil {
		return 0, err
	}
	return mongo.Load(ctx, database, c.Clock, entries)
}

// Text tells what was done, and what was left behind.
func (i Imported) Text(out io.Writer) error {
	var left []string
	for _, kind := range slices.Sorted(maps.Keys(i.Left)) {
		left = append(left, fmt.Sprintf("%d %s", i.Left[kind], kind))
	}
	if len(left) == 0 {
		left = []string{"nothing"}
	}
	_, err := fmt.Fprintf(out, "ok: %d records and counters are in the store\n"+
		"Left behind, since it may have been used up meanwhile: %s.\n"+
		"Whoever was in the middle of a recovery, was signed in, or had a pass starts again.\n", i.Stored, strings.Join(left, ", "))
	return err
}
