package provider_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

// pair is two nodes over one store, with secrets of their own files, behind a balancer that gives each request to the other
// node than the one before.
type pair struct {
	t     *testing.T
	store storage.Store
	cfg   [2]config.Config
	nodes [2]atomic.Pointer[node.Node]
	turn  atomic.Int64
	only  atomic.Int64 // the node that gets all requests, from 1; 0: in turn
	log   syncBuffer   // of both nodes
}

func (p *pair) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := p.turn.Add(1) % 2
	if only := p.only.Load(); only > 0 {
		next = only - 1
	}
	p.nodes[next].Load().ServeHTTP(w, r)
}

// write gives a node the same list of keys for each secret that is one, of which each differs.
func (p *pair) write(i int, keys string) {
	p.t.Helper()
	for salt, s := range []config.Secret{p.cfg[i].Secrets.Encryption, p.cfg[i].Secrets.Token, p.cfg[i].Secrets.Pass} {
		var list []string
		for _, name := range keys {
			key := make([]byte, 32)
			key[0], key[1] = byte(name), byte(salt)
			list = append(list, base64.RawURLEncoding.EncodeToString(key))
		}
		if err := os.WriteFile(s.File, []byte(strings.Join(list, "\n")), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

// restart starts a node, in place of the one that ran.
func (p *pair) restart(i int) error {
	n, err := node.New(p.cfg[i], node.Deps{Logger: slog.New(slog.NewJSONHandler(&p.log, nil)), Clock: time.Now, Random: rand.Reader, Wrap: func(storage.Store) storage.Store { return p.store }})
	if err != nil {
		return err
	}
	if old := p.nodes[i].Swap(n); old != nil {
		return old.Close()
	}
	return nil
}

func (p *pair) Close() error {
	return errors.Join(p.nodes[0].Load().Close(), p.nodes[1].Load().Close())
}

func setUpPair(t *testing.T) (*pair, *fixture) {
	t.Helper()
	backend, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t, store: shared{&storagetest.Shared{Store: backend}, backend}}
	return p, setUpEnv(t, testenv.Options{Elsewhere: func(path string, l *net.TCPListener) (io.Closer, error) {
		for i := range p.cfg {
			p.cfg[i] = config.Defaults()
			if err := config.Load(config.Source{File: path}, &p.cfg[i]); err != nil {
				return nil, err
			}
			directory := t.TempDir()
			secrets := &p.cfg[i].Secrets
			for name, s := range map[string]*config.Secret{"encryption": &secrets.Encryption, "token": &secrets.Token, "pass": &secrets.Pass} {
				*s = config.Secret{File: filepath.Join(directory, name)}
			}
			p.cfg[i].Audit.File, p.cfg[i].Development = "", true // each has a log of its own
			p.cfg[i].Storage = config.StorageConfig{Backend: "memory"}
			p.write(i, "a")
			if err := p.restart(i); err != nil {
				return nil, err
			}
		}
		server := node.NewServer(p, slog.New(slog.DiscardHandler))
		go func() { _ = server.Serve(l) }() // until it is closed
		return closers{server, p}, nil
	}})
}

// shared is a store that several nodes share, and that can be looked through.
type shared struct {
	*storagetest.Shared
	storage.Surveyed
}

// Every secret of which nodes have a list rotates under recoveries that run: announced, used and retired at one node after
// the other, by a restart each. Recoveries that began before a step end after it, whichever node answers.
func TestKeysRotateUnderRecoveries(t *testing.T) {
	p, f := setUpPair(t)
	f.recovers(t, f.asked(t))
	for _, step := range []struct {
		name string
		keys string
	}{{"announced", "ab"}, {"used", "ba"}} {
		for i := range p.nodes {
			var running []func()
			// One that has a page, one that has a request in the wallet, and one that is approved.
			page, attempt := f.asked(t), f.attempt
			running = append(running, func() { f.attempt = attempt; f.recovers(t, page) })
			early, second := f.asked(t), f.attempt
			request := f.review(t, early)
			running = append(running, func() {
				f.attempt = second
				next, err := f.browser.Open(t.Context(), f.share(t, request))
				f.finishes(t, f.must(t, next, err))
			})
			code, third := f.approvedCode(t), f.attempt
			running = append(running, func() {
				if tokens, err := f.RP.Redeem(t.Context(), third, code); err != nil || tokens.RecoveryToken == "" {
					t.Errorf("%s at node %d: a code of before: %v", step.name, i, err)
				}
			})
			p.write(i, step.keys)
			if err := p.restart(i); err != nil {
				t.Fatalf("%s at node %d: %v", step.name, i, err)
			}
			for _, finish := range running {
				finish()
			}
		}
	}
	// What is still needed is not let go: that node does not start, and the one that runs goes on.
	p.write(0, "b")
	if err := p.restart(0); err == nil || !strings.Contains(err.Error(), "is not there, and records need it (") {
		t.Errorf("retired too early: %v", err)
	}
	f.recovers(t, f.asked(t))
}

// A node that uses an encryption key before the other knows it is found in the log, which names the key, and no key's value; the
// recovery goes on when the key is announced.
func TestAKeyThatIsUsedTooEarly(t *testing.T) {
	p, f := setUpPair(t)
	f.recovers(t, f.asked(t))
	p.write(0, "ba")
	if err := p.restart(0); err != nil {
		t.Fatal(err)
	}
	ring, err := storage.ParseKeyring(p.lists(0)[0])
	if err != nil {
		t.Fatal(err)
	}
	p.only.Store(1)
	if f.attempt, err = f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil); err != nil {
		t.Fatal(err)
	}
	p.only.Store(2)
	if page, err := f.browser.Open(t.Context(), f.attempt.AuthorizeURL); err == nil && page.Has("have-verified-id") {
		t.Error("what the other node sealed was opened without its key")
	}
	missing := "the encryption key " + ring.IDs()[0].String() + " that sealed it is not in secrets.encryption_keys"
	if !strings.Contains(p.log.String(), missing) {
		t.Errorf("the log names no key: %s", p.log.String())
	}
	for _, list := range p.lists(0) {
		for _, key := range strings.Split(list, "\n") {
			if strings.Contains(p.log.String(), key) {
				t.Error("the log holds a key")
			}
		}
	}
	p.write(1, "ab")
	if err := p.restart(1); err != nil {
		t.Fatal(err)
	}
	page, err := f.browser.Open(t.Context(), f.attempt.AuthorizeURL)
	p.only.Store(0)
	f.recovers(t, f.press(t, f.must(t, page, err), "have-verified-id"))
}

// lists are the lists of keys of a node.
func (p *pair) lists(i int) (all []string) {
	p.t.Helper()
	for _, s := range []config.Secret{p.cfg[i].Secrets.Encryption, p.cfg[i].Secrets.Token, p.cfg[i].Secrets.Pass} {
		text, err := os.ReadFile(s.File)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}
