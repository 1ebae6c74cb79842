package auditlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
)

// Two nodes on one log: the second does not start, in this process or another, and the first goes on.
func TestTwoNodesOnOneLog(t *testing.T) {
	if path := os.Getenv(secondNode); path != "" {
		if err := reopened(t, at(t, path)); !errors.Is(err, auditlog.ErrLocked) || !strings.Contains(err.Error(), "each node needs a log of its own") {
			t.Errorf("the second node: %v", err)
		}
		return
	}
	path := fresh(t)
	log := open(t, at(t, path))
	add(t, log, recovery.EventPassIssuing, 2)
	if err := reopened(t, at(t, path)); !errors.Is(err, auditlog.ErrLocked) {
		t.Errorf("in the same process: %v", err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoNodesOnOneLog$")
	child.Env = append(os.Environ(), secondNode+"="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	add(t, log, recovery.EventPassIssuing, 2)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 4)
	if err := reopened(t, at(t, path)); err != nil {
		t.Errorf("after the first ended: %v", err)
	}
}

const secondNode = "AUDITLOG_TEST_SECOND_NODE"

// A start reads the last segment and no other, however many there are: every older one could as well not be readable.
func TestAStartReadsTheLastSegment(t *testing.T) {
	path, now := fresh(t), time.Now().Add(-48*time.Hour)
	options := at(t, path)
	options.Clock = clockOf(&now)
	log := open(t, options)
	const segments = 20
	for range segments {
		add(t, log, recovery.EventRecoveryDenied, 5)
		if err := log.Rotate(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for n := range segments - 3 { // the last hours are read for the passes that were issued
		name := fmt.Sprintf("%s.%06d", path, n+1)
		if err := errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o600)); err != nil { // who opens it waits for ever
			t.Fatal(err)
		}
	}
	started := make(chan error, 1)
	go func() { started <- reopened(t, options) }()
	select {
	case err := <-started:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a start reads segments that are older than any recovery")
	}
}

// The time that a start takes is bounded by the size of a segment, and hardly grows with the ones before it: half a
// million records are three segments.
func BenchmarkOpen(b *testing.B) {
	for _, records := range []int{10_000, 500_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			path := fresh(b)
			log := open(b, at(b, path))
			add(b, log, recovery.EventRecoveryStarted, records)
			if err := log.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := open(b, at(b, path)).Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What happens to the files while no node runs.
func TestStartsAfterChangesWhileNobodyRan(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, path string) error
		says   string // "" for a start that goes on
	}{
		"nothing":                   {change: func(*testing.T, string) error { return nil }},
		"rotated, and no file made": {change: func(_ *testing.T, path string) error { return os.Rename(path, path+".1") }},
		"rotated, and an empty file": {change: func(_ *testing.T, path string) error {
			return errors.Join(os.Rename(path, path+".1"), os.WriteFile(path, nil, 0o600))
		}},
		"rotated and compressed": {change: func(t *testing.T, path string) error {
			err := errors.Join(os.Rename(path, path+".1"), os.WriteFile(path, nil, 0o600))
			compress(t, path+".1")
			return err
		}},
		"a crash left a new segment that nobody used": {change: func(_ *testing.T, path string) error { return os.WriteFile(path+".new", []byte("{"), 0o600) }},
		"a crash before the new segment got its name": {change: func(_ *testing.T, path string) error {
			return errors.Join(os.Rename(path, path+".000002"), os.WriteFile(path+".new", []byte("{"), 0o600))
		}},
		"rotated to another directory": {change: func(t *testing.T, path string) error { return os.Rename(path, fresh(t)) }, says: "is gone, its head says 4 records"},
		"rotated, and a record changed": {change: func(_ *testing.T, path string) error {
			text, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".1", bytes.Replace(text, []byte("ada@"), []byte("bob@"), 1), 0o600), os.Remove(path))
		}, says: "was changed, or not made with this key"},
		"rotated, and its last record cut off": {change: func(_ *testing.T, path string) error {
			text, err := os.ReadFile(path)
			cut := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
			return errors.Join(err, os.WriteFile(path+".1", text[:cut], 0o600), os.Remove(path))
		}, says: "its head: names record 4, and"},
		"rotated, and its last record cut in two": {change: func(_ *testing.T, path string) error {
			text, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".1", text[:len(text)-9], 0o600), os.Remove(path))
		}, says: "its head: names record 4, and"},
		"a line that is none after the last record": {change: func(_ *testing.T, path string) error {
			text, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, append(text, "{}\n"...), 0o600))
		}, says: "not a record"},
		"a first line that is not finished": {change: func(_ *testing.T, path string) error { return os.Truncate(path, 20) }, says: "last audit record is unfinished"},
		"an older segment in its place":     {change: func(_ *testing.T, path string) error { return os.Rename(path+".000001", path) }, says: "names segment 2, and"},
		"all but an older segment gone":     {change: func(_ *testing.T, path string) error { return errors.Join(os.Remove(path), os.Remove(path+".head")) }, says: "and so is its head, but not its older segments"},
		"its head is no head":               {change: func(_ *testing.T, path string) error { return os.WriteFile(path+".head", []byte("x\n"), 0o600) }, says: "no valid head"},
		"the same segment of a shorter log": {change: func(t *testing.T, path string) error {
			other := fresh(t)
			log := open(t, at(t, other))
			err := errors.Join(log.Rotate(), log.Rotate())
			add(t, log, recovery.EventPassIssuing, 1)
			return errors.Join(err, log.Close(), os.Rename(other, path))
		}, says: "names record 4, and"},
		"the same segment of another log": {change: func(t *testing.T, path string) error {
			other := fresh(t)
			log := open(t, at(t, other))
			err := log.Rotate()
			add(t, log, recovery.EventPassIssuing, 5)
			return errors.Join(err, log.Close(), os.Rename(other, path))
		}, says: "names another record 4 than"},
		"no longer readable": {change: func(_ *testing.T, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, says: "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			path := fresh(t)
			log := open(t, at(t, path))
			add(t, log, recovery.EventPassIssuing, 2)
			if err := log.Rotate(); err != nil {
				t.Fatal(err)
			}
			add(t, log, recovery.EventPassIssuing, 2)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if err := row.change(t, path); err != nil {
				t.Fatal(err)
			}
			before := names(t, path)
			said(t, "examine", auditlog.Examine(at(t, path)), row.says)
			if after := names(t, path); !slices.Equal(before, after) {
				t.Errorf("to examine made %v of %v", after, before)
			}
			log, err := auditlog.Open(at(t, path))
			if row.says != "" {
				said(t, "start", err, row.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			add(t, log, recovery.EventPassIssuing, 2)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			holds(t, path, 6)
		})
	}
}

