package auditlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

// What somebody does who can write the log's directory and has no key, to a log of twelve records. Verify says so, with
// or without a head that was kept elsewhere; the node, whose store keeps one, does not start.
func TestLosses(t *testing.T) {
	remove := func(t *testing.T, names ...string) {
		t.Helper()
		for _, name := range names {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep := func(t *testing.T, path string, n int) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:n+1], nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rechain := func(t *testing.T, path string, k chain.Key) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		remove(t, path, path+".head")
		log := open(t, auditlog.Options{Path: path, Key: k})
		for i := range bytes.Count(text, []byte("\n")) - 2 { // without one recovery
			e := event(recovery.EventPassIssuing)
			e.Transaction = recovery.TransactionID(fmt.Sprint(i))
			if err := log.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		spoil func(t *testing.T, path string, older []byte)
		says  string // verify beside the log; "" where nothing there can tell
		kept  string // verify with a head that was kept elsewhere
		start string // the node, whose store keeps a head
	}{
		"log and head deleted": {
			func(t *testing.T, path string, _ []byte) { remove(t, path, path+".head") },
			"head is missing", "file does not exist", "the store knows of its record 12",
		},
		"head deleted": {
			func(t *testing.T, path string, _ []byte) { remove(t, path+".head") },
			"head is missing", "", "head is missing",
		},
		"head emptied": {
			func(t *testing.T, path string, _ []byte) {
				if err := os.Truncate(path+".head", 0); err != nil {
					t.Fatal(err)
				}
			},
			"head is missing", "", "head is missing",
		},
		"head deleted and tail cut": {
			func(t *testing.T, path string, _ []byte) { remove(t, path+".head"); keep(t, path, 6) },
			"head is missing", "has 6 records, its head says 12", "head is missing",
		},
		"the last six cut": {
			func(t *testing.T, path string, _ []byte) { keep(t, path, 6) },
			"has 6 records, its head says 12", "has 6 records, its head says 12", "names record 12, and",
		},
		"the last six cut, and an older head put back": {
			func(t *testing.T, path string, older []byte) {
				keep(t, path, 6)
				if err := os.WriteFile(path+".head", older, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			"", "has 6 records, its head says 12", "the head that the store keeps: names record 12",
		},
		"another log of the same length, with the key itself": {
			func(t *testing.T, path string, _ []byte) {
				other := fresh(t)
				log := open(t, at(t, other))
				add(t, log, recovery.EventPassIssuing, 12)
				if err := errors.Join(log.Close(), os.Rename(other, path)); err != nil {
					t.Fatal(err)
				}
			},
			"record 12 is not the one its head names", "record 12 is not the one its head names", "names another record 12 than",
		},
		"chained anew with another key, without one recovery": {
			func(t *testing.T, path string, _ []byte) { rechain(t, path, key(t, 9)) },
			"not made with this key", "not made with this key", "not made with this key",
		},
		"chained anew with the key itself, without one recovery": {
			func(t *testing.T, path string, _ []byte) { rechain(t, path, key(t, 1)) },
			"", "has 11 records, its head says 12", "the head that the store keeps: names record 12",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, store := fresh(t), &elsewhere{}
			options := at(t, path)
			options.Remembered = store
			log := open(t, options)
			add(t, log, recovery.EventRecoveryDenied, 6)
			older, err := os.ReadFile(path + ".head")
			if err != nil {
				t.Fatal(err)
			}
			add(t, log, recovery.EventRecoveryDenied, 6)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			head, err := segments.ReadHead(path, key(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			row.spoil(t, path, older)
			_, err = verify(t, path)
			said(t, "verify", err, row.says)
			_, err = segments.Verify(segments.Verification{Path: path, Key: key(t, 1), Kept: head})
			said(t, "verify with the head that was kept", err, row.kept)
			said(t, "start", reopened(t, options), row.start)
			begins(t, options, path)
		})
	}
}

// A second node under the name of the first meets the first one's head in the store. Told to begin its log anew, as one whose
// log was lost, an operator would take the first one's head away.
func TestASecondNodeOfOneName(t *testing.T) {
	t.Parallel()
	store := &elsewhere{}
	for name, prepare := range map[string]func(t *testing.T, path string){
		"with no log": func(*testing.T, string) {},
		"with a log of its own": func(t *testing.T, path string) {
			log := open(t, at(t, path))
			add(t, log, recovery.EventRecoveryDenied, 2)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		first, second := at(t, fresh(t)), at(t, fresh(t))
		first.Remembered, second.Remembered = store, store
		store.line = ""
		log := open(t, first)
		add(t, log, recovery.EventRecoveryDenied, 6)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		prepare(t, second.Path)
		said(t, name, reopened(t, second), "give each its own (audit.node)")
	}
}

func said(t *testing.T, what string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: got %v, want it to say %q", what, err, want)
	}
}

// begins goes on after a loss, as an administrator asks for, and is told of it by Verify from then on.
func begins(t *testing.T, options auditlog.Options, path string) {
	t.Helper()
	options.Begin = true
	if err := reopened(t, options); err != nil {
		t.Fatalf("begin: %v", err)
	}
	options.Begin = false
	log := open(t, options)
	add(t, log, recovery.EventPassIssuing, 2)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, options); err != nil {
		t.Errorf("the second start: %v", err)
	}
	_, err := verify(t, path)
	head, err2 := segments.ReadHead(path, key(t, 1))
	if err2 != nil {
		t.Fatal(err2)
	}
	r, err3 := segments.Verify(segments.Verification{Path: path, Key: key(t, 1), From: head.Segment})
	if err3 != nil || !strings.Contains(strings.Join(r.Notes, "\n"), "records before it may be missing") {
		t.Errorf("verify: %v; the new segment: %+v, %v", err, r, err3)
	}
}

// The key of the chain changes: the log goes on under the new one, and the old segments keep the old one.
func TestANewKey(t *testing.T) {
	path, store := fresh(t), &elsewhere{}
	options := at(t, path)
	options.Remembered = store
	log := open(t, options)
	add(t, log, recovery.EventPassIssuing, 3)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	options.Key = key(t, 2)
	if err := reopened(t, options); !errors.Is(err, chain.ErrBroken) {
		t.Fatalf("opened with another key: %v", err)
	}
	options.Begin = true
	log = open(t, options)
	add(t, log, recovery.EventPassIssuing, 2)
	if err := errors.Join(log.Rotate(), log.Close()); err != nil {
		t.Fatal(err)
	}
	options.Begin = false
	if err := reopened(t, options); err != nil {
		t.Fatal(err)
	}
	if r, err := segments.Verify(segments.Verification{Path: path, Key: key(t, 2)}); err != nil || r.To != 2 || len(r.Notes) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The head that is written next is the older one, through restarts: a crash in the middle costs nothing.
func TestACrashInTheHeadCostsNothing(t *testing.T) {
	path := fresh(t)
	for n := range 4 {
		log := open(t, at(t, path))
		add(t, log, recovery.EventPassIssuing, 1)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		torn := at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
			return torn{f}
		})
		if err := reopened(t, torn); err == nil {
			t.Error("the head was not torn")
		}
		if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Seq != uint64(n+1) {
			t.Errorf("%+v, want record %d: %v", head, n+1, err)
		}
	}
}

// torn is a file in which nothing is written whole at a place.
type torn struct{ auditlog.File }

func (f torn) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p[:len(p)/2], off)
	return n, errors.Join(err, errors.New("the machine stopped"))
}

