package mongo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

const (
	fieldImporting = "importing" // of the schema's document: an import that is under way, or stopped
	fieldBy        = fieldImporting + ".by"
	fieldAt        = fieldImporting + ".at"
	// loadAtOnce is how many documents one command of an import inserts, and loadBytes how many octets of data.
	loadAtOnce = 500
	loadBytes  = 4 << 20
)

// claimed says whose an import is, and when it was seen last.
type claimed struct {
	By int64 `bson:"by"`
	At int64 `bson:"at"` // nanoseconds since 1970
}

// importState is what an import needs of the schema's document.
type importState struct {
	Importing *claimed `bson:"importing"`
}

var (
	// ErrNotEmpty means that a database is not one to import into.
	ErrNotEmpty = errors.New("the database holds something: an import needs an empty one, and never replaces or mixes; name another one in storage.mongo.database, or drop this one while no node runs")
	// ErrImporting means that a database is not whole.
	ErrImporting = errors.New("an import into the database is under way, or stopped: nodes start when `regain storage import` has ended; one that stopped is run again, a minute later")
)

// Load fills an empty database with entries. Until it has ended no node starts on the database, so nothing of half of it is
// ever served; one that stopped is begun anew. It returns how many entries it stored.
//
// A node that runs on an empty database has written the head of its audit log there, so the database is not empty.
func Load(ctx context.Context, cfg Config, now func() time.Time, entries iter.Seq2[storage.Entry, error]) (n int, err error) {
	me, err := newOperation()
	if err != nil {
		return 0, err
	}
	s, err := open(ctx, cfg, now, func(ctx context.Context, s *Store) error {
		if err := s.migrate(ctx, migrations()); err != nil {
			return err
		}
		if err := s.ensureIndexes(ctx); err != nil {
			return err
		}
		return s.claimImport(ctx, me)
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l := loading{store: s, me: me}
	for e, err := range entries {
		if err == nil {
			err = l.add(ctx, e)
		}
		if err != nil {
			return l.stored, err
		}
	}
	if err := l.end(ctx); err != nil {
		return l.stored, err
	}
	return l.stored, nil
}

// importing reports whether the database is not whole.
func (s *Store) importing(ctx context.Context) (bool, error) {
	var found importState
	err := s.schema.FindOne(ctx, bson.D{{Key: fieldKey, Value: schemaID}}).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for an import: %w", err)
	}
	return found.Importing != nil, nil
}

// checkWhole refuses a database that is not whole.
func (s *Store) checkWhole(ctx context.Context) error {
	importing, err := s.importing(ctx)
	if err == nil && importing {
		err = ErrImporting
	}
	return err
}

// claimImport makes the database one that is being imported to. What an import that stopped left is removed; anything else
// is left alone, and an error.
func (s *Store) claimImport(ctx context.Context, me int64) error {
	now := time.Now()
	var before importState
	err := s.schema.FindOneAndUpdate(ctx, bson.D{
		{Key: fieldKey, Value: schemaID},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: fieldImporting, Value: bson.D{{Key: "$exists", Value: false}}}},
			bson.D{{Key: fieldAt, Value: bson.D{{Key: "$lt", Value: now.Add(-lease).UnixNano()}}}},
		}},
	}, bson.D{{Key: "$set", Value: bson.D{{Key: fieldImporting, Value: claimed{By: me, At: now.UnixNano()}}}}},
		options.FindOneAndUpdate().SetReturnDocument(options.Before)).Decode(&before)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return ErrImporting
	}
	if err != nil {
		return fmt.Errorf("begin the import: %w", err)
	}
	for _, of := range []*mongo.Collection{s.records, s.counters} {
		if before.Importing != nil { // and nobody else's: no node starts on what is left of it
			if _, err := of.DeleteMany(ctx, bson.D{}); err != nil {
				return fmt.Errorf("remove what an import that stopped left: %w", err)
			}
			continue
		}
		switch err := of.FindOne(ctx, bson.D{}).Err(); {
		case err == nil:
			return errors.Join(ErrNotEmpty, s.endImport(ctx, me))
		case !errors.Is(err, mongo.ErrNoDocuments):
			return fmt.Errorf("look whether the database is empty: %w", err)
		}
	}
	return nil
}

// endImport makes the database one that nodes start on.
func (s *Store) endImport(ctx context.Context, me int64) error {
	return s.mine(s.schema.UpdateOne(ctx, bson.D{{Key: fieldKey, Value: schemaID}, {Key: fieldBy, Value: me}}, bson.D{{Key: "$unset", Value: bson.D{{Key: fieldImporting, Value: ""}}}}))
}

// mine is an error where the import is not this one's any more.
func (s *Store) mine(result *mongo.UpdateResult, err error) error {
	if err != nil {
		return fmt.Errorf("import: %w", s.scrub(err))
	}
	if result.MatchedCount == 0 {
		return errors.New("import: another one has taken over: this one took too long, or the database was dropped")
	}
	return nil
}

// loading collects documents, and inserts many at once.
type loading struct {
	store             *Store
	me                int64
	records, counters []any
	octets            int
	stored            int // entries
	inRecords         int // of them
}

func (l *loading) add(ctx context.Context, e storage.Entry) error {
	if e.Counter {
		l.counters = append(l.counters, counter{Key: key(e.Kind, e.ID), Count: e.Count, Ends: e.ExpiresAt.UnixNano(), CountedBy: []int64{l.me}, Sweep: l.store.sweep(e.Record)})
	} else {
		l.records = append(l.records, l.store.encode(e.Record, l.me))
	}
	l.octets += len(e.Data)
	if len(l.records)+len(l.counters) < loadAtOnce && l.octets < loadBytes {
		return nil
	}
	return l.flush(ctx)
}

// flush inserts what was collected, and says that the import is still under way.
func (l *loading) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lease)
	defer cancel()
	s := l.store
	if err := s.mine(s.schema.UpdateOne(ctx, bson.D{{Key: fieldKey, Value: schemaID}, {Key: fieldBy, Value: l.me}}, bson.D{{Key: "$set", Value: bson.D{{Key: fieldAt, Value: time.Now().UnixNano()}}}})); err != nil {
		return err
	}
	for of, documents := range map[*mongo.Collection][]any{s.records: l.records, s.counters: l.counters} {
		if len(documents) == 0 {
			continue
		}
		if _, err := of.InsertMany(ctx, documents); err != nil {
			if mongo.IsDuplicateKeyError(err) {
				return fmt.Errorf("import: an entry comes twice: %w", storage.ErrExists)
			}
			return fmt.Errorf("import: %w", s.scrub(err))
		}
		l.stored += len(documents)
	}
	l.inRecords += len(l.records)
	l.records, l.counters, l.octets = l.records[:0], l.counters[:0], 0
	return nil
}

// end makes sure that the database holds what was imported and nothing else, which a node that was started in the moment
// before the import may have written, and lets nodes start.
func (l *loading) end(ctx context.Context) error {
	if err := l.flush(ctx); err != nil {
		return err
	}
	s := l.store
	for of, want := range map[*mongo.Collection]int{s.records: l.inRecords, s.counters: l.stored - l.inRecords} {
		n, err := of.CountDocuments(ctx, bson.D{})
		if err != nil {
			return fmt.Errorf("import: count what is there: %w", s.scrub(err))
		}
		if n != int64(want) {
			return fmt.Errorf("import: %s holds %d documents, and %d were imported: somebody else writes to the database; stop them, and import again", of.Name(), n, want)
		}
	}
	return s.endImport(ctx, l.me)
}