func names(t *testing.T, path string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// To examine a log takes no lock and makes no file, beside a running node, and where there is none yet.
func TestExamine(t *testing.T) {
	path := fresh(t)
	if err := auditlog.Examine(at(t, path)); err != nil || len(names(t, path)) != 0 {
		t.Errorf("before the first start: %v, %v", err, names(t, path))
	}
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 2)
	if err := auditlog.Examine(at(t, path)); err != nil {
		t.Errorf("beside a running node: %v", err)
	}
	add(t, log, recovery.EventPassIssuing, 2)
	said(t, "with another key", auditlog.Examine(auditlog.Options{Path: path, Key: key(t, 2)}), "not made with this key")
}

func issuing(id recovery.TransactionID, now time.Time) recovery.Event {
	return recovery.Event{Time: now, Type: recovery.EventPassIssuing, Transaction: id}
}

// The log knows which transactions have their pass, through rotations and restarts, for as long as one can live.
func TestIssued(t *testing.T) {
	path, now := fresh(t), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	options := at(t, path)
	options.Clock = clockOf(&now)
	log := open(t, options)
	began := now
	know := func(log *auditlog.Log, id recovery.TransactionID, started time.Time, want bool) {
		t.Helper()
		if found, err := log.Issued(id, started); err != nil || found != want {
			t.Errorf("%s, started at %s: %t, %v", id, started, found, err)
		}
	}
	know(log, "one", now, false)
	for i, id := range []recovery.TransactionID{"one", "two", "three"} {
		if err := log.Append(t.Context(), issuing(id, now)); err != nil {
			t.Fatal(err)
		}
		know(log, id, now, true)
		if i < 2 {
			if err := log.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(10 * time.Minute)
	}
	if err := log.Append(t.Context(), recovery.Event{Time: now, Type: recovery.EventPassFailed, Transaction: "four", Client: "pass_issuing"}); err != nil {
		t.Fatal(err)
	}
	know(log, "four", now, false)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}

	log = open(t, options)
	for _, id := range []recovery.TransactionID{"one", "two", "three"} {
		know(log, id, began, true)
	}
	know(log, "four", began, false)
	if _, err := log.Issued("five", began.Add(-time.Second)); !errors.Is(err, auditlog.ErrForgotten) {
		t.Errorf("a transaction from before the log: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}

	foreign := fresh(t)
	options.Path = foreign
	log = open(t, options)
	if err := errors.Join(log.Append(t.Context(), issuing("foreign", now)), log.Rotate(), log.Close(), os.Rename(foreign+".000001", path+".000001")); err != nil {
		t.Fatal(err)
	}
	options.Path = path
	log = open(t, options)
	know(log, "foreign", now, false)
	know(log, "two", began.Add(10*time.Minute), true)
	if _, err := log.Issued("one", began); !errors.Is(err, auditlog.ErrForgotten) {
		t.Errorf("a transaction of a segment that is another log's: %v", err)
	}
	now = now.Add(3 * time.Hour)
	if err := log.Append(t.Context(), issuing("six", now)); err != nil {
		t.Fatal(err)
	}
	know(log, "six", now, true)
	if _, err := log.Issued("two", began.Add(10*time.Minute)); !errors.Is(err, auditlog.ErrForgotten) {
		t.Errorf("kept for ever: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}