// The head is kept elsewhere at the start, in between every ten seconds at most, and at the end: a log that was lost
// without an orderly end is missed too.
func TestTheHeadIsKeptElsewhere(t *testing.T) {
	path, store := fresh(t), &counted{saved: make(chan string, 16)}
	var mu sync.Mutex
	now := time.Now()
	options := at(t, path)
	options.Remembered, options.Clock = store, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	kept := func(want uint64) {
		t.Helper()
		select {
		case line := <-store.saved:
			if head, err := key(t, 1).ParseHead(line); err != nil || head.Seq != want {
				t.Errorf("%+v, want record %d: %v", head, want, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nothing is kept")
		}
	}
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	log := open(t, options)
	kept(0)
	add(t, log, recovery.EventPassIssuing, 2)
	pass(10*time.Second - 1)
	add(t, log, recovery.EventPassIssuing, 1)
	pass(1)
	add(t, log, recovery.EventPassIssuing, 1)
	kept(4)
	add(t, log, recovery.EventPassIssuing, 2)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	kept(6)
	if len(store.saved) > 0 {
		t.Errorf("%d more", len(store.saved))
	}
}

// counted is a store of heads that tells what is put there.
type counted struct {
	elsewhere
	saved chan string
}

func (c *counted) SaveHead(_ context.Context, line string) error {
	c.saved <- line
	return nil
}
