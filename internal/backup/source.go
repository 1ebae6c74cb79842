package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"regain/internal/config"
	"regain/internal/holder"
	"regain/internal/keep"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/mongo"
)

// source is a store that is looked at.
type source struct {
	storage.Dumped
	file     *bolt.Store  // of the file store
	database *mongo.Store // of MongoDB
	place    string       // without credentials
	close    func() error
}

// open opens the configured store to look at it. The file of a node that runs is looked at in a copy that the node writes.
func (c Command) open(ctx context.Context) (source, error) {
	if c.Storage.Backend == mongoBackend {
		return c.openDatabase(ctx)
	}
	from, err := c.openFile(c.Storage.Path)
	if !errors.Is(err, bolt.ErrLocked) {
		return from, err
	}
	directory, err := os.MkdirTemp("", "regain-copy-*") // with mode 0700
	if err != nil {
		return source{}, fmt.Errorf("make room for a copy: %w", err)
	}
	copied := filepath.Join(directory, "regain.db")
	if err := c.Copy(ctx, copied, io.Discard); err != nil {
		return source{}, errors.Join(err, os.RemoveAll(directory))
	}
	if from, err = c.openFile(copied); err != nil {
		return source{}, errors.Join(err, os.RemoveAll(directory))
	}
	from.place = c.Storage.Path + " (in use: a copy that the node wrote)"
	shut := from.close
	from.close = func() error { return errors.Join(shut(), os.RemoveAll(directory)) }
	return from, nil
}

// openFile opens a file that no node uses.
func (c Command) openFile(path string) (source, error) {
	file, err := bolt.OpenReadOnly(path, c.Clock, c.Keys)
	if err != nil {
		return source{}, err
	}
	return source{Dumped: file, file: file, place: path, close: file.Close}, nil
}

func (c Command) openDatabase(ctx context.Context) (source, error) {
	cfg, err := keep.MongoConfig(c.Storage.Mongo)
	if err != nil {
		return source{}, fmt.Errorf("storage: %w", err)
	}
	s, err := mongo.OpenReadOnly(ctx, cfg, c.Clock)
	if err != nil {
		return source{}, fmt.Errorf("storage: %w", err)
	}
	return source{Dumped: s, database: s, place: cfg.URI.Hosts() + ", database " + cfg.Database, close: s.Close}, nil
}

// Copy makes a copy of the file store at a path where nothing is. While a node runs it writes the copy, beside its work; where
// none runs this process does. The copy is verified as a start verifies a store before it has its name.
func (c Command) Copy(ctx context.Context, to string, out io.Writer) error {
	if c.Storage.Backend != fileBackend {
		return fmt.Errorf("backup copies the file store, and storage.backend is %s: use the database's own backup, or `regain storage export` (docs/backup.md)", c.Storage.Backend)
	}
	file, err := create(to)
	if err != nil {
		return err
	}
	defer file.drop()
	if err := c.writeCopy(ctx, file); err != nil {
		return err
	}
	copied, err := c.openFile(file.Name())
	if err != nil {
		return fmt.Errorf("the copy is not whole: %w", err)
	}
	n, counters, err := count(ctx, copied)
	if err = errors.Join(err, copied.close()); err != nil {
		return fmt.Errorf("the copy is not whole: %w", err)
	}
	if err := file.publish(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "ok: %s holds %d records and %d counters, and opens with the keys of this configuration\n", to, n, counters)
	return err
}

// writeCopy has whoever has the store write its copy.
func (c Command) writeCopy(ctx context.Context, to io.Writer) error {
	from, err := c.openFile(c.Storage.Path)
	if errors.Is(err, bolt.ErrLocked) {
		if err = holder.Receive(ctx, c.Storage.Path, keep.CopyPipe(c.Storage.Path), to); err != nil {
			return fmt.Errorf("have the node write a copy: %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	_, err = from.file.WriteTo(to)
	return errors.Join(err, from.close())
}

func count(ctx context.Context, of storage.Dumped) (records, counters int, err error) {
	for e, err := range of.Dump(ctx) {
		if err != nil {
			return 0, 0, err
		}
		if e.Counter {
			counters++
		} else {
			records++
		}
	}
	return records, counters, nil
}

// Look returns the commands for a copy of the file store, in place of the configured one.
func (c Command) Look(copied string) Command {
	c.Storage = config.StorageConfig{Backend: fileBackend, Path: copied}
	return c
}
