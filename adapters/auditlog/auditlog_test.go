package auditlog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

func event(kind recovery.EventType) recovery.Event {
	return recovery.Event{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Type: kind, Transaction: "txn", Account: "ada@example.org"}
}

// key returns a key that is all one octet.
func key(t testing.TB, octet byte) chain.Key {
	t.Helper()
	k, err := chain.NewKey(bytes.Repeat([]byte{octet}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// at returns the options of the log at path.
func at(t testing.TB, path string) auditlog.Options {
	t.Helper()
	return auditlog.Options{Path: path, Key: key(t, 1)}
}

func fresh(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "audit.jsonl")
}

func open(t testing.TB, options auditlog.Options) *auditlog.Log {
	t.Helper()
	log, err := auditlog.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// reopened opens the log at path and closes it again.
func reopened(t *testing.T, options auditlog.Options) error {
	t.Helper()
	log, err := auditlog.Open(options)
	if err != nil {
		return err
	}
	return log.Close()
}

func verify(t testing.TB, path string) (segments.Report, error) {
	t.Helper()
	return segments.Verify(segments.Verification{Path: path, Key: key(t, 1)})
}

// holds says so when the log at path is not whole, or has another number of records.
func holds(t *testing.T, path string, records uint64) {
	t.Helper()
	if r, err := verify(t, path); err != nil || r.To != records || r.From != 1 {
		t.Errorf("records %d to %d, want 1 to %d: %v", r.From, r.To, records, err)
	}
}

// add appends records of one kind.
func add(t testing.TB, log *auditlog.Log, kind recovery.EventType, n int) {
	t.Helper()
	for range n {
		if err := log.Append(t.Context(), event(kind)); err != nil {
			t.Fatal(err)
		}
	}
}

// written returns the path of a closed log of n records, the last one critical.
func written(t *testing.T, n int) string {
	t.Helper()
	path := fresh(t)
	log := open(t, at(t, path))
	add(t, log, recovery.EventRecoveryStarted, n-1)
	add(t, log, recovery.EventPassIssuing, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAppendAndVerify(t *testing.T) {
	path := written(t, 5)
	holds(t, path, 5)
	log := open(t, at(t, path))
	add(t, log, recovery.EventPassIssued, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 6)
}

// Whatever is done to the file of a closed log, Verify says so, and Open appends nothing to it.
func TestTamperingShows(t *testing.T) {
	lines := func(text []byte) [][]byte { return bytes.SplitAfter(text, []byte("\n")) }
	for name, change := range map[string]func(text []byte) []byte{
		"the time it began": func(text []byte) []byte {
			return bytes.Replace(text, []byte(`"started":"2`), []byte(`"started":"1`), 1)
		},
		"a changed letter":     func(text []byte) []byte { return bytes.Replace(text, []byte("ada@"), []byte("bob@"), 1) },
		"a removed line":       func(text []byte) []byte { l := lines(text); return bytes.Join(append(l[:1:1], l[2:]...), nil) },
		"the last line gone":   func(text []byte) []byte { l := lines(text); return bytes.Join(l[:len(l)-2], nil) },
		"the first line gone":  func(text []byte) []byte { l := lines(text); return bytes.Join(l[1:], nil) },
		"everything gone":      func([]byte) []byte { return nil },
		"but the first gone":   func(text []byte) []byte { return lines(text)[0] },
		"two lines exchanged":  func(text []byte) []byte { l := lines(text); l[1], l[2] = l[2], l[1]; return bytes.Join(l, nil) },
		"a line twice":         func(text []byte) []byte { l := lines(text); return bytes.Join(append(l[:1:1], l...), nil) },
		"a space":              func(text []byte) []byte { return bytes.Replace(text, []byte(`{"seq"`), []byte(`{ "seq"`), 1) },
		"an unknown member":    func(text []byte) []byte { return bytes.Replace(text, []byte(`{"seq"`), []byte(`{"x":1,"seq"`), 1) },
		"a name in upper case": func(text []byte) []byte { return bytes.Replace(text, []byte(`{"seq"`), []byte(`{"SEQ"`), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := written(t, 5)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(bytes.Clone(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			if r, err := verify(t, path); err == nil {
				t.Errorf("verified %d records", r.To)
			}
			if err := reopened(t, at(t, path)); err == nil {
				t.Error("opened for more")
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
	if _, err := verify(t, path); !errors.Is(err, chain.ErrBroken) {
		t.Errorf("got %v", err)
	}
}

func TestAMissingLogIsNoticed(t *testing.T) {
	path := written(t, 2)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, path); err == nil {
		t.Error("verified")
	}
	if err := reopened(t, at(t, path)); !errors.Is(err, segments.ErrTruncated) {
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
	if _, err := verify(t, path); !errors.Is(err, chain.ErrUnfinished) {
		t.Errorf("verify: %v", err)
	}
	log := open(t, at(t, path))
	add(t, log, recovery.EventPassIssued, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 4)
}

func TestCriticalRecordsAreInTheHeadAtOnce(t *testing.T) {
	path := fresh(t)
	log := open(t, at(t, path))
	defer log.Close()
	for i, row := range []struct {
		kind recovery.EventType
		head uint64
	}{
		{recovery.EventRecoveryStarted, 0}, {recovery.EventPassIssuing, 2}, {recovery.EventPassIssued, 2}, {recovery.EventRecoveryDenied, 4},
		{recovery.EventAccountMatched, 5}, {recovery.EventRecoveryEvaluated, 6},
	} {
		add(t, log, row.kind, 1)
		holds(t, path, uint64(i+1))
		if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Seq != row.head || head.Segment != 1 {
			t.Errorf("%s: the head is %+v, %v", row.kind, head, err)
		}
	}
}

// The others are in the head soon, so that removing them shows as well.
func TestEveryRecordIsInTheHeadSoon(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	log := open(t, at(t, path))
	defer log.Close()
	add(t, log, recovery.EventRecoveryStarted, 3)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		head, err := segments.ReadHead(path, key(t, 1))
		if err == nil && head.Seq == 3 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the head is still %+v, %v", head, err)
		}
	}
}

func TestManyWritersAtOnce(t *testing.T) {
	path := fresh(t)
	options := at(t, path)
	options.SegmentSize = 2048 // and more than one segment
	log := open(t, options)
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
	holds(t, path, 64)
	if r, err := verify(t, path); r.Segments < 2 {
		t.Errorf("%d segments, %v", r.Segments, err)
	}
}

// No record, no pass: a log that cannot be written says so, and goes on saying so.
func TestAFullDiskIsAnError(t *testing.T) {
	log := open(t, at(t, fresh(t)))
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
	now := time.Now()
	if err := errors.Join(log.Append(t.Context(), issuing("one", now)), log.Append(t.Context(), event(recovery.EventPassFailed))); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[recovery.TransactionID]bool{"one": true, "two": false, "txn": false} {
		if found, err := log.Issued(id, now); found != want || err != nil {
			t.Errorf("%s: %t, %v", id, found, err)
		}
	}
	late := event(recovery.EventPassIssuing)
	late.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	said(t, "a record that cannot be encoded", log.Append(t.Context(), late), "encode audit event")
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

// The cost of an append must not grow with the log.
func BenchmarkAppendCritical(b *testing.B) {
	log := open(b, at(b, fresh(b)))
	defer log.Close()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := log.Append(b.Context(), event(recovery.EventPassIssuing)); err != nil {
				b.Error(err)
			}
		}
	})
}

// A record that waits for no disk costs a look at the file, a hash and a write.
func BenchmarkAppend(b *testing.B) {
	log := open(b, at(b, fresh(b)))
	defer log.Close()
	for b.Loop() {
		if err := log.Append(b.Context(), event(recovery.EventRecoveryStarted)); err != nil {
			b.Fatal(err)
		}
	}
}
