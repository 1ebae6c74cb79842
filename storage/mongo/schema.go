package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// migration brings the schema from one version to the next. It may be run again from its beginning after a node stopped in
// the middle, and never by two nodes at once; nodes of the version before it run on meanwhile.
type migration struct {
	run func(ctx context.Context, s *Store) error
	// needs is the lowest version that a program has to know to start over the new schema; 0 for the new one. A migration
	// that only adds what older programs leave alone says a lower one, so that a node of the version before it that is
	// restarted in the middle of a roll-out comes back.
	needs int
}

// migrations are all of them: the first one leads from an empty database to version 1, and so on.
func migrations() []migration {
	return []migration{{run: func(ctx context.Context, s *Store) error { return s.ensureIndexes(ctx) }}}
}

const (
	schemaID = "schema"
	// lease is how long a node has for one migration before another takes it for stopped.
	lease      = time.Minute
	leaseCheck = 50 * time.Millisecond
)

// schemaVersion is the document of the collection schema.
type schemaVersion struct {
	ID      string `bson:"_id"`
	Version int    `bson:"version"`
	Needs   int    `bson:"needs,omitempty"` // the lowest version that a program has to know; 0 for Version
	Owner   int64  `bson:"owner,omitempty"`
	Until   int64  `bson:"until,omitempty"` // nanoseconds since 1970
}

// version returns the schema's version, and the lowest that a program has to know; 0 for an empty database.
func (s *Store) version(ctx context.Context) (version, needs int, err error) {
	var found schemaVersion
	err = s.schema.FindOne(ctx, bson.D{{Key: fieldKey, Value: schemaID}}).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, 0, nil
	}
	if has(err, codeUnauthorized) {
		return 0, 0, fmt.Errorf("read the schema's version: %w: name a user in the URI who has the role readWrite on the database", err)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the schema's version: %w", err)
	}
	if found.Needs == 0 {
		found.Needs = found.Version
	}
	return found.Version, found.Needs, nil
}

// checkVersion refuses a schema that needs a newer program than one that knows newest.
func (s *Store) checkVersion(ctx context.Context, newest int) error {
	version, needs, err := s.version(ctx)
	if err == nil && needs > newest {
		return mistake{fmt.Errorf("the schema of database %s has version %d, and this program knows %d: start the newer program that made it, or name another database", s.database.Name(), version, newest)}
	}
	return err
}

// migrate runs the migrations that are missing. Of several nodes one runs each, and the others wait.
func (s *Store) migrate(ctx context.Context, all []migration) error {
	me, err := newOperation()
	if err != nil {
		return err
	}
	for {
		version, _, err := s.version(ctx)
		if err != nil {
			return err
		}
		if version >= len(all) {
			return s.checkVersion(ctx, len(all))
		}
		if err := s.step(ctx, version, all[version], me); err != nil {
			return err
		}
	}
}

// step runs one migration, or waits a little for who does.
func (s *Store) step(ctx context.Context, version int, next migration, me int64) error {
	claimed, err := s.claim(ctx, version, me)
	if err != nil {
		return fmt.Errorf("write the schema's version: %w: the user needs the role readWrite on the database", err)
	}
	if !claimed {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another node that migrates the schema from version %d: %w", version, ctx.Err())
		case <-time.After(leaseCheck):
			return nil
		}
	}
	done, problem := bson.D{{Key: "version", Value: version + 1}, {Key: "needs", Value: next.needs}}, next.run(ctx, s)
	if problem != nil {
		done, problem = bson.D{{Key: "version", Value: version}}, fmt.Errorf("migrate the schema from version %d: %w", version, problem)
	}
	_, err = s.schema.UpdateOne(ctx, bson.D{{Key: fieldKey, Value: schemaID}, {Key: "version", Value: version}, {Key: "owner", Value: me}},
		bson.D{{Key: "$set", Value: done}, {Key: "$unset", Value: bson.D{{Key: "owner", Value: ""}, {Key: "until", Value: ""}}}})
	return errors.Join(problem, err)
}

