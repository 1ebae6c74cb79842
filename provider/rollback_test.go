package provider_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/adapters/auditlog/segments"
	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/node"
	"regain/recovery"
	"regain/storage/mongo/mongotest"
)

// passOf redeems a code, and returns the pass.
func (f *fixture) passOf(t *testing.T, code string) string {
	t.Helper()
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	recovered, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens)
	if err != nil {
		t.Fatal(err)
	}
	return recovered.Recovery.Pass.Value
}

func (f *fixture) passIs(t *testing.T, pass string, good bool) {
	t.Helper()
	verdict, err := f.RP.VerifyPass(t.Context(), "ada.lindqvist@example.org", pass)
	if err != nil || verdict.Active != good {
		t.Errorf("the pass: %+v, %v; want %v", verdict, err, good)
	}
}

// noToken redeems a code, for which nothing must come.
func (f *fixture) noToken(t *testing.T, code string) {
	t.Helper()
	if tokens, err := f.RP.Redeem(t.Context(), f.attempt, code); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("redeemed again: %+v, %v", tokens, err)
	}
}

// count counts the events of a kind in audit logs.
func count(t *testing.T, event recovery.EventType, logs ...string) (n int) {
	t.Helper()
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(text), `"`+string(event)+`"`)
	}
	return n
}

// A copy of the file store from before a pass was used is put back while the node is stopped: the pass is not good again,
// the code neither, the log and the probe say what happened, and whoever starts again recovers.
func TestAnOlderFileVoidsPasses(t *testing.T) {
	r := &restartable{}
	f := setUpEnv(t, r.options())
	pass := f.passOf(t, f.approvedCode(t))
	open := f.approvedCode(t)
	snapshot := t.TempDir() + "/snapshot.db"
	restart := func(files func() error) {
		t.Helper()
		if err := errors.Join(r.current.Load().Close(), files(), r.start()); err != nil {
			t.Fatal(err)
		}
	}
	restart(func() error { return copyFile(r.cfg.Storage.Path, snapshot) })
	f.passIs(t, pass, true)
	f.passIs(t, pass, false)
	restart(func() error { return nil })
	if n := count(t, recovery.EventStoreRolledBack, r.cfg.Audit.File); n != 0 {
		t.Errorf("a restart is recorded as a rollback")
	}
	restart(func() error { return copyFile(snapshot, r.cfg.Storage.Path) })
	f.passIs(t, pass, false)
	f.noToken(t, open)
	if n := count(t, recovery.EventStoreRolledBack, r.cfg.Audit.File); n != 1 {
		t.Errorf("%d rollbacks are in the audit log", n)
	}
	if status, said := f.ready(t); status != http.StatusOK || !strings.Contains(said, `"store":"an older copy was put back"`) {
		t.Errorf("the probe says %d %s", status, said)
	}
	f.passIs(t, f.passOf(t, f.approvedCode(t)), true)

	// Without the store, and without what the node knew of it.
	restart(func() error { return os.Remove(r.cfg.Storage.Path) })
	restart(func() error { return os.Remove(segments.SeenPath(r.cfg.Audit.File)) })
	if n := count(t, recovery.EventStoreRolledBack, r.cfg.Audit.File); n != 3 {
		t.Errorf("%d rollbacks are in the audit log", n)
	}
	verifyAudit(t, r.cfg.Audit)
}

// fleet is two nodes over one database, behind an address that leads to one of them.
type fleet struct {
	t        *testing.T
	server   *http.Server
	database *mongo.Database
	cfg      [2]config.Config
	nodes    [2]*node.Node
	every    [2]time.Duration // how often a node looks at the store
	current  atomic.Pointer[node.Node]
	// alternate leads each request to another node than the one before.
	alternate atomic.Bool
	requests  atomic.Int64
}

