package mongo_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
	"regain/storage/mongo"
)

// Sixteen nodes start at once over a database that nobody has used; all have what they need.
func TestNodesThatStartAtOnce(t *testing.T) {
	cfg := config(server(t).URI)
	t.Cleanup(func() { must(t, server(t).Drop(context.Background(), cfg.Database)) })
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			s, err := mongo.Open(t.Context(), cfg, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Increment(t.Context(), kind, "nodes", time.Hour); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	counts(17)(t, opened{open(t, cfg, time.Now)})
}

// opened counts nodes.
type opened struct{ *mongo.Store }

func (o opened) Increment(ctx context.Context, k storage.Kind, _ string, window time.Duration) (int64, error) {
	return o.Store.Increment(ctx, k, "nodes", window)
}

// Of nodes that start at once, one runs each migration, and none goes on before all are done. One that fails is run again.
func TestMigrationsRunOnce(t *testing.T) {
	cfg := config(server(t).URI)
	nodes := make([]*mongo.Store, 8)
	for i := range nodes {
		nodes[i] = open(t, cfg, time.Now)
		defer nodes[i].Close()
	}
	var second, third atomic.Int64
	var all sync.WaitGroup
	for _, s := range nodes {
		all.Go(func() {
			err := s.Migrate(t.Context(), func(context.Context) error {
				t.Error("the first version was migrated to again")
				return nil
			}, func(context.Context) error {
				time.Sleep(100 * time.Millisecond) // others look meanwhile
				second.Add(1)
				return nil
			}, func(context.Context) error {
				third.Add(1)
				return nil
			})
			if err != nil || second.Load() != 1 || third.Load() != 1 {
				t.Errorf("a node goes on after %d and %d migrations, %v", second.Load(), third.Load(), err)
			}
		})
	}
	all.Wait()
	broken := errors.New("broken")
	nothing := func(context.Context) error { return nil }
	if err := nodes[0].Migrate(t.Context(), nothing, nothing, nothing, func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("a migration that fails: %v", err)
	}
	stopped := bson.D{{Key: "owner", Value: int64(7)}, {Key: "until", Value: time.Now().Add(200 * time.Millisecond).UnixNano()}} // a node that claimed it
	_, err := nodes[0].Collection("schema").UpdateByID(t.Context(), "schema", bson.D{{Key: "$set", Value: stopped}})
	must(t, err)
	ran := false
	must(t, nodes[1].Migrate(t.Context(), nothing, nothing, nothing, func(context.Context) error { ran = true; return nil }))
	if !ran {
		t.Error("what failed was not run again")
	}
	if _, err := mongo.Open(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "version 4, and this program knows 1: start the newer program") {
		t.Errorf("a newer schema: %v", err)
	}
	if err := mongo.Inspect(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "start the newer program") {
		t.Errorf("a newer schema, inspected: %v", err)
	}
}

// An inspection leaves an empty database empty.
func TestInspectChangesNothing(t *testing.T) {
	cfg := config(server(t).URI)
	must(t, mongo.Inspect(t.Context(), cfg))
	client, err := driver.Connect(options.Client().ApplyURI(server(t).URI))
	must(t, err)
	defer client.Disconnect(context.Background()) //nolint:errcheck // a test's
	names, err := client.Database(cfg.Database).ListCollectionNames(t.Context(), bson.D{})
	if must(t, err); len(names) != 0 {
		t.Errorf("it left %v", names)
	}
}

// Indexes that would remove records early, or refuse them, stop the start. One that is missing is made.
func TestIndexesAreChecked(t *testing.T) {
	for name, row := range map[string]struct {
		collection, says string
		keys             bson.D
		settings         *options.IndexOptionsBuilder
	}{
		"records go early":  {"records", `db.records.dropIndex("early")`, bson.D{{Key: "ends_at", Value: 1}}, options.Index().SetName("early").SetExpireAfterSeconds(1)},
		"one a group":       {"records", `db.records.dropIndex("alone")`, bson.D{{Key: "group", Value: 1}}, options.Index().SetName("alone").SetUnique(true)},
		"counters never go": {"counters", `db.counters.dropIndex("sweep")`, bson.D{{Key: "sweep", Value: 1}}, options.Index().SetName("sweep")},
		"groups as a list":  {"records", `db.records.dropIndex("group")`, bson.D{{Key: "group", Value: 1}}, options.Index().SetName("group").SetSparse(true)},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(server(t).URI)
			s := open(t, cfg, time.Now)
			defer s.Close()
			must(t, s.Collection(row.collection).Drop(t.Context()))
			_, err := s.Collection(row.collection).Indexes().CreateOne(t.Context(), driver.IndexModel{Keys: row.keys, Options: row.settings})
			must(t, err)
			if _, err := mongo.Open(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want it to say %s", err, row.says)
			}
			must(t, s.Collection(row.collection).Drop(t.Context()))
			again, err := mongo.Open(t.Context(), cfg, time.Now)
			must(t, err)
			must(t, again.Close())
			cursor, err := s.Collection(row.collection).Indexes().List(t.Context())
			must(t, err)
			var found []bson.M
			want := map[string]int{"records": 3, "counters": 2}[row.collection]
			if must(t, cursor.All(t.Context(), &found)); len(found) != want {
				t.Errorf("there are the indexes %v", found)
			}
		})
	}
}

