package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"regain/internal/backup"
	"regain/internal/config"
	"regain/internal/costtest"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/generation"
	"regain/storage/mongo"
	"regain/storage/mongo/mongotest"
)

// server is started when the first test needs it.
var server = sync.OnceValues(func() (*mongotest.Server, error) {
	s, err := mongotest.Start()
	if err == nil && s.Own {
		fmt.Println(mongotest.NotModelled)
	}
	started = s
	return s, err
})

var started *mongotest.Server

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if started != nil {
		if err := started.Stop(); err != nil {
			fmt.Println("stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keyring(t testing.TB, fill ...byte) *storage.Keyring {
	t.Helper()
	var keys [][]byte
	for _, b := range fill {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	ring, err := storage.NewKeyring(keys...)
	must(t, err)
	return ring
}

// onFile is a file store that there is not yet.
func onFile(t testing.TB) backup.Command {
	t.Helper()
	return backup.Command{Storage: config.StorageConfig{Backend: "file", Path: filepath.Join(t.TempDir(), "regain.db")}, Keys: keyring(t, 1), Clock: time.Now}
}

// onMongo is a database that there is not yet.
func onMongo(t *testing.T) backup.Command {
	t.Helper()
	s, err := server()
	must(t, err)
	uri := filepath.Join(t.TempDir(), "uri")
	must(t, os.WriteFile(uri, []byte(s.URI), 0o600))
	c := onFile(t)
	c.Storage = config.StorageConfig{Backend: "mongo", Mongo: config.MongoConfig{URI: config.Secret{File: uri}, Database: "regain-test-" + rand.Text(), Timeout: 5 * time.Second, MaxConnections: 8}}
	t.Cleanup(func() { must(t, s.Drop(context.Background(), c.Storage.Mongo.Database)) })
	return c
}

// use opens the store of a command as a node does, with its seal.
func use(t testing.TB, c backup.Command, do func(backend, sealed storage.Store)) {
	t.Helper()
	var backend storage.Store
	var err error
	if c.Storage.Backend == "file" {
		backend, err = bolt.Open(c.Storage.Path, c.Clock, c.Keys)
	} else {
		var uri string
		uri, err = c.Storage.Mongo.URI.Read("uri")
		must(t, err)
		backend, err = mongo.Open(t.Context(), mongo.Config{URI: mongo.URI(uri), Database: c.Storage.Mongo.Database}, c.Clock)
	}
	must(t, err)
	sealed, err := storage.NewSealed(backend, c.Keys)
	must(t, err)
	do(backend, sealed)
	must(t, backend.Close())
}

// later is the clock by which one record of fill is over.
func later() time.Time { return time.Now().Add(20 * time.Minute) }

// fill stores what a node does: what may come back, what may not, what is over, and counters.
func fill(t testing.TB, c backup.Command) {
	t.Helper()
	use(t, c, func(_, sealed storage.Store) {
		for _, r := range []storage.Record{
			{Kind: "client", ID: "registered", Data: []byte("client")},
			{Kind: "jti", ID: "used", ExpiresAt: time.Now().Add(time.Hour)},
			{Kind: "jti", ID: "over", ExpiresAt: time.Now().Add(10 * time.Minute)}, // by the clock of later
			{Kind: "audit_head", ID: "head", Data: []byte("head")},
			{Kind: "transaction", ID: "txn", Data: []byte("transaction"), ExpiresAt: time.Now().Add(time.Hour)},
			{Kind: "code", ID: "code", Data: []byte("code"), ExpiresAt: time.Now().Add(time.Hour)},
			{Kind: "session", ID: "session", Group: "account", Data: []byte("session"), ExpiresAt: time.Now().Add(time.Hour)},
			{Kind: "a kind of tomorrow", ID: "x"},
		} {
			must(t, sealed.Create(t.Context(), r))
		}
		must(t, sealed.Update(t.Context(), storage.Record{Kind: "client", ID: "registered", Group: "clients", Version: 1, Data: []byte("client, updated")}))
		for range 3 {
			_, err := sealed.Increment(t.Context(), "attempts", "account", time.Hour)
			must(t, err)
		}
	})
}

// Between backends and within one, what may come back does, with its version, group, end and count, and goes on from there; the
// rest is counted and left; and the store is not the one that it was copied from.
func TestFromStoreToStore(t *testing.T) {
	for name, pair := range map[string][2]func(t *testing.T) backup.Command{
		"file to mongo":  {func(t *testing.T) backup.Command { return onFile(t) }, onMongo},
		"mongo to file":  {onMongo, func(t *testing.T) backup.Command { return onFile(t) }},
		"mongo to mongo": {onMongo, onMongo},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := pair[0](t), pair[1](t)
			fill(t, from)
			use(t, from, func(_, sealed storage.Store) { must(t, generation.Mark(t.Context(), sealed)) })
			from.Clock = later
			var stream bytes.Buffer
			n, err := from.Export(t.Context(), &stream)
			if n != 9 || err != nil { // all but the one that is over
				t.Fatalf("%d records and counters, %v", n, err)
			}
			done, err := to.Import(t.Context(), bytes.NewReader(stream.Bytes()))
			if err != nil || done.Stored != 6 || fmt.Sprint(done.Left) != "map[a kind of tomorrow:1 code:1 session:1 transaction:1]" {
				t.Fatalf("%+v, %v", done, err)
			}
			var said bytes.Buffer
			if must(t, done.Text(&said)); !strings.Contains(said.String(), "1 a kind of tomorrow, 1 code, 1 session, 1 transaction") {
				t.Errorf("it says %s", &said)
			}
			use(t, to, func(backend, sealed storage.Store) {
				r, err := sealed.Get(t.Context(), "client", "registered")
				if err != nil || string(r.Data) != "client, updated" || r.Version != 2 || r.Group != "clients" {
					t.Errorf("%+v, %v", r, err)
				}
				must(t, sealed.Update(t.Context(), r))
				if list, err := sealed.List(t.Context(), "client", "clients", "", 9); err != nil || len(list) != 1 {
					t.Errorf("a group: %v, %v", list, err)
				}
				if err := sealed.Create(t.Context(), storage.Record{Kind: "jti", ID: "used", ExpiresAt: time.Now().Add(time.Hour)}); !errors.Is(err, storage.ErrExists) {
					t.Errorf("what was used once: %v", err)
				}
				if n, err := sealed.Increment(t.Context(), "attempts", "account", time.Hour); n != 4 || err != nil {
					t.Errorf("a counter: %d, %v", n, err)
				}
				for kind, id := range map[storage.Kind]string{"transaction": "txn", "code": "code", "session": "session", "a kind of tomorrow": "x"} {
					if _, err := backend.Get(t.Context(), kind, id); !errors.Is(err, storage.ErrNotFound) {
						t.Errorf("%s came back: %v", kind, err)
					}
				}
				if at, err := generation.RestoredAt(t.Context(), sealed); err != nil || time.Since(at) > time.Minute || at.IsZero() {
					t.Errorf("filled at %s, %v", at, err)
				}
				now, err := sealed.Get(t.Context(), storage.KindGeneration, "generation")
				must(t, err)
				use(t, from, func(_, sealed storage.Store) {
					if then, err := sealed.Get(t.Context(), storage.KindGeneration, "generation"); err != nil || bytes.Equal(then.Data, now.Data) || bytes.Compare(then.Data[:8], now.Data[:8]) >= 0 {
						t.Errorf("generation %x after %x, %v", now.Data, then.Data, err)
					}
				})
			})
			// Once more, and nothing is replaced or mixed.
			if _, err := to.Import(t.Context(), bytes.NewReader(stream.Bytes())); err == nil || !strings.Contains(err.Error(), "an import needs an empty") {
				t.Errorf("imported again: %v", err)
			}
		})
	}
}

// What is imported is sealed with the newest key, so that the one of then can go.
func TestAnImportSealsAnew(t *testing.T) {
	from, to := onFile(t), onFile(t)
	fill(t, from)
	var stream bytes.Buffer
	_, err := from.Export(t.Context(), &stream)
	must(t, err)
	to.Keys = keyring(t, 2, 1)
	_, err = to.Import(t.Context(), &stream)
	must(t, err)
	to.Keys = keyring(t, 2)
	use(t, to, func(_, sealed storage.Store) {
		if r, err := sealed.Get(t.Context(), "client", "registered"); err != nil || string(r.Data) != "client, updated" {
			t.Errorf("%s, %v", r.Data, err)
		}
	})
}

// An import that fails leaves no store, whatever it read until then, and nothing beside it.
func TestNothingIsHalfImported(t *testing.T) {
	from := onFile(t)
	fill(t, from)
	use(t, from, func(_, sealed storage.Store) {
		for i := range 3000 {
			if i%100 == 0 { // each waits for the disk
				must(t, sealed.Create(t.Context(), storage.Record{Kind: "client", ID: fmt.Sprint(i), Data: make([]byte, 20_000)}))
			}
		}
	})
	var stream bytes.Buffer
	_, err := from.Export(t.Context(), &stream)
	must(t, err)
	changed := bytes.Clone(stream.Bytes())
	changed[len(changed)-100] ^= 1
	for name, in := range map[string]io.Reader{
		"cut off": bytes.NewReader(stream.Bytes()[:stream.Len()*2/3]), "without its last octet": bytes.NewReader(stream.Bytes()[:stream.Len()-1]),
		"changed": bytes.NewReader(changed), "nothing": bytes.NewReader(nil),
	} {
		to := onFile(t)
		if done, err := to.Import(t.Context(), in); err == nil {
			t.Errorf("%s: %+v", name, done)
		}
		if left, err := os.ReadDir(filepath.Dir(to.Storage.Path)); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
	other := onFile(t)
	other.Keys = keyring(t, 3)
	if _, err := other.Import(t.Context(), bytes.NewReader(stream.Bytes())); err == nil || !strings.Contains(err.Error(), "secrets.encryption_keys") {
		t.Errorf("another key: %v", err)
	}
}

// A copy has its name when it is whole. What fails leaves nothing, and nothing is overwritten: not a file, not a link, not one
// that came meanwhile.
func TestCopiesThatFail(t *testing.T) {
	c := onFile(t)
	fill(t, c)
	directory := t.TempDir()
	there, link := filepath.Join(directory, "there"), filepath.Join(directory, "link")
	must(t, os.WriteFile(there, []byte("mine"), 0o600))
	must(t, os.Symlink(filepath.Join(directory, "nowhere"), link))
	for _, to := range []string{there, link, directory} {
		if err := c.Copy(t.Context(), to, io.Discard); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	wrong := c
	wrong.Keys = keyring(t, 2)
	if err := wrong.Copy(t.Context(), filepath.Join(directory, "copy"), io.Discard); err == nil || !strings.Contains(err.Error(), "read the sum of the file") {
		t.Errorf("another key: %v", err)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
	must(t, c.Copy(t.Context(), filepath.Join(directory, "copy"), io.Discard))
	if info, err := os.Stat(filepath.Join(directory, "copy")); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	database := c
	database.Storage.Backend = "mongo"
	if err := database.Copy(t.Context(), filepath.Join(directory, "another"), io.Discard); err == nil || !strings.Contains(err.Error(), "storage export") {
		t.Errorf("a copy of a database: %v", err)
	}
}

// A volume that is full where a copy, an export or an import goes ends it with the cause, and nothing is left. The limit is
// one of a process, so it is another one.
func TestAFullVolume(t *testing.T) {
	if os.Getenv("REGAIN_FULL_VOLUME") == "" {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAFullVolume$", "-test.v")
		again.Env = append(os.Environ(), "REGAIN_FULL_VOLUME=yes")
		if said, err := again.CombinedOutput(); err != nil || !bytes.Contains(said, []byte("--- PASS: TestAFullVolume")) {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	c, to := onFile(t), onFile(t)
	fill(t, c)
	use(t, c, func(_, sealed storage.Store) {
		must(t, sealed.Create(t.Context(), storage.Record{Kind: "client", ID: "large", Data: make([]byte, 200_000)}))
	})
	var stream bytes.Buffer
	_, err := c.Export(t.Context(), &stream)
	must(t, err)
	signal.Ignore(syscall.SIGXFSZ)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}))
	directory := filepath.Dir(to.Storage.Path)
	for name, do := range map[string]func() error{
		"copy":   func() error { return c.Copy(t.Context(), filepath.Join(directory, "copy"), io.Discard) },
		"export": func() error { _, err := c.ExportFile(t.Context(), filepath.Join(directory, "export")); return err },
		"import": func() error { _, err := to.Import(t.Context(), &stream); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "file too large") { // bbolt leaves a text of it
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestStatus(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) backup.Command{"file": func(t *testing.T) backup.Command { return onFile(t) }, "mongo": onMongo} {
		c := open(t)
		fill(t, c)
		c.Clock = later
		s, err := c.Status(t.Context())
		must(t, err)
		counts := map[string]string{}
		for _, k := range slices.Concat(s.Records, s.Counters) {
			counts[string(k.Kind)] = fmt.Sprintf("%d, %d over, %d endless, first %t last %t, some %t", k.Count, k.Expired, k.Endless, k.FirstEnd != nil, k.LastEnd != nil, k.Bytes > 0)
		}
		for kind, want := range map[string]string{
			"jti": "2, 1 over, 0 endless, first true last true, some true", "client": "1, 0 over, 1 endless, first false last false, some true",
			"attempts": "1, 0 over, 0 endless, first true last true, some false",
		} {
			if counts[kind] != want {
				t.Errorf("%s: %s: %s, want %s", name, kind, counts[kind], want)
			}
		}
		var text, object bytes.Buffer
		must(t, s.Text(&text))
		must(t, s.JSON(&object))
		for _, secret := range []string{"registered", "txn", "client, updated"} {
			if strings.Contains(text.String()+object.String(), secret) {
				t.Errorf("%s: it names %s", name, secret)
			}
		}
		var read backup.Status
		must(t, json.Unmarshal(object.Bytes(), &read))
		if name == "mongo" && (read.Schema == nil || !read.Schema.Current || len(read.Indexes) != 3 || read.Server == "" || !strings.Contains(text.String(), "which is this program's")) ||
			name == "file" && (read.Bytes == 0 || read.Free == nil || read.Schema != nil) {
			t.Errorf("%s: %+v\n%s", name, read, &text)
		}
	}
}

// No credentials are in what status says of a database, nor in why it cannot say anything.
func TestCredentialsAreNotTold(t *testing.T) {
	s, err := server()
	must(t, err)
	address := strings.TrimPrefix(mongo.URI(s.URI).Hosts(), "//")
	for _, host := range []string{address, "127.0.0.1:1"} {
		c := onMongo(t)
		must(t, os.WriteFile(c.Storage.Mongo.URI.File, []byte("mongodb://regain:hunter2@"+host+"/?connectTimeoutMS=300&serverSelectionTimeoutMS=300"), 0o600))
		c.Storage.Mongo.Timeout = time.Second
		status, err := c.Status(t.Context())
		if said := fmt.Sprintf("%+v %v", status, err); strings.Contains(said, "hunter2") || host != address && !strings.Contains(said, host) || err == nil { // the test server takes no user
			t.Errorf("%s: %s", host, said)
		}
	}
}

// What a stranger's file costs whoever imports it.
func TestWorstFiles(t *testing.T) {
	c := onFile(t)
	fill(t, c)
	data, err := os.ReadFile(c.Storage.Path)
	must(t, err)
	to := onFile(t)
	for name, content := range map[string][]byte{"zeros": make([]byte, 16<<20), "a store's beginning": append(data[:8<<10:8<<10], make([]byte, 16<<20)...), "a beginning of an export": append([]byte("regain export 1\n"), make([]byte, 16<<20)...)} {
		path := filepath.Join(t.TempDir(), "in")
		must(t, os.WriteFile(path, content, 0o600))
		costtest.Check(t, name, func() {
			if _, err := to.ImportFile(t.Context(), path); err == nil {
				t.Errorf("%s: imported", name)
			}
		})
	}
}