func setUpFleet(t *testing.T) (*fixture, *fleet) {
	t.Helper()
	server, err := mongotest.Start()
	if err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(server.URI))
	if err != nil {
		t.Fatal(err)
	}
	l := &fleet{t: t, database: client.Database("regain-test-" + rand.Text())}
	t.Cleanup(func() { // after the nodes have ended
		ctx := context.Background()
		if err := errors.Join(l.database.Drop(ctx), client.Disconnect(ctx), server.Stop()); err != nil {
			t.Error(err)
		}
	})
	uri := filepath.Join(t.TempDir(), "mongo.uri")
	if err := os.WriteFile(uri, []byte(server.URI), 0o600); err != nil {
		t.Fatal(err)
	}
	return setUpEnv(t, testenv.Options{Elsewhere: func(path string, listener *net.TCPListener) (io.Closer, error) {
		cfg := config.Defaults()
		if err := config.Load(config.Source{File: path}, &cfg); err != nil {
			return nil, err
		}
		cfg.Storage = config.StorageConfig{Backend: "mongo", Mongo: config.MongoConfig{
			URI: config.Secret{File: uri}, Database: l.database.Name(), Timeout: 10 * time.Second, MaxConnections: 8,
		}}
		for n, name := range []string{"first", "second"} {
			l.cfg[n] = cfg
			l.cfg[n].Audit.Node, l.cfg[n].Audit.File = name, cfg.Audit.File+"-"+name
			l.every[n] = 20 * time.Millisecond
			l.start(n)
		}
		l.at(0)
		l.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			at := l.current.Load()
			if l.alternate.Load() {
				at = l.nodes[l.requests.Add(1)%2]
			}
			at.ServeHTTP(w, q)
		})}
		go func() { _ = l.server.Serve(listener) }() // until it is closed
		return l, nil
	}}), l
}

func (l *fleet) start(n int) {
	l.t.Helper()
	var err error
	l.nodes[n], err = node.New(l.cfg[n], node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader, LookEvery: l.every[n]})
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *fleet) stop(n int) {
	l.t.Helper()
	if err := l.nodes[n].Close(); err != nil {
		l.t.Error(err)
	}
}

// at leads the address to a node.
func (l *fleet) at(n int) { l.current.Store(l.nodes[n]) }

func (l *fleet) Close() error {
	return errors.Join(l.server.Close(), l.nodes[0].Close(), l.nodes[1].Close())
}

func (l *fleet) logs() []string { return []string{l.cfg[0].Audit.File, l.cfg[1].Audit.File} }

// settle waits until both nodes know the same generation, twice in a row, which is then that of all their changes.
func (l *fleet) settle() {
	l.t.Helper()
	known := func() (all [2]string) {
		for n, path := range l.logs() {
			text, err := os.ReadFile(segments.SeenPath(path))
			if err != nil {
				l.t.Fatal(err)
			}
			all[n] = strings.Join(strings.Fields(string(text))[:3], " ")
		}
		return all
	}
	const often, patience = 100 * time.Millisecond, 100
	before := known()
	for range patience {
		time.Sleep(often)
		now := known()
		if now == before && now[0] == now[1] {
			return
		}
		before = now
	}
	l.t.Fatalf("the nodes know %q", before)
}

// copy reads every document of the database.
func (l *fleet) copy() map[string][]bson.Raw {
	l.t.Helper()
	all := make(map[string][]bson.Raw)
	names, err := l.database.ListCollectionNames(l.t.Context(), bson.D{})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, name := range names {
		cursor, err := l.database.Collection(name).Find(l.t.Context(), bson.D{})
		if err != nil {
			l.t.Fatal(err)
		}
		var documents []bson.Raw
		if err := cursor.All(l.t.Context(), &documents); err != nil {
			l.t.Fatal(err)
		}
		all[name] = documents
	}
	return all
}

// putBack makes the database what it was when the copy was made.
func (l *fleet) putBack(all map[string][]bson.Raw) {
	l.t.Helper()
	for name, now := range l.copy() {
		was := make(map[string]bool)
		for _, document := range all[name] {
			was[document.Lookup("_id").StringValue()] = true
			l.replace(name, document)
		}
		for _, document := range now {
			if id := document.Lookup("_id").StringValue(); !was[id] {
				if _, err := l.database.Collection(name).DeleteOne(l.t.Context(), bson.D{{Key: "_id", Value: id}}); err != nil {
					l.t.Fatal(err)
				}
			}
		}
	}
}

