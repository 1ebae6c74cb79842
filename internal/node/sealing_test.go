package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/keep"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/mongo/mongotest"
)

// sharing is several nodes over one store, each with a file of encryption keys of its own, as on machines of their own.
type sharing struct {
	fixture
	store storage.Store
	nodes []*Node
	logs  []*told
}

func share(t *testing.T, count int) *sharing {
	t.Helper()
	s := &sharing{fixture: newFixture(t)}
	store, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.store = store
	t.Setenv("TMPDIR", t.TempDir())
	for i := range count {
		cfg, err := config.Development(config.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		s.logs = append(s.logs, &told{})
		cfg.Secrets.Encryption = config.Secret{File: s.keys(i, 1)}
		n, err := s.start(cfg, s.logs[i])
		if err != nil {
			t.Fatal(err)
		}
		s.nodes = append(s.nodes, n)
		t.Cleanup(func() { _ = n.Close() })
	}
	return s
}

func (s *sharing) start(cfg config.Config, log *told) (*Node, error) {
	return New(cfg, Deps{Logger: slog.New(slog.NewJSONHandler(log, nil)), Clock: time.Now, Random: rand.Reader, Wrap: func(storage.Store) storage.Store { return s.store }})
}

// keys writes the keys of one node, the first of which seals, and returns the file.
func (s *sharing) keys(node int, fill ...byte) string {
	s.t.Helper()
	return s.write(fmt.Sprintf("encryption-%d.keys", node), []byte(keyText(fill...)))
}

func keyText(fill ...byte) string {
	var list []string
	for _, b := range fill {
		list = append(list, base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)))
	}
	return strings.Join(list, ",")
}

func idOf(t *testing.T, fill byte) storage.KeyID {
	t.Helper()
	ring, err := storage.ParseKeyring(keyText(fill))
	if err != nil {
		t.Fatal(err)
	}
	return ring.IDs()[0]
}

// everywhere has each node make a record, which each of them reads and changes, and reads at each what was made before.
func (s *sharing) everywhere(step string) {
	s.t.Helper()
	for i, maker := range s.nodes {
		id := fmt.Sprintf("%s/%d", step, i)
		if err := maker.kept.Store.Create(s.t.Context(), storage.Record{Kind: "thing", ID: id, Group: "all", Data: []byte("0"), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
			s.t.Fatalf("%s: node %d: %v", step, i, err)
		}
		for j, reader := range s.nodes {
			r, err := reader.kept.Store.Get(s.t.Context(), "thing", id)
			if err == nil {
				err = reader.kept.Store.Update(s.t.Context(), r)
			}
			if err != nil {
				s.t.Errorf("%s: node %d cannot work on what node %d made: %v", step, j, i, err)
			}
		}
	}
	for j, reader := range s.nodes {
		if list, err := reader.kept.Store.List(s.t.Context(), "thing", "all", "", 1000); err != nil || len(list) == 0 {
			s.t.Errorf("%s: node %d cannot read what there is: %v", step, j, err)
		}
		if _, err := reader.kept.Store.Get(s.t.Context(), "client", "registered"); err != nil {
			s.t.Errorf("%s: node %d cannot read what never ends: %v", step, j, err)
		}
	}
}

// Two nodes over one store announce, use and retire a key, one after the other, while both serve: at no time one of them
// meets a record that it cannot open. The old key is not let go while something needs it.
func TestEncryptionKeysRotateOverNodes(t *testing.T) {
	s := share(t, 2)
	if err := s.nodes[0].kept.Store.Create(t.Context(), storage.Record{Kind: "client", ID: "registered", Data: []byte("for ever")}); err != nil {
		t.Fatal(err)
	}
	s.everywhere("one key")
	for _, step := range []struct {
		name string
		keys []byte
	}{{"announced", []byte{1, 2}}, {"used", []byte{2, 1}}} {
		for i, n := range s.nodes {
			s.keys(i, step.keys...)
			if err := n.Reload(); err != nil {
				t.Fatalf("%s at node %d: %v", step.name, i, err)
			}
			n.kept.TendKeys()
			s.everywhere(fmt.Sprintf("%s at %d of 2", step.name, i+1))
		}
	}
	s.keys(0, 2)
	old := idOf(t, 1)
	err := s.nodes[0].Reload()
	for _, says := range []string{"secrets.encryption_keys: the key " + old.String() + " is not there, and records need it (", " thing until 20", "put it back, behind the key that is used", "regain keys forget " + old.String()} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("retired too early: got %v, want %q", err, says)
		}
	}
	if strings.Contains(fmt.Sprint(err), "client") {
		t.Errorf("what never ends was not sealed anew: %v", err)
	}
	s.everywhere("retired too early")
	for _, id := range []string{"one key/0", "one key/1", "announced at 1 of 2/0", "announced at 1 of 2/1", "announced at 2 of 2/0", "announced at 2 of 2/1", "used at 1 of 2/0", "used at 1 of 2/1"} {
		if err := s.store.Delete(t.Context(), "thing", id); err != nil { // as if it had ended
			t.Fatal(err)
		}
	}
	for i, n := range s.nodes {
		s.keys(i, 2)
		if err := n.Reload(); err != nil {
			t.Fatalf("retired at node %d: %v", i, err)
		}
		s.everywhere(fmt.Sprintf("retired at %d of 2", i+1))
	}
}

