package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"regain/storage"
	"regain/storage/mongo"
	"regain/storage/mongo/mongotest"
)

// dumped returns what a store holds, in an order of its own.
func dumped(t *testing.T, s storage.Dumped) (all []storage.Entry) {
	t.Helper()
	for e, err := range s.Dump(t.Context()) {
		must(t, err)
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b storage.Entry) int {
		return strings.Compare(fmt.Sprint(a.Counter, a.Kind, a.ID), fmt.Sprint(b.Counter, b.Kind, b.ID))
	})
	return all
}

// sequence is what Load reads: entries, and perhaps an error after them.
func sequence(all []storage.Entry, last error) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
		if last != nil {
			yield(storage.Entry{}, last)
		}
	}
}

// toImport are entries of every kind that there is.
func toImport(now time.Time) []storage.Entry {
	all := []storage.Entry{
		{Record: storage.Record{Kind: "client", ID: "a", Version: 1, Data: []byte("one")}},
		{Record: storage.Record{Kind: "client", ID: "b", Group: "g", Version: 7, Data: []byte("two"), ExpiresAt: now.Add(time.Hour)}},
		{Record: storage.Record{Kind: "a:b%", ID: "x:y", Group: "g:h", Version: 2, Data: []byte("three")}},
		{Record: storage.Record{Kind: "attempts", ID: "a", ExpiresAt: now.Add(time.Hour)}, Counter: true, Count: 42},
	}
	for i := range 600 { // more than one command inserts
		all = append(all, storage.Entry{Record: storage.Record{Kind: "many", ID: fmt.Sprint(i), Version: 1, Data: make([]byte, 1000)}})
	}
	slices.SortFunc(all, func(a, b storage.Entry) int {
		return strings.Compare(fmt.Sprint(a.Counter, a.Kind, a.ID), fmt.Sprint(b.Counter, b.Kind, b.ID))
	})
	return all
}

// empty is a database that there is not yet, and is dropped at the end.
func empty(t *testing.T) mongo.Config {
	t.Helper()
	cfg := config(server(t).URI)
	t.Cleanup(func() { must(t, server(t).Drop(context.Background(), cfg.Database)) })
	return cfg
}

// A database holds what was loaded into it: versions, groups, ends and counts, and goes on from there.
func TestLoadIntoADatabase(t *testing.T) {
	t.Parallel()
	cfg, now := empty(t), time.Now().UTC().Truncate(time.Millisecond)
	want := toImport(now)
	if n, err := mongo.Load(t.Context(), cfg, time.Now, sequence(want, nil)); n != len(want) || err != nil {
		t.Fatalf("%d entries, %v", n, err)
	}
	s, err := mongo.Open(t.Context(), cfg, time.Now)
	must(t, err)
	defer s.Close()
	if got := dumped(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d entries, and not the same %d", len(got), len(want))
	}
	if list, err := s.List(t.Context(), "client", "g", "", 9); err != nil || len(list) != 1 || list[0].Version != 7 || !list[0].ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Errorf("a group: %+v, %v", list, err)
	}
	must(t, s.Update(t.Context(), storage.Record{Kind: "client", ID: "b", Group: "g", Version: 7}))
	if n, err := s.Increment(t.Context(), "attempts", "a", time.Hour); n != 43 || err != nil {
		t.Errorf("a counter: %d, %v", n, err)
	}
	// What was used up is there, and over.
	_, err = s.Consume(t.Context(), "client", "a")
	must(t, err)
	for _, e := range dumped(t, s) {
		if e.ID == "a" && !e.Counter && (!e.Expired(time.Now()) || e.Data != nil) {
			t.Errorf("a tombstone: %+v", e)
		}
	}
}

// Nothing is imported into a database that is not empty, whatever it holds, and what it holds stays; nodes start on it.
func TestLoadLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(s *mongo.Store) error{
		"a record":  func(s *mongo.Store) error { return s.Create(t.Context(), thing("one")) },
		"a counter": func(s *mongo.Store) error { _, err := s.Increment(t.Context(), kind, "a", time.Hour); return err },
		"a tombstone": func(s *mongo.Store) error {
			return errors.Join(s.Create(t.Context(), thing("one")), s.Delete(t.Context(), kind, "a"))
		},
	} {
		cfg := empty(t)
		s, err := mongo.Open(t.Context(), cfg, time.Now)
		must(t, err)
		must(t, fill(s))
		before := dumped(t, s)
		if n, err := mongo.Load(t.Context(), cfg, time.Now, sequence(toImport(time.Now()), nil)); n != 0 || err == nil || !strings.Contains(err.Error(), "holds something") {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if now := dumped(t, s); fmt.Sprint(now) != fmt.Sprint(before) || len(now) == 0 {
			t.Errorf("%s: it holds %v", name, now)
		}
		must(t, s.Close())
		must(t, mongo.Inspect(t.Context(), cfg))
	}
}