// putBackSome puts back the records of some kinds alone.
func (l *fleet) putBackSome(all map[string][]bson.Raw, kinds ...string) {
	l.t.Helper()
	for _, document := range all["records"] {
		if kind, _, _ := strings.Cut(document.Lookup("_id").StringValue(), ":"); slices.Contains(kinds, kind) {
			l.replace("records", document)
		}
	}
}

func (l *fleet) replace(collection string, document bson.Raw) {
	l.t.Helper()
	if _, err := l.database.Collection(collection).ReplaceOne(l.t.Context(), bson.D{{Key: "_id", Value: document.Lookup("_id")}}, document, options.Replace().SetUpsert(true)); err != nil {
		l.t.Fatal(err)
	}
}

// A copy of the database of two nodes from before the code was redeemed and the pass was used is put back: neither gives
// anything a second time, at the node that knows it from its own log or at the other, now or after a restart.
func TestAnOlderDatabaseGivesNothingTwice(t *testing.T) {
	f, l := setUpFleet(t)
	rarely := func(older map[string][]bson.Raw) {
		l.stop(1)
		l.every[1] = time.Hour
		l.start(1)
		l.every[1] = 20 * time.Millisecond
		l.putBack(older)
		l.at(1)
	}
	for name, redeemed := range map[string]func(older map[string][]bson.Raw){
		"at the same node":  func(older map[string][]bson.Raw) { l.putBack(older) },
		"at the other node": func(older map[string][]bson.Raw) { l.putBack(older); l.at(1) },
		"after a restart": func(older map[string][]bson.Raw) {
			l.stop(1)
			l.putBack(older)
			l.start(1)
			l.at(1)
		},
		"at a node that looks before each code": rarely,
		"at a node that looks before each pass": rarely,
		"after a restart of all": func(older map[string][]bson.Raw) {
			l.stop(0)
			l.stop(1)
			l.putBack(older)
			l.start(1)
			l.start(0)
			l.at(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.at(0)
			before := count(t, recovery.EventStoreRolledBack, l.logs()...)
			used := f.passOf(t, f.approvedCode(t))
			code := f.approvedCode(t)
			l.settle()
			older := l.copy()
			f.passIs(t, used, true)
			f.passOf(t, code)
			passes := count(t, recovery.EventPassIssuing, l.logs()...)
			l.settle()
			redeemed(older)
			if strings.HasSuffix(name, "pass") {
				f.passIs(t, used, false)
			}
			f.noToken(t, code)
			f.passIs(t, used, false)
			if n := count(t, recovery.EventPassIssuing, l.logs()...) - passes; n != 0 {
				t.Errorf("%d more passes were issued", n)
			}
			l.at(1)
			f.passOf(t, f.approvedCode(t)) // ten verifications a minute are compared, and the scenarios share them
			l.stop(1)
			l.start(1)
			l.settle()
			if n := count(t, recovery.EventStoreRolledBack, l.logs()...) - before; n != 1 {
				t.Errorf("%d rollbacks were recorded, want 1", n)
			}
		})
	}
	if w := l.verifyAudit(); w.Rollbacks != 6 || w.Faulty != 0 {
		t.Errorf("%+v", w)
	}
}

// verifyAudit verifies the logs of both nodes together.
func (l *fleet) verifyAudit() segments.Whole {
	l.t.Helper()
	var logs []segments.Verification
	for _, cfg := range l.cfg {
		options, err := keep.AuditOptions(cfg.Audit)
		if err != nil {
			l.t.Fatal(err)
		}
		logs = append(logs, segments.Verification{Path: options.Path, Key: options.Key})
	}
	w, err := segments.VerifyAll(logs)
	if err := errors.Join(err, w.Err()); err != nil {
		l.t.Errorf("%v: %+v", err, w.Findings)
	}
	return w
}