// A node that uses a key before it was announced is the mistake that the order avoids: the other one says which key it
// lacks, and takes it without a restart.
func TestAKeyThatWasNotAnnounced(t *testing.T) {
	s := share(t, 2)
	s.keys(0, 2, 1)
	if err := s.nodes[0].Reload(); err != nil {
		t.Fatal(err)
	}
	if err := s.nodes[0].kept.Store.Create(t.Context(), storage.Record{Kind: "thing", ID: "early"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.nodes[1].kept.Store.Get(t.Context(), "thing", "early")
	var unknown *storage.UnknownKeyError
	if !errors.As(err, &unknown) || unknown.Missing != idOf(t, 2) {
		t.Errorf("got %v", err)
	}
	s.keys(1, 1, 2)
	if err := s.nodes[1].Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.nodes[1].kept.Store.Get(t.Context(), "thing", "early"); err != nil {
		t.Errorf("after it was announced: %v", err)
	}
}

// A start without a key that records need is refused, with the key and the cure; whoever lost it forgets what it sealed.
func TestAStartWithoutAKeyThatIsNeeded(t *testing.T) {
	s := share(t, 1)
	n := s.nodes[0]
	for id, ends := range map[string]time.Time{"1": {}, "2": time.Now().Add(time.Hour)} {
		if err := n.kept.Store.Create(t.Context(), storage.Record{Kind: "client", ID: id, ExpiresAt: ends}); err != nil {
			t.Fatal(err)
		}
	}
	cfg := n.cfg
	s.keys(0, 2)
	started, err := s.start(cfg, &told{})
	for _, says := range []string{"secrets.encryption_keys: the key " + idOf(t, 1).String() + " is not there", "2 client without an end", "put it back"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	if err == nil {
		_ = started.Close()
	}
	deps := Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader, Wrap: func(storage.Store) storage.Store { return s.store }}
	if _, err := keep.ForgetKey(t.Context(), cfg, idOf(t, 2), deps.keep()); err == nil || !strings.Contains(err.Error(), "is in secrets.encryption_keys, and opens its records: take it out first") {
		t.Errorf("a key that is there was forgotten: %v", err)
	}
	if removed, err := keep.ForgetKey(t.Context(), cfg, idOf(t, 1), deps.keep()); err != nil || removed != 2 {
		t.Errorf("forgot %d records: %v", removed, err)
	}
	if started, err = s.start(cfg, &told{}); err != nil {
		t.Fatalf("after what is lost was forgotten: %v", err)
	}
	if err := started.Close(); err != nil {
		t.Error(err)
	}
}

// The file store rotates as others do, and its sum follows: the old key can go at the next start. What it needs is told of a
// stopped node, and a node that runs logs it.
func TestEncryptionKeysRotateInAFile(t *testing.T) {
	f := newFixture(t)
	t.Setenv("TMPDIR", t.TempDir())
	cfg, err := config.Development(config.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Storage = config.StorageConfig{Backend: "file", Path: filepath.Join(t.TempDir(), "regain.db")}
	cfg.Audit.File = filepath.Join(t.TempDir(), "audit.jsonl")
	cfg.Secrets.Encryption = config.Secret{File: f.write("encryption.keys", []byte(keyText(1)))}
	log := &told{}
	start := func() *Node {
		t.Helper()
		n, err := New(cfg, Deps{Logger: slog.New(slog.NewJSONHandler(log, nil)), Clock: time.Now, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := start()
	if err := n.kept.Store.Create(t.Context(), storage.Record{Kind: "client", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := n.kept.Store.Create(t.Context(), storage.Record{Kind: "session", ID: "1", ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := keep.Keys(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "another process uses it: a node that runs logs the same when it gets SIGHUP") {
		t.Errorf("beside the node: %v", err)
	}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	stop := n.watch(logger, time.Now, 10*time.Millisecond)
	f.write("encryption.keys", []byte(keyText(2, 1)))
	eventually(t, "the new key to be used, and what needs the old one", func() bool {
		return strings.Contains(log.String(), fmt.Sprintf(`"msg":"encryption keys","used":"%s","key":"%s","needed":"1 session until `, idOf(t, 2), idOf(t, 1)))
	})
	if err := n.kept.Store.Delete(t.Context(), "session", "1"); err != nil {
		t.Fatal(err)
	}
	n.kept.TendKeys()
	if !strings.Contains(log.String(), "by nothing: take it out when every node uses "+idOf(t, 2).String()) {
		t.Errorf("nothing needs the old key, and nobody says so: %s", log)
	}
	stop()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	use, err := keep.Keys(t.Context(), cfg, time.Now)
	if err != nil || len(use.Keys) != 2 || use.Keys[0] != idOf(t, 2) {
		t.Errorf("of a stopped node: %+v, %v", use, err)
	}
	for _, need := range use.Needs {
		if need.Key != idOf(t, 2) {
			t.Errorf("needs the old key: %+v", need)
		}
	}
	f.write("encryption.keys", []byte(keyText(2)))
	if err := start().Close(); err != nil {
		t.Error(err)
	}
}

// What cannot be looked through says why.
func TestKeysOfStoresThatCannotBeLookedThrough(t *testing.T) {
	f := newFixture(t)
	cfg := config.Defaults()
	if _, err := keep.Keys(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "secrets.encryption_keys: set ") {
		t.Errorf("no keys: %v", err)
	}
	cfg.Secrets.Encryption = config.Secret{File: f.write("encryption.keys", []byte(keyText(1)))}
	if _, err := keep.Keys(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "storage: storage.backend memory: keeps its records in the node") {
		t.Errorf("memory: %v", err)
	}
	cfg.Storage = config.StorageConfig{Backend: "file", Path: f.path("none.db")}
	if _, err := keep.Keys(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "none.db") {
		t.Errorf("no file: %v", err)
	}
	cfg.Storage.Backend = "mongo"
	if _, err := keep.Keys(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "storage: storage.mongo.uri: set") {
		t.Errorf("no database: %v", err)
	}
}

// Over a database, the command and the check look beside the nodes that serve, and a start without a needed key is refused.
func TestKeysOverMongo(t *testing.T) {
	server, err := mongotest.Start()
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	t.Setenv("TMPDIR", t.TempDir())
	cfg, err := config.Development(config.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Storage.Backend, cfg.Storage.Mongo.Database = "mongo", "regain-test-"+rand.Text()
	cfg.Storage.Mongo.URI = config.Secret{File: f.write("mongo.uri", []byte(server.URI))}
	cfg.Audit.File = filepath.Join(t.TempDir(), "audit.jsonl")
	cfg.Secrets.Encryption = config.Secret{File: f.write("encryption.keys", []byte(keyText(1)))}
	t.Cleanup(func() {
		if err := errors.Join(server.Drop(context.Background(), cfg.Storage.Mongo.Database), server.Stop()); err != nil {
			t.Error(err)
		}
	})
	deps := Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader}
	n, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.kept.Store.Create(t.Context(), storage.Record{Kind: "session", ID: "1", ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	use, err := keep.Keys(t.Context(), cfg, time.Now)
	if err != nil || len(use.Needs) == 0 || use.Needs[len(use.Needs)-1].Kind != "session" || use.Needs[0].Key != idOf(t, 1) {
		t.Errorf("beside the node: %+v, %v", use, err)
	}
	if err := Check(cfg); err != nil {
		t.Errorf("beside the node: %v", err)
	}
	f.write("encryption.keys", []byte(keyText(2, 1)))
	if err := errors.Join(n.Reload(), n.Close()); err != nil {
		t.Fatal(err)
	}
	f.write("encryption.keys", []byte(keyText(2)))
	for name, start := range map[string]func() error{"check": func() error { return Check(cfg) }, "start": func() error {
		n, err := New(cfg, deps)
		if err == nil {
			err = n.Close()
		}
		return err
	}} {
		if err := start(); err == nil || !strings.Contains(err.Error(), "the key "+idOf(t, 1).String()+" is not there, and records need it (") {
			t.Errorf("%s without the old key: %v", name, err)
		}
	}
	if removed, err := keep.ForgetKey(t.Context(), cfg, idOf(t, 1), deps.keep()); err != nil || removed == 0 {
		t.Errorf("forgot %d: %v", removed, err)
	}
	if err := Check(cfg); err != nil {
		t.Errorf("after the lost key was forgotten: %v", err)
	}
}