// claim makes this node the one that runs the next migration, and reports whether it is.
func (s *Store) claim(ctx context.Context, version int, me int64) (bool, error) {
	now := time.Now()
	until := now.Add(lease).UnixNano()
	if version == 0 {
		_, err := s.schema.InsertOne(ctx, schemaVersion{ID: schemaID, Owner: me, Until: until})
		if !mongo.IsDuplicateKeyError(err) {
			return err == nil, err
		}
	}
	result, err := s.schema.UpdateOne(ctx, bson.D{
		{Key: fieldKey, Value: schemaID}, {Key: "version", Value: version},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "owner", Value: bson.D{{Key: "$exists", Value: false}}}},
			bson.D{{Key: "owner", Value: me}}, // whose answer was lost
			bson.D{{Key: "until", Value: bson.D{{Key: "$lt", Value: now.UnixNano()}}}},
		}},
	}, bson.D{{Key: "$set", Value: bson.D{{Key: "owner", Value: me}, {Key: "until", Value: until}}}})
	return err == nil && result.MatchedCount == 1, err
}

const (
	indexGroup = "group"
	indexSweep = "sweep"
)

// index is what an index has to be.
type index struct {
	Name   string `bson:"name"`
	Key    bson.D `bson:"key"`
	Sparse bool   `bson:"sparse"`
	Unique bool   `bson:"unique"`
	After  *int64 `bson:"expireAfterSeconds"`
}

// indexes are those of a collection, beside that of _id, which makes ids unique. Only records that have a group are in the
// index of groups, and only what ends is in that of ends.
func (s *Store) indexes(of *mongo.Collection) []index {
	sweep := index{Name: indexSweep, Key: bson.D{{Key: fieldSweep, Value: int32(1)}}, After: new(int64)}
	if of == s.counters {
		return []index{sweep}
	}
	return []index{sweep, {Name: indexGroup, Key: bson.D{{Key: fieldGroup, Value: int32(1)}, {Key: fieldID, Value: int32(1)}}, Sparse: true}}
}

// ensureIndexes creates the indexes that are missing, and checks them all.
func (s *Store) ensureIndexes(ctx context.Context) error {
	for _, of := range []*mongo.Collection{s.records, s.counters} {
		for _, wanted := range s.indexes(of) {
			settings := options.Index().SetName(wanted.Name).SetSparse(wanted.Sparse)
			if wanted.After != nil {
				settings.SetExpireAfterSeconds(int32(*wanted.After)) //nolint:gosec // 0
			}
			_, err := of.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: wanted.Key, Options: settings})
			if err != nil && !has(err, codeIndexOptions, codeIndexKeys) { // which checkIndexes explains
				return fmt.Errorf("create index %s of %s: %w", wanted.Name, of.Name(), err)
			}
		}
		if err := s.checkIndexes(ctx, of); err != nil {
			return err
		}
	}
	return nil
}

const (
	codeIndexOptions = 85
	codeIndexKeys    = 86
)

// checkIndexes refuses a collection whose indexes are not what they have to be: one that was made by hand may remove
// records early or make ids clash.
func (s *Store) checkIndexes(ctx context.Context, of *mongo.Collection) error {
	cursor, err := of.Indexes().List(ctx)
	if err != nil {
		return fmt.Errorf("list the indexes of %s: %w", of.Name(), err)
	}
	var found []index
	if err := cursor.All(ctx, &found); err != nil {
		return fmt.Errorf("list the indexes of %s: %w", of.Name(), err)
	}
	missing := s.indexes(of)
	for _, f := range found {
		at := slices.IndexFunc(missing, func(w index) bool { return f.is(w) })
		if at >= 0 {
			missing = slices.Delete(missing, at, at+1)
			continue
		}
		taken := slices.ContainsFunc(s.indexes(of), func(w index) bool { return w.Name == f.Name })
		if f.Name != "_id_" && (taken || f.After != nil || f.Unique) {
			return mistake{fmt.Errorf("index %s of %s.%s is not one of this program's: drop it (db.%s.dropIndex(%q)), and start again", f.Name, s.database.Name(), of.Name(), of.Name(), f.Name)}
		}
	}
	if len(missing) > 0 {
		return mistake{fmt.Errorf("index %s of %s.%s cannot be made beside another one of the same fields: drop that one, and start again", missing[0].Name, s.database.Name(), of.Name())}
	}
	return nil
}

// is compares an index of the server with what it has to be. Servers report directions as any kind of number.
func (i index) is(wanted index) bool {
	same := i.Name == wanted.Name && i.Sparse == wanted.Sparse && i.Unique == wanted.Unique && len(i.Key) == len(wanted.Key) &&
		(i.After == nil) == (wanted.After == nil) && (i.After == nil || *i.After == *wanted.After)
	for n := 0; same && n < len(i.Key); n++ {
		same = i.Key[n].Key == wanted.Key[n].Key && fmt.Sprint(i.Key[n].Value) == fmt.Sprint(wanted.Key[n].Value)
	}
	return same
}
