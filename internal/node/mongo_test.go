package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/node"
	"regain/storage"
	"regain/storage/mongo"
	"regain/storage/mongo/mongotest"
)

func onMongo(t *testing.T, uri string) config.Config {
	t.Helper()
	cfg := valid(t)
	path := filepath.Join(t.TempDir(), "mongo.uri")
	if err := os.WriteFile(path, []byte(uri+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Storage = config.StorageConfig{Backend: "mongo", Mongo: config.MongoConfig{URI: config.Secret{File: path}, Database: "regain-test-" + rand.Text(), Timeout: time.Second, MaxConnections: 8}}
	return cfg
}

// A database that nodes run on is not one to import into, from their start on: also where they were given an empty one, and
// nobody has come yet.
func TestNoImportUnderANode(t *testing.T) {
	server, err := mongotest.Start()
	if err != nil {
		t.Fatal(err)
	}
	cfg := onMongo(t, server.URI)
	defer func() {
		if err := errors.Join(server.Drop(context.Background(), cfg.Storage.Mongo.Database), server.Stop()); err != nil {
			t.Error(err)
		}
	}()
	key := filepath.Join(t.TempDir(), "audit.key")
	if err := os.WriteFile(key, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Audit.Key = config.Secret{File: key}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	database, err := keep.MongoConfig(cfg.Storage.Mongo)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := mongo.Load(t.Context(), database, time.Now, func(func(storage.Entry, error) bool) {}); n != 0 || err == nil || !strings.Contains(err.Error(), "holds something") {
		t.Errorf("%d, %v", n, err)
	}
}

// A mistake is told with its key and the cure, and never with the password.
func TestMistakesOfMongo(t *testing.T) {
	const away = "mongodb://regain:hunter2@127.0.0.1:1/?connectTimeoutMS=200"
	for name, row := range map[string]struct {
		uri    string
		change func(c *config.MongoConfig)
		says   []string
	}{
		"no URI":          {away, func(c *config.MongoConfig) { c.URI = config.Secret{} }, []string{"storage.mongo.uri: set storage.mongo.uri.file"}},
		"no database":     {away, func(c *config.MongoConfig) { c.Database = "" }, []string{"storage.mongo.database: name the database"}},
		"too hasty":       {away, func(c *config.MongoConfig) { c.Timeout = time.Millisecond }, []string{"storage.mongo.timeout: 1s or more"}},
		"no connections":  {away, func(c *config.MongoConfig) { c.MaxConnections = 0 }, []string{"storage.mongo.max_connections: 1 or more"}},
		"two at once":     {away, func(c *config.MongoConfig) { c.MaxConnections, c.Database = 0, "" }, []string{"storage.mongo.database", "storage.mongo.max_connections"}},
		"another scheme":  {uri: "postgres://regain:hunter2@127.0.0.1/", says: []string{"storage.mongo.uri: is no MongoDB URI"}},
		"a bare password": {uri: "mongodb://regain:hunter2@hunter2@127.0.0.1/", says: []string{"storage.mongo.uri: is no MongoDB URI", "%40"}},
		"weak writes":     {uri: "mongodb://regain:hunter2@127.0.0.1/?w=1", says: []string{"storage.mongo.uri: the URI's option w: leave it out"}},
		"stale reads":     {uri: "mongodb://regain:hunter2@127.0.0.1/?readPreference=secondary", says: []string{"option readPreference: leave it out"}},
		"any certificate": {uri: "mongodb://regain:hunter2@127.0.0.1/?tls=true&tlsInsecure=true", says: []string{"option tlsInsecure", "tlsCAFile"}},
		"nobody there":    {uri: away, says: []string{"storage: mongo store: no primary answers", "127.0.0.1:1", "connection refused", "check the hosts"}},
	} {
		for _, start := range map[string]func(config.Config) error{"check": node.Check, "start": func(cfg config.Config) error {
			if name == "nobody there" { // which waiting may cure: TestADatabaseThatIsAwayAtTheStart
				_, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
				return err
			}
			return node.Serve(t.Context(), cfg, slog.New(slog.DiscardHandler))
		}} {
			cfg := onMongo(t, row.uri)
			if row.change != nil {
				row.change(&cfg.Storage.Mongo)
			}
			err := start(cfg)
			for _, want := range row.says {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want it to say %q", name, err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: the password is shown: %v", name, err)
			}
		}
	}
}

// A node on MongoDB starts, is ready, and stores; a check beside it changes nothing.
func TestANodeOnMongo(t *testing.T) {
	server, err := mongotest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	cfg := onMongo(t, server.URI)
	cfg.Storage.Mongo.Timeout = 5 * time.Second
	defer func() {
		if err := server.Drop(context.Background(), cfg.Storage.Mongo.Database); err != nil {
			t.Error(err)
		}
	}()
	cfg.Listen = freeAddress(t)
	if err := node.Check(cfg); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(slog.NewJSONHandler(&logged, nil))) }()
	if body := get(t, http.DefaultClient, "http://"+cfg.Listen+"/healthz"); strings.TrimSpace(body) != "ok" {
		t.Errorf("got %s", body)
	}
	if err := node.Check(cfg); err != nil {
		t.Errorf("beside the node: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(logged.String(), `"storage":"mongo"`) || strings.Contains(logged.String(), server.URI) {
		t.Errorf("the log has %s", &logged)
	}
}

// Two nodes share a store, each with its own log, and both start again.
func TestNodesThatShareAStore(t *testing.T) {
	server, err := mongotest.Start()
	if err != nil {
		t.Fatal(err)
	}
	first := onMongo(t, server.URI)
	first.Storage.Mongo.Timeout, first.Audit.Node = 5*time.Second, "first"
	second := first
	second.Audit.File, second.Audit.Node = first.Audit.File+"-2", "second"
	t.Cleanup(func() {
		if err := errors.Join(server.Drop(context.Background(), first.Storage.Mongo.Database), server.Stop()); err != nil {
			t.Error(err)
		}
	})
	deps := node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader}
	for range 2 {
		var running []*node.Node
		for _, cfg := range []config.Config{first, second} {
			n, err := node.New(cfg, deps)
			if err != nil {
				t.Fatal(err)
			}
			running = append(running, n)
		}
		for _, n := range running {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	second.Audit.Node = "first"
	if n, err := node.New(second, deps); err == nil || !strings.Contains(err.Error(), "audit.file") {
		t.Errorf("with the name of another node: %v", err)
		if err == nil {
			t.Error(n.Close())
		}
	}
}
