// Package backup looks at what a node's store holds, copies it, and puts it into another store.
//
//	Status   what a store holds, by kind (status.go)
//	Copy     a copy of the file store, also while its node runs: the node writes it (source.go)
//	Export   all of a store as one stream, of any backend (export.go)
//	Import   such a stream, or a copy, into an empty store (import.go)
//	Migrate  the schema of a database
//
// A store that is filled from a copy is not the store of then: nobody knows what was used up since. What may come back, and
// what never does, storage.Kind.Outlives decides; mark.go tells nodes.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/plan"
	"regain/storage"
	"regain/storage/mongo"
)

// Command is what all the commands of this package work on.
type Command struct {
	Storage config.StorageConfig
	Keys    *storage.Keyring
	Clock   func() time.Time
	// Progress is called now and then with how many records and counters were dealt with; nil for nobody.
	Progress func(n int)
}

// New returns the commands for a configuration. Its errors never quote a secret.
func New(cfg config.Config) (Command, error) {
	switch {
	case cfg.Storage.Backend == fileBackend && cfg.Storage.Path == "":
		return Command{}, errors.New("storage.path: name a file")
	case cfg.Storage.Backend != fileBackend && cfg.Storage.Backend != mongoBackend:
		return Command{}, fmt.Errorf("storage.backend %s: it keeps nothing that could be looked at or copied", cfg.Storage.Backend)
	}
	secrets, err := plan.ReadSecrets(cfg.Secrets)
	if err != nil {
		return Command{}, err
	}
	return Command{Storage: cfg.Storage, Keys: secrets.Keyring, Clock: time.Now}, nil
}

const (
	fileBackend  = "file"
	mongoBackend = "mongo"
)

// Migrate brings the schema of a database to this program's version, as each node does at its start, and says what it did;
// with dry what it would do.
func (c Command) Migrate(ctx context.Context, dry bool, out io.Writer) error {
	if c.Storage.Backend == fileBackend {
		_, err := fmt.Fprintln(out, "ok: the file store has no schema that is migrated")
		return err
	}
	database, err := keep.MongoConfig(c.Storage.Mongo)
	if err != nil {
		return err
	}
	from, to, err := mongo.Migrate(ctx, database, dry)
	switch {
	case err != nil:
		return fmt.Errorf("storage: %w", err)
	case from == to:
		_, err = fmt.Fprintf(out, "ok: the schema has version %d, which is this program's\n", from)
	case dry && from == 0:
		_, err = fmt.Fprintf(out, "the database has no schema yet, and would get version %d\n", to)
	case dry:
		_, err = fmt.Fprintf(out, "the schema has version %d and would be migrated to %d: nodes of the program that made version %d can go on meanwhile only if its documentation says so\n", from, to, from)
	case from == 0:
		_, err = fmt.Fprintf(out, "ok: the database had no schema, and has version %d now\n", to)
	default:
		_, err = fmt.Fprintf(out, "ok: the schema was migrated from version %d to %d\n", from, to)
	}
	return err
}
