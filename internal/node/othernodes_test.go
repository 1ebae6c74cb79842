package node_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/internal/node"
	"regain/provider/keys"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

// nodesOfOneStore starts nodes that share a store, with what they log.
type nodesOfOneStore struct {
	cfg    config.Config
	shared storage.Store
	now    func() time.Time

	mu  sync.Mutex
	log bytes.Buffer
}

func (s *nodesOfOneStore) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

// said returns what the nodes logged since it was last called.
func (s *nodesOfOneStore) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.log.Reset()
	return s.log.String()
}

func oneStore(t *testing.T) *nodesOfOneStore {
	t.Helper()
	s := &nodesOfOneStore{cfg: valid(t), now: time.Now}
	s.cfg.Storage = config.StorageConfig{Backend: "memory"}
	kept, err := memory.New(func() time.Time { return s.now() })
	if err != nil {
		t.Fatal(err)
	}
	s.shared = &storagetest.Shared{Store: kept}
	return s
}

// start starts a node with a name of its own and a change of the configuration.
func (s *nodesOfOneStore) start(t *testing.T, name string, change func(*config.Config)) (*node.Node, error) {
	t.Helper()
	cfg := s.cfg
	cfg.Audit.Node, cfg.Audit.File = name, "" // the model of a store does not tell the logs of nodes apart
	if change != nil {
		change(&cfg)
	}
	return node.New(cfg, node.Deps{
		Logger: slog.New(slog.NewTextHandler(s, nil)), Clock: func() time.Time { return s.now() }, Random: rand.Reader,
		Wrap: func(storage.Store) storage.Store { return s.shared },
	})
}

func (s *nodesOfOneStore) mustStart(t *testing.T, name string, change func(*config.Config)) *node.Node {
	t.Helper()
	n, err := s.start(t, name, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

const differs = "another node that shares the store differs"

// anotherSecret is a file with another secret than the nodes have.
func anotherSecret(t *testing.T) config.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "another.key")
	if err := os.WriteFile(path, []byte(base64.RawURLEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:32])), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret{File: path}
}

// anotherRing is a file with another signing key than the nodes have.
func anotherRing(t *testing.T) config.Secret {
	t.Helper()
	list, err := keys.GenerateRing(rand.Reader, jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	text, err := keys.EncodeRing(list)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ring.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret{File: path}
}

func TestNodesThatAreAlike(t *testing.T) {
	s := oneStore(t)
	for _, name := range []string{"first", "second", "second"} { // and one that starts again
		s.mustStart(t, name, nil)
	}
	if said := s.said(); strings.Contains(said, "differs") || strings.Contains(said, "compared") {
		t.Errorf("the log has %s", said)
	}
}

// Codes and transactions of one issuer would be good at another.
func TestAnotherIssuerOverTheSameStore(t *testing.T) {
	s := oneStore(t)
	s.mustStart(t, "first", nil)
	other := func(c *config.Config) { c.Issuer = "http://other.localhost:8400" }
	for range 2 { // a node that was refused has left nothing
		_, err := s.start(t, "second", other)
		for _, want := range []string{"issuer: node \"first\"", s.cfg.Issuer, "http://other.localhost:8400", "storage.mongo.database"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want it to say %q", err, want)
			}
		}
	}
	s.mustStart(t, "third", nil)
	if said := s.said(); strings.Contains(said, differs) {
		t.Errorf("the log has %s", said)
	}
}

// What one node signs or seals the other refuses: both say which, and no secret.
func TestAnotherSecretOverTheSameStore(t *testing.T) {
	for key, change := range map[string]func(*testing.T, *config.Config){
		"secrets.token_secret": func(t *testing.T, c *config.Config) { c.Secrets.Token = anotherSecret(t) },
		"secrets.pass_key":     func(t *testing.T, c *config.Config) { c.Secrets.Pass = anotherSecret(t) },
		"secrets.signing_key":  func(t *testing.T, c *config.Config) { c.Secrets.SigningKey = anotherRing(t) },
	} {
		t.Run(key, func(t *testing.T) {
			s := oneStore(t)
			s.mustStart(t, "first", nil)
			var secret string
			s.mustStart(t, "second", func(c *config.Config) {
				change(t, c)
				secret = c.Secrets.Token.File + c.Secrets.Pass.File
			})
			said := s.said()
			if !strings.Contains(said, differs) || !strings.Contains(said, key+`: node \"first\"`) {
				t.Errorf("the log has %s", said)
			}
			for other := range map[string]bool{"secrets.token_secret": true, "secrets.pass_key": true, "secrets.signing_key": true} {
				if other != key && strings.Contains(said, other) {
					t.Errorf("the log has %s too: %s", other, said)
				}
			}
			if secret == "" {
				t.Error("nothing was changed")
			}
		})
	}
}

// All nodes are stopped, and start with other keys after a leak: there is nobody to compare with. A node that was killed is
// forgotten after a while.
func TestNodesThatAreGone(t *testing.T) {
	s := oneStore(t)
	first := s.mustStart(t, "first", nil)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	changed := func(c *config.Config) { c.Secrets.Token, c.Issuer = anotherSecret(t), "http://other.localhost:8400" }
	s.mustStart(t, "second", changed) // and is never closed before the end, as one that was killed
	if said := s.said(); strings.Contains(said, differs) {
		t.Errorf("the log has %s", said)
	}
	if _, err := s.start(t, "third", nil); err == nil {
		t.Error("another issuer beside a node that runs is taken")
	}
	s.now = func() time.Time { return time.Now().Add(16 * time.Minute) }
	s.mustStart(t, "third", nil)
}

// A rotation of the signing keys, which nodes read again while they run, is no difference at any step of it; a node that was
// left out is one.
func TestSigningKeysThatAreRotated(t *testing.T) {
	s := oneStore(t)
	var list []keys.Key
	for range 2 {
		made, err := keys.GenerateRing(rand.Reader, jose.ES256)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, made...)
	}
	paths := map[string]string{}
	give := func(name string, ring ...keys.Key) {
		t.Helper()
		text, err := keys.EncodeRing(ring)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(paths[name], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nodes := map[string]*node.Node{}
	for _, name := range []string{"first", "second"} {
		paths[name] = filepath.Join(t.TempDir(), "ring.pem")
		give(name, list[0])
		nodes[name] = s.mustStart(t, name, func(c *config.Config) { c.Secrets.SigningKey = config.Secret{File: paths[name]} })
	}
	step := func(name string, ring ...keys.Key) {
		t.Helper()
		give(name, ring...)
		if err := nodes[name].ReloadKeys(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the first time a node may see what the other left before
			nodes["first"].CompareAgain(t.Context())
			nodes["second"].CompareAgain(t.Context())
		}
	}
	for _, ring := range [][]keys.Key{{list[0], list[1]}, {list[1]}} {
		for _, name := range []string{"first", "second"} {
			step(name, ring...)
		}
	}
	if said := s.said(); strings.Contains(said, differs) {
		t.Errorf("the log has %s", said)
	}
	step("first", list[0])
	if said := s.said(); strings.Count(said, differs) < 2 {
		t.Errorf("the log has %s", said)
	}
}

// A store of one node has nobody to compare with, and keeps no record.
func TestOneNodeAlone(t *testing.T) {
	s := oneStore(t)
	kept := s.shared.(*storagetest.Shared).Store
	s.shared = kept
	s.mustStart(t, "first", nil)
	if list, err := kept.List(t.Context(), "node", "nodes", "", 9); err != nil || len(list) != 0 {
		t.Errorf("%d records, %v", len(list), err)
	}
}
