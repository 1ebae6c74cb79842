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

// one is the server of all tests, started when the first one needs it.
var one struct {
	once   sync.Once
	server *mongotest.Server
	err    error
}

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil { // they wait for the driver, half a second for each connection that broke
		panic(err)
	}
	code := m.Run()
	if one.server != nil {
		if err := one.server.Stop(); err != nil {
			fmt.Println("stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func server(t testing.TB) *mongotest.Server {
	t.Helper()
	one.once.Do(func() {
		if one.server, one.err = mongotest.Start(); one.err == nil && one.server.Own {
			fmt.Println(mongotest.NotModelled)
		}
	})
	if one.err != nil {
		t.Fatal(one.err)
	}
	return one.server
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
