package mongo_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

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