// Each request of a recovery is answered by another node than the one before: the logs are whole together, and one of them
// alone is not.
func TestTheStepsOfARecoveryAreInTwoLogs(t *testing.T) {
	f, l := setUpFleet(t)
	l.alternate.Store(true)
	for range 3 {
		f.passIs(t, f.passOf(t, f.approvedCode(t)), true)
	}
	l.alternate.Store(false)
	if w := l.verifyAudit(); w.Transactions != 3 || w.Passes != 3 || w.Logs[0].To == 0 || w.Logs[1].To == 0 {
		t.Errorf("%+v", w)
	}
	options, err := keep.AuditOptions(l.cfg[0].Audit)
	if err != nil {
		t.Fatal(err)
	}
	w, err := segments.VerifyAll([]segments.Verification{{Path: options.Path, Key: options.Key}})
	if err != nil || !errors.Is(w.Err(), segments.ErrIncomplete) || w.Faulty == 0 {
		t.Errorf("one log alone: %v, %v: %+v", err, w.Err(), w)
	}
}

// Only the transaction and its code are put back, and the generation stays as it is: the other node has heard of the pass.
func TestASingleRecordOfADatabaseGivesNothingTwice(t *testing.T) {
	f, l := setUpFleet(t)
	code := f.approvedCode(t)
	older := l.copy()
	f.passOf(t, code)
	l.settle()
	l.at(1)
	for range 2 { // again after a restart, which reads what the other one told
		l.putBackSome(older, "transaction", "code")
		f.noToken(t, code)
		l.stop(1)
		l.start(1)
		l.at(1)
	}
	if n := count(t, recovery.EventPassIssuing, l.logs()...); n != 1 {
		t.Errorf("%d passes were issued", n)
	}
	if n := count(t, recovery.EventTransitionRefused, l.logs()[1]); n == 0 {
		t.Error("the second node recorded no refusal")
	}
}

// A node that is added, or comes in the place of another, has a log that is younger than the recoveries that are under way: it
// redeems them, and not those of which another node told that they have their pass.
func TestANodeThatIsAdded(t *testing.T) {
	f, l := setUpFleet(t)
	added := func(name string) {
		t.Helper()
		l.stop(1)
		l.cfg[1].Audit.Node, l.cfg[1].Audit.File = name, l.cfg[1].Audit.File+"-"+name
		l.start(1)
		l.at(1)
	}
	code := f.approvedCode(t)
	added("third")
	f.passIs(t, f.passOf(t, code), true)

	l.at(0)
	code = f.approvedCode(t)
	older := l.copy()
	f.passOf(t, code)
	l.settle()
	l.putBackSome(older, "transaction", "code")
	added("fourth")
	f.noToken(t, code)
}

// A node is killed right after it issued a pass, before it told the other one. It tells when it has started again: the
// transaction and its code, put back alone, give nothing at the other node.
func TestANodeThatWasKilledTellsOfItsPasses(t *testing.T) {
	f, l := setUpFleet(t)
	l.stop(0)
	l.every[0] = time.Hour
	l.start(0)
	l.at(0)
	code := f.approvedCode(t)
	older := l.copy()
	f.passOf(t, code)
	killed := l.copy()
	seen, err := os.ReadFile(segments.SeenPath(l.logs()[0]))
	if err != nil {
		t.Fatal(err)
	}
	l.stop(0) // it tells when it stops, and the other one hears it, which is undone: it was killed
	l.stop(1)
	l.putBack(killed)
	for _, log := range l.logs() {
		if err := os.WriteFile(segments.SeenPath(log), seen, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.every[0] = 20 * time.Millisecond
	l.start(0)
	l.start(1)
	l.settle()
	l.putBackSome(older, "transaction", "code")
	l.at(1)
	f.noToken(t, code)
	for _, event := range []recovery.EventType{recovery.EventPassIssuing, recovery.EventStoreRolledBack} {
		if n, want := count(t, event, l.logs()...), map[recovery.EventType]int{recovery.EventPassIssuing: 1}[event]; n != want {
			t.Errorf("%d of %s, want %d", n, event, want)
		}
	}
}
