package auditlog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
)

func event(kind recovery.EventType) recovery.Event {
	return recovery.Event{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Type: kind, Transaction: "txn", Account: "ada@example.org"}
}

// written returns the path of a closed log of n records, the last one critical.
func written(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	log, err := auditlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		kind := recovery.EventRecoveryStarted
		if i == n-1 {
			kind = recovery.EventPassIssuing
		}
		if err := log.Append(t.Context(), event(kind)); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAppendAndVerify(t *testing.T) {
	path := written(t, 5)
	if n, err := auditlog.Verify(path); err != nil || n != 5 {
		t.Fatalf("verify: %d, %v", n, err)
	}
	log, err := auditlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), event(recovery.EventPassIssued)); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := auditlog.Verify(path); err != nil || n != 6 {
		t.Errorf("after going on: %d, %v", n, err)
	}
}

// Whatever is done to the file of a closed log, Verify says so, and Open appends nothing to it.
func TestTamperingShows(t *testing.T) {
	lines := func(text []byte) [][]byte { return bytes.SplitAfter(text, []byte("\n")) }
	for name, change := range map[string]func(text []byte) []byte{
		"a changed letter":     func(text []byte) []byte { return bytes.Replace(text, []byte("ada@"), []byte("bob@"), 1) },
		"a removed line":       func(text []byte) []byte { l := lines(text); return bytes.Join(append(l[:1:1], l[2:]...), nil) },
		"the last line gone":   func(text []byte) []byte { l := lines(text); return bytes.Join(l[:len(l)-2], nil) },
		"the first line gone":  func(text []byte) []byte { l := lines(text); return bytes.Join(l[1:], nil) },
		"everything gone":      func([]byte) []byte { return nil },
		"two lines exchanged":  func(text []byte) []byte { l := lines(text); l[1], l[2] = l[2], l[1]; return bytes.Join(l, nil) },
		"a line twice":         func(text []byte) []byte { l := lines(text); return bytes.Join(append(l[:1:1], l...), nil) },
		"a space":              func(text []byte) []byte { return bytes.Replace(text, []byte(`{"seq"`), []byte(`{ "seq"`), 1) },
		"an unknown member":    func(text []byte) []byte { return bytes.Replace(text, []byte(`{"seq"`), []byte(`{"x":1,"seq"`), 1) },
		"a name in upper case": func(text []byte) []byte { return bytes.Replace(text, []byte(`{"seq"`), []byte(`{"SEQ"`), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, 5)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(bytes.Clone(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			if n, err := auditlog.Verify(path); err == nil {
				t.Errorf("verified %d records", n)
			}
			if log, err := auditlog.Open(path); err == nil {
				t.Errorf("opened for more: %v", log.Close())
			}
		})
	}
}

// A whole log that somebody wrote anew has a chain of its own, but not the head's hash.
func TestARewrittenLogIsNotTheOneOfItsHead(t *testing.T) {
	path, forged := written(t, 5), written(t, 7)
	text, err := os.ReadFile(forged)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auditlog.Verify(path); !errors.Is(err, recovery.ErrChain) {
		t.Errorf("got %v", err)
	}
}

func TestAMissingLogIsNoticed(t *testing.T) {
	path := written(t, 2)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := auditlog.Verify(path); !errors.Is(err, auditlog.ErrTruncated) {
		t.Errorf("got %v", err)
	}
	if _, err := auditlog.Open(path); !errors.Is(err, auditlog.ErrTruncated) {
		t.Errorf("opened anew: %v", err)
	}
}

// A crash in the middle of a line: Verify says it, Open cuts it off and goes on.
func TestACrashLeavesAnUnfinishedLine(t *testing.T) {
	path := written(t, 3)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"seq":4,"prev":"`); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := auditlog.Verify(path); !errors.Is(err, recovery.ErrUnfinished) {
		t.Errorf("verify: %v", err)
	}
	log, err := auditlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), event(recovery.EventPassIssued)); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := auditlog.Verify(path); err != nil || n != 4 {
		t.Errorf("after going on: %d, %v", n, err)
	}
}

func TestCriticalRecordsAreInTheHeadAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	log, err := auditlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i, row := range []struct {
		kind recovery.EventType
		head string
	}{{recovery.EventRecoveryStarted, ""}, {recovery.EventPassIssuing, "00000000000000000002 "}, {recovery.EventPassIssued, "00000000000000000002 "}} {
		if err := log.Append(t.Context(), event(row.kind)); err != nil {
			t.Fatal(err)
		}
		n, err := auditlog.Verify(path)
		head, _ := os.ReadFile(path + ".head")
		if err != nil || n != uint64(i+1) || !strings.HasPrefix(string(head), row.head) || (row.head == "") != (len(head) == 0) {
			t.Errorf("%s: %d records, head %q, %v", row.kind, n, head, err)
		}
	}
}

func TestManyWritersAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	log, err := auditlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			kind := recovery.EventRecoveryStarted
			if i%2 == 0 {
				kind = recovery.EventPassIssuing
			}
			if err := log.Append(t.Context(), event(kind)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := auditlog.Verify(path); err != nil || n != 64 {
		t.Errorf("%d records, %v", n, err)
	}
}

// No record, no pass: a log that cannot be written says so, and goes on saying so.
func TestAFullDiskIsAnError(t *testing.T) {
	log, err := auditlog.Open(filepath.Join(t.TempDir(), "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil { // the nearest to a disk that fails: the file cannot be written any more
		t.Fatal(err)
	}
	for range 2 {
		if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err == nil {
			t.Error("a record that was not written was acknowledged")
		}
	}
}

func TestMemory(t *testing.T) {
	log := auditlog.NewMemory()
	if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err != nil {
		t.Fatal(err)
	}
	last, err := recovery.VerifyChain(bytes.NewReader(log.Bytes()), func(recovery.Link) {})
	if err != nil || last.Seq != 1 || log.Close() != nil {
		t.Errorf("%d records, %v", last.Seq, err)
	}
}

// The cost of an append must not grow with the log.
func BenchmarkAppendCritical(b *testing.B) {
	log, err := auditlog.Open(filepath.Join(b.TempDir(), "audit.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := log.Append(b.Context(), event(recovery.EventPassIssuing)); err != nil {
				b.Error(err)
			}
		}
	})
}