// An import that stops in the middle leaves a database on which no node starts and that nothing is taken for whole; after its
// lease another import begins anew.
func TestAnImportThatStops(t *testing.T) {
	t.Parallel()
	cfg, cut := empty(t), errors.New("cut off")
	want := toImport(time.Now())
	if _, err := mongo.Load(t.Context(), cfg, time.Now, sequence(want[:550], cut)); !errors.Is(err, cut) {
		t.Fatal(err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "import into the database is under way, or stopped") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := mongo.Open(t.Context(), cfg, time.Now)
	refused("a node", err)
	refused("a check", mongo.Inspect(t.Context(), cfg))
	_, err = mongo.Load(t.Context(), cfg, time.Now, sequence(want, nil))
	refused("another import", err)
	s, err := mongo.OpenReadOnly(t.Context(), cfg, time.Now)
	must(t, err)
	defer s.Close()
	if facts, err := s.Facts(t.Context()); err != nil || !facts.Importing {
		t.Errorf("%+v, %v", facts, err)
	}
	age := bson.D{{Key: "$set", Value: bson.D{{Key: "importing.at", Value: time.Now().Add(-2 * time.Minute).UnixNano()}}}}
	_, err = s.Collection("schema").UpdateByID(t.Context(), "schema", age)
	must(t, err)
	if n, err := mongo.Load(t.Context(), cfg, time.Now, sequence(want, nil)); n != len(want) || err != nil {
		t.Errorf("%d of %d, %v", n, len(want), err)
	}
	if got := dumped(t, s); len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	must(t, mongo.Inspect(t.Context(), cfg))
}

// An import that is not alone does not end: somebody wrote meanwhile, took it over, or it has an entry twice.
func TestImportsThatAreDisturbed(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		meanwhile func(s *mongo.Store) error
		more      []storage.Entry
		says      string
	}{
		"a node that writes": {func(s *mongo.Store) error { return s.Create(t.Context(), thing("one")) }, nil, "somebody else writes"},
		"another import": {func(s *mongo.Store) error {
			_, err := s.Collection("schema").UpdateByID(t.Context(), "schema", bson.D{{Key: "$set", Value: bson.D{{Key: "importing.by", Value: 7}}}})
			return err
		}, nil, "another one has taken over"},
		"an entry twice": {func(*mongo.Store) error { return nil }, toImport(time.Now())[:1], "comes twice"},
	} {
		cfg := empty(t)
		s, err := mongo.OpenReadOnly(t.Context(), cfg, time.Now)
		must(t, err)
		all := sequence(append(toImport(time.Now()), row.more...), nil)
		disturbed := false
		_, err = mongo.Load(t.Context(), cfg, time.Now, func(yield func(storage.Entry, error) bool) {
			for e, err := range all {
				if !disturbed {
					must(t, row.meanwhile(s))
					disturbed = true
				}
				if !yield(e, err) {
					return
				}
			}
		})
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
		if err := mongo.Inspect(t.Context(), cfg); err == nil {
			t.Errorf("%s: a node starts", name)
		}
		must(t, s.Close())
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	cfg := empty(t)
	look := func() mongo.Facts {
		t.Helper()
		s, err := mongo.OpenReadOnly(t.Context(), cfg, time.Now)
		must(t, err)
		defer s.Close()
		facts, err := s.Facts(t.Context())
		must(t, err)
		return facts
	}
	if f := look(); f.Schema != 0 || f.Known != 1 || f.Server == "" || f.Importing || len(f.Indexes) != 3 || !f.Indexes[0].Missing {
		t.Errorf("a database that there is not: %+v", f)
	}
	for _, dry := range []bool{true, false, true} {
		from, to, err := mongo.Migrate(t.Context(), cfg, dry)
		t.Logf("migrate, dry %t: from %d to %d, %v", dry, from, to, err)
		if err != nil || to != 1 {
			t.Errorf("dry %t: from %d to %d, %v", dry, from, to, err)
		}
		if want := map[bool]int{true: 0, false: 1}[dry]; look().Schema != want && from == 0 {
			t.Errorf("dry %t: the schema is %d", dry, look().Schema)
		}
	}
	s, err := mongo.OpenReadOnly(t.Context(), cfg, time.Now)
	must(t, err)
	defer s.Close()
	f := look()
	for _, i := range f.Indexes {
		if !i.Expected || i.Missing {
			t.Errorf("%+v", i)
		}
	}
	_, err = s.Collection("schema").UpdateByID(t.Context(), "schema", bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: 99}}}})
	must(t, err)
	if f := look(); f.Schema != 99 { // it can be looked at, and not used
		t.Errorf("a newer schema: %+v", f)
	}
	if _, _, err := mongo.Migrate(t.Context(), cfg, true); err == nil || !strings.Contains(err.Error(), "has version 99") {
		t.Errorf("migrate a newer schema: %v", err)
	}
}

// A reading that is left in the middle, or whose server goes away, ends.
func TestADumpThatEnds(t *testing.T) {
	t.Parallel()
	proxy, err := mongotest.NewProxy(own(t).Address())
	must(t, err)
	defer func() { must(t, proxy.Close()) }()
	cfg := config(proxy.URI)
	defer func() { must(t, own(t).Drop(context.Background(), cfg.Database)) }()
	_, err = mongo.Load(t.Context(), cfg, time.Now, sequence(toImport(time.Now()), nil))
	must(t, err)
	s, err := mongo.Open(t.Context(), cfg, time.Now)
	must(t, err)
	defer s.Close()
	for _, err := range s.Dump(t.Context()) {
		must(t, err)
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	var last error
	for _, err := range s.Dump(ctx) {
		if n++; n == 10 {
			cancel()
		}
		last = err
	}
	cancel()
	if last == nil || n > 604 {
		t.Errorf("%d entries after the context ended, %v", n, last)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for uri, want := range map[mongo.URI]string{
		"mongodb://regain:hunter2@db1,db2:27018/?replicaSet=rs0": "db1,db2:27018",
		"mongodb://db1":                          "db1",
		"mongodb+srv://regain:p%40ss@c.example/": "c.example",
		"mongodb://regain:p@ss/word@db1/admin":   "db1",
		"mongodb://a:b@db1?tls=true":             "db1",
	} {
		if got := uri.Hosts(); got != want {
			t.Errorf("%s: %s", uri.Hosts(), want)
		}
	}
}
