package provider_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
	"regain/storage/mongo/mongotest"
)

// onMongo is a test environment whose Regain stores in MongoDB, behind a proxy that breaks connections.
type onMongo struct {
	*fixture
	proxy *mongotest.Proxy
	audit config.AuditConfig
	lists *commits
}

func setUpMongo(t *testing.T, timeout time.Duration) *onMongo {
	t.Helper()
	server, err := mongotest.StartOwn()
	if err != nil {
		t.Fatal(err)
	}
	m := &onMongo{}
	if m.proxy, err = mongotest.NewProxy(server.Address()); err != nil {
		t.Fatal(err)
	}
	database := "regain-test-" + rand.Text()
	uri := filepath.Join(t.TempDir(), "mongo.uri")
	if err := os.WriteFile(uri, []byte(m.proxy.URI), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the node has ended
		if err := errors.Join(m.proxy.Close(), server.Drop(context.Background(), database), server.Stop()); err != nil {
			t.Error(err)
		}
	})
	m.lists = &commits{}
	m.fixture = setUpEnv(t, testenv.Options{Deps: func(d *node.Deps) {
		d.Wrap = func(s storage.Store) storage.Store {
			m.lists.Around = storage.Around{Store: s, Pass: m.lists.change}
			return m.lists
		}
	}, Change: func(c *config.Config) {
		m.audit = c.Audit
		c.Limits = []config.LimitConfig{{Name: "account", Per: "account", Max: 100, Window: time.Hour}}
		c.Storage = config.StorageConfig{Backend: "mongo", Mongo: config.MongoConfig{URI: config.Secret{File: uri}, Database: database, Timeout: timeout, MaxConnections: 8}}
	}})
	return m
}

// A recovery on MongoDB, and one in which the answer of every other change is lost after the database made it: each ends
// with one pass, whose code is good once.
func TestARecoveryOnMongo(t *testing.T) {
	f := setUpMongo(t, 10*time.Second)
	proxy, audit, lists := f.proxy, f.audit, f.lists
	recovers := func(passes int) {
		t.Helper()
		code := f.approvedCode(t)
		tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
		if err != nil {
			t.Fatal(err)
		}
		if recovered, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens); err != nil || recovered.Recovery.Pass.Value == "" {
			t.Fatalf("no pass: %v", err)
		}
		if tokens, err := f.RP.Redeem(t.Context(), f.attempt, code); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
			t.Errorf("redeemed again: %+v, %v", tokens, err)
		}
		if n := issuedPasses(t, audit.File); n != passes {
			t.Errorf("%d passes are in the audit log, want %d", n, passes)
		}
	}
	before := commands(proxy)
	recovers(1)
	after := commands(proxy)
	if n := lists.n.Load(); n > 11 { // without the one that uses the pass up, and with the assertion of the second try
		t.Errorf("a recovery takes %d lists", n)
	}
	t.Logf("a recovery with a code that is tried again: %d lists, %d commands that write and %d that read", lists.n.Load(), after.writes-before.writes, after.reads-before.reads)
	if writes, reads := after.writes-before.writes, after.reads-before.reads; writes > 30 || reads > 40 { // on a slow machine the audit log's head is saved meanwhile
		t.Errorf("a recovery, with a code that is tried again, takes %d commands that write and %d that read, want 30 and 40 at most", writes, reads)
	}
	var lost atomic.Int64
	var lose func(command string, passed int)
	lose = func(command string, passed int) {
		proxy.Inject(mongotest.Fault{Command: command, Do: mongotest.Lost, Passed: passed, Then: func() {
			lost.Add(1)
			lose(command, 1)
		}})
	}
	for _, command := range []string{"insert", "update", "findAndModify"} {
		lose(command, 0)
	}
	recovers(2)
	if n := lost.Load(); n < 10 {
		t.Errorf("%d answers were lost: the journey has more changes", n)
	}
}

// commits counts the lists that a store is to make, and the changes that are alone, but for what a node writes for itself.
type commits struct {
	storage.Around
	n atomic.Int64
}

func (c *commits) count(kind storage.Kind) {
	if !slices.Contains([]storage.Kind{"audit_head", "node", storage.KindGeneration, storage.KindIssued}, kind) {
		c.n.Add(1)
	}
}

func (c *commits) change(_ context.Context, changes []storage.Change, do func() ([]storage.Result, error)) ([]storage.Result, error) {
	if len(changes) == 1 {
		c.count(changes[0].Record.Kind)
	} else {
		c.count("")
	}
	return do()
}

type counted struct{ writes, reads int }

func commands(p *mongotest.Proxy) counted {
	return counted{p.Seen("insert") + p.Seen("update") + p.Seen("findAndModify"), p.Seen("find")}
}
