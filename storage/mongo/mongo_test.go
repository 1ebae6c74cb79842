package mongo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"regain/storage"
	"regain/storage/mongo"
	"regain/storage/mongo/mongotest"
	"regain/storage/storagetest"
)

// started is a server that is started when the first test needs it.
type started struct {
	once   sync.Once
	server *mongotest.Server
	err    error
}

// one is the server of all tests, and local that of those that need a proxy: the driver of a replica set goes round it.
var one, local started

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil { // they wait for the driver, half a second for each connection that broke
		panic(err)
	}
	code := m.Run()
	for _, s := range []*started{&one, &local} {
		if s.server == nil {
			continue
		}
		if err := s.server.Stop(); err != nil {
			fmt.Println("stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func (s *started) get(t testing.TB, start func() (*mongotest.Server, error)) *mongotest.Server {
	t.Helper()
	s.once.Do(func() {
		if s.server, s.err = start(); s.err == nil && s.server.Own {
			fmt.Println(mongotest.NotModelled)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

func server(t testing.TB) *mongotest.Server {
	t.Helper()
	return one.get(t, mongotest.Start)
}

// own is a server that was started here.
func own(t testing.TB) *mongotest.Server {
	t.Helper()
	if s := server(t); s.Own {
		return s
	}
	return local.get(t, func() (*mongotest.Server, error) { return mongotest.StartOwn() })
}

// fresh names a database that there is not yet.
func fresh() string { return "regain-test-" + rand.Text() }

func config(uri string) mongo.Config { return mongo.Config{URI: mongo.URI(uri), Database: fresh()} }

// open opens a store and drops its database at the end. The caller closes it.
func open(t testing.TB, cfg mongo.Config, clock func() time.Time) *mongo.Store {
	t.Helper()
	s, err := mongo.Open(t.Context(), cfg, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server(t).Drop(context.Background(), cfg.Database); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		return open(t, config(server(t).URI), clock)
	})
}

func TestClockThatJumps(t *testing.T) {
	storagetest.RunClockThatJumps(t, func(t *testing.T, wall func() time.Time, elapsed func() time.Duration) storage.Store {
		t.Helper()
		s := open(t, config(server(t).URI), wall)
		s.Elapsed(elapsed)
		return s
	})
}

// Three nodes over one database.
func TestNodes(t *testing.T) {
	storagetest.RunNodes(t, func(t *testing.T, clocks ...func() time.Time) []storage.Store {
		t.Helper()
		cfg := config(server(t).URI)
		var nodes []storage.Store
		for _, clock := range clocks {
			nodes = append(nodes, open(t, cfg, clock))
		}
		return nodes
	})
}

// A few connections are open before anybody needs them, and no more than the configuration says afterwards.
func TestThePoolIsBounded(t *testing.T) {
	proxy, err := mongotest.NewProxy(own(t).Address())
	must(t, err)
	defer func() { must(t, proxy.Close()) }()
	cfg := config(proxy.URI)
	cfg.MaxConnections = 6
	s, err := mongo.Open(t.Context(), cfg, time.Now)
	must(t, err)
	defer func() {
		must(t, s.Close())
		must(t, own(t).Drop(context.Background(), cfg.Database))
	}()
	const watching = 2 // of the driver: whether the server is there, and how far it is
	for deadline := time.Now().Add(10 * time.Second); proxy.Most() < 4+1 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := proxy.Most(); n < 4 || n > 6+watching {
		t.Errorf("%d connections are open, want 4 to 6 beside the driver's %d", n, watching)
	}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := s.Increment(t.Context(), kind, "a", time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := proxy.Most(); n > 6+watching {
		t.Errorf("%d connections were open at once, want 6 beside the driver's %d", n, watching)
	}
	counts(65)(t, s)
}

// A document that is none of ours is told, at once and by its id, and taken for nothing.
func TestDamagedDocuments(t *testing.T) {
	for field, value := range map[string]any{"version": "one", "data": 7, "ends": "never", "group": 7, "updated_by": "x"} {
		s := open(t, config(server(t).URI), time.Now)
		must(t, s.Create(t.Context(), storage.Record{Kind: kind, ID: "a", Group: "g", Data: []byte("one")}))
		if _, err := s.Increment(t.Context(), kind, "a", time.Hour); err != nil {
			t.Fatal(err)
		}
		set := bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}, {Key: "count", Value: "x"}}}}
		for _, name := range []string{"records", "counters"} {
			_, err := s.Collection(name).UpdateByID(t.Context(), "thing:a", set)
			must(t, err)
		}
		_, got := s.Get(t.Context(), kind, "a")
		_, consumed := s.Consume(t.Context(), kind, "a")
		_, counted := s.Increment(t.Context(), kind, "a", time.Hour)
		for what, err := range map[string]error{"get": got, "consume": consumed, "count": counted, "create": s.Create(t.Context(), thing("new"))} {
			if err == nil || !strings.Contains(err.Error(), "damaged") && what != "count" || errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrUncertain) {
				t.Errorf("%s of a document with another %s: %v", what, field, err)
			}
		}
		must(t, s.Close())
	}
	s := open(t, config(server(t).URI), time.Now)
	defer s.Close()
	must(t, s.Create(t.Context(), storage.Record{Kind: kind, ID: "a", Group: "g"}))
	_, err := s.Collection("records").UpdateByID(t.Context(), "thing:a", bson.D{{Key: "$set", Value: bson.D{{Key: "group", Value: "x"}}}})
	must(t, err)
	if r, err := s.Get(t.Context(), kind, "a"); err != nil || r.Group != "x" { // the seal tells that it is another
		t.Errorf("got group %q, %v", r.Group, err)
	}
}
