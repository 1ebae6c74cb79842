package mongo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

var _ storage.Dumped = (*Store)(nil)

// OpenReadOnly connects to a database to look at it. It changes nothing, and takes one of any schema.
func OpenReadOnly(ctx context.Context, cfg Config, now func() time.Time) (*Store, error) {
	return open(ctx, cfg, now, func(context.Context, *Store) error { return nil })
}

// Dump implements storage.Dumped. It shows no single moment: each document is as it was when it was read. Tombstones are
// entries that are over.
func (s *Store) Dump(ctx context.Context) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		wanted := true
		see := func(e storage.Entry, err error) error {
			if err == nil && !yield(e, nil) {
				wanted, err = false, errLeft
			}
			return err
		}
		err := all(ctx, s.records, bson.D{}, func(d document) error {
			kind, id, err := named(d.Key)
			return see(storage.Entry{Record: d.record(kind, id)}, err)
		})
		if err == nil {
			err = all(ctx, s.counters, bson.D{}, func(c counter) error {
				kind, id, err := named(c.Key)
				return see(storage.Entry{Record: storage.Record{Kind: kind, ID: id, ExpiresAt: time.Unix(0, c.Ends).UTC()}, Counter: true, Count: c.Count}, err)
			})
		}
		if err != nil && wanted {
			yield(storage.Entry{}, fmt.Errorf("mongo store: read all of it: %w", s.scrub(err)))
		}
	}
}

// errLeft ends a reading that nobody wants any more of.
var errLeft = errors.New("left")

// all decodes each document of a collection that a filter lets through.
func all[T any](ctx context.Context, of *mongo.Collection, filter bson.D, see func(T) error, as ...options.Lister[options.FindOptions]) error {
	cursor, err := of.Find(ctx, filter, as...)
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the server ends it too
	for cursor.Next(ctx) {
		d, err := decode[T](cursor.Current, nil)
		if err != nil {
			return err
		}
		if err := see(d); err != nil {
			return err
		}
	}
	return cursor.Err()
}

// named splits what key joined.
func named(key string) (storage.Kind, string, error) {
	kind, id, ok := strings.Cut(key, ":")
	if !ok {
		return "", "", fmt.Errorf("%w: _id %s", errDamaged, key)
	}
	return storage.Kind(strings.NewReplacer("%3A", ":", "%25", "%").Replace(kind)), id, nil
}

// Facts are what there is to know of a database beside what it holds.
type Facts struct {
	Schema, Known int    // versions: of the schema, and of the one that this program makes; 0 for none
	Importing     bool   // an import is under way, or stopped
	Server        string // version of the server
	Bytes         int64  // on disk with its indexes, as the server says; 0 where it does not
	Indexes       []Index
}

// Index is one index of a collection.
type Index struct {
	Collection, Name string
	Ours             bool // it has the name of one of this program's
	Expected         bool // and is as that has to be
	Missing          bool
}

// Facts returns them.
func (s *Store) Facts(ctx context.Context) (f Facts, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("mongo store: %w", s.scrub(err))
		}
	}()
	f.Known = len(migrations())
	if f.Schema, _, err = s.version(ctx); err != nil {
		return f, err
	}
	if f.Importing, err = s.importing(ctx); err != nil {
		return f, err
	}
	var info struct {
		Version string `bson:"version"`
	}
	if err = s.database.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&info); err != nil {
		return f, fmt.Errorf("ask for the server's version: %w", err)
	}
	f.Server = info.Version
	var size struct {
		Storage float64 `bson:"storageSize"`
		Index   float64 `bson:"indexSize"`
	}
	if s.database.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&size) == nil { // which not every server has
		f.Bytes = int64(size.Storage + size.Index)
	}
	for _, of := range []*mongo.Collection{s.records, s.counters} {
		found, err := s.look(ctx, of)
		if err != nil {
			return f, err
		}
		f.Indexes = append(f.Indexes, found...)
	}
	return f, nil
}

// look lists the indexes that a collection has, and those that it should have.
func (s *Store) look(ctx context.Context, of *mongo.Collection) (list []Index, err error) {
	cursor, err := of.Indexes().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the indexes of %s: %w", of.Name(), err)
	}
	var found []index
	if err := cursor.All(ctx, &found); err != nil {
		return nil, fmt.Errorf("list the indexes of %s: %w", of.Name(), err)
	}
	for _, wanted := range s.indexes(of) {
		here := Index{Collection: of.Name(), Name: wanted.Name, Ours: true, Missing: true}
		for _, f := range found {
			if f.Name == wanted.Name {
				here.Missing, here.Expected = false, f.is(wanted)
			}
		}
		list = append(list, here)
	}
	for _, f := range found {
		known := f.Name == "_id_"
		for _, wanted := range s.indexes(of) {
			known = known || f.Name == wanted.Name
		}
		if !known {
			list = append(list, Index{Collection: of.Name(), Name: f.Name})
		}
	}
	return list, nil
}

// Migrate brings the schema of a database to this program's version, as each node does at its start, and returns which one
// it had. With dry it changes nothing.
func Migrate(ctx context.Context, cfg Config, dry bool) (from, to int, err error) {
	to = len(migrations())
	s, err := open(ctx, cfg, time.Now, func(ctx context.Context, s *Store) error {
		var err error
		if from, _, err = s.version(ctx); err != nil {
			return err
		}
		if dry {
			return s.checkVersion(ctx, to)
		}
		if err := s.migrate(ctx, migrations()); err != nil {
			return err
		}
		return s.ensureIndexes(ctx)
	})
	if err != nil {
		return from, to, err
	}
	return from, to, s.Close()
}

// Hosts returns the hosts of a URI, and nothing else of it.
func (u URI) Hosts() string {
	_, rest, _ := strings.Cut(string(u), "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}