// The server removes what is over, and neither what lives on nor what never ends.
func TestTheServerCleansUp(t *testing.T) {
	s := open(t, config(server(t).URI), time.Now)
	defer s.Close()
	s.SweepAfter(0)
	for id, end := range map[string]time.Time{"over": time.Now().Add(time.Second), "lives": time.Now().Add(time.Hour), "never": {}} {
		must(t, s.Create(t.Context(), storage.Record{Kind: kind, ID: id, ExpiresAt: end}))
	}
	must(t, s.Create(t.Context(), storage.Record{Kind: kind, ID: "used up"}))
	_, err := s.Consume(t.Context(), kind, "used up")
	must(t, err)
	_, err = s.Increment(t.Context(), kind, "over", time.Second)
	must(t, err)
	left := func() (records, counters int64) {
		records, err := s.Collection("records").CountDocuments(t.Context(), bson.D{})
		must(t, err)
		counters, err = s.Collection("counters").CountDocuments(t.Context(), bson.D{})
		must(t, err)
		return records, counters
	}
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) { // MongoDB sweeps once a minute
		if records, counters := left(); records == 2 && counters == 0 {
			break
		}
	}
	records, counters := left()
	if records != 2 || counters != 0 {
		t.Errorf("%d records and %d counters are left, want 2 and 0", records, counters)
	}
	for _, id := range []string{"lives", "never"} {
		if _, err := s.Get(t.Context(), kind, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// What was used up leaves neither data nor group.
func TestTombstonesAreEmpty(t *testing.T) {
	s := open(t, config(server(t).URI), time.Now)
	defer s.Close()
	for _, id := range []string{"consumed", "deleted"} {
		must(t, s.Create(t.Context(), storage.Record{Kind: kind, ID: id, Group: "g", Data: []byte("secret")}))
	}
	_, err := s.Consume(t.Context(), kind, "consumed")
	must(t, err)
	must(t, s.Delete(t.Context(), kind, "deleted"))
	cursor, err := s.Collection("records").Find(t.Context(), bson.D{})
	must(t, err)
	var found []bson.M
	must(t, cursor.All(t.Context(), &found))
	if len(found) != 2 {
		t.Fatalf("there are %d tombstones, want 2", len(found))
	}
	for _, d := range found {
		for _, field := range []string{"data", "group", "id"} {
			if d[field] != nil {
				t.Errorf("the tombstone has %s: %v", field, d)
			}
		}
		if d["sweep"] == nil {
			t.Errorf("the tombstone stays for ever: %v", d)
		}
	}
}
