package auditlog_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

var errBroken = errors.New("input/output error")

// failing counts what is done to files, lets one call fail, and knows which files are open.
type failing struct {
	left int
	open int
}

func (f *failing) call() error {
	f.left--
	if f.left == -1 {
		return errBroken
	}
	return nil
}

func (f *failing) wrap(_ string, file auditlog.File) auditlog.File {
	f.open++
	return brittle{file, f}
}

// brittle is a file of which each call may be the one that fails.
type brittle struct {
	auditlog.File
	f *failing
}

func (b brittle) Write(p []byte) (int, error) {
	if err := b.f.call(); err != nil {
		return 0, err
	}
	return b.File.Write(p)
}

func (b brittle) WriteAt(p []byte, off int64) (int, error) {
	if err := b.f.call(); err != nil {
		return 0, err
	}
	return b.File.WriteAt(p, off)
}

// Sync waits for no disk: the test's process does not crash.
func (b brittle) Sync() error { return b.f.call() }

func (b brittle) Truncate(size int64) error { return errors.Join(b.f.call(), b.File.Truncate(size)) }

func (b brittle) Stat() (fs.FileInfo, error) {
	if err := b.f.call(); err != nil {
		return nil, err
	}
	return b.File.Stat()
}

func (b brittle) Close() error {
	b.f.open--
	return errors.Join(b.f.call(), b.File.Close())
}

// told is a logger whose lines can be read.
func told() (*slog.Logger, *bytes.Buffer) {
	var lines bytes.Buffer
	return slog.New(slog.NewTextHandler(&lines, nil)), &lines
}

// life is what a log goes through; it returns every error, and how many critical records were acknowledged.
func life(t *testing.T, options auditlog.Options) (acknowledged uint64, failed error) {
	t.Helper()
	step := func(err error) { failed = errors.Join(failed, err) }
	append1 := func(log *auditlog.Log, kind recovery.EventType) {
		err := log.Append(t.Context(), event(kind))
		step(err)
		if err == nil && kind.Critical() {
			acknowledged++
		}
	}
	for range 2 {
		log, err := auditlog.Open(options)
		if err != nil {
			return acknowledged, errors.Join(failed, err)
		}
		append1(log, recovery.EventPassIssuing)
		append1(log, recovery.EventRecoveryStarted)
		step(log.Rotate())
		append1(log, recovery.EventPassIssuing)
		step(log.Reopen())
		append1(log, recovery.EventPassIssuing)
		for range 4 { // a segment is full
			append1(log, recovery.EventPassIssuing)
		}
		step(log.Ready())
		step(log.Close())
	}
	return acknowledged, failed
}

// Whichever call to a file fails, of the whole life of a log: it is told, by the step or in the log of the program, every
// file is closed at the end, and what was acknowledged is there when the disk is well again.
func TestEveryFaultOfAFileIsTold(t *testing.T) {
	for calls := 0; ; calls++ {
		path, f := fresh(t), &failing{left: calls}
		options := at(t, path).WithFiles(f.wrap)
		options.SegmentSize = 1200
		logger, lines := told()
		options.Logger = logger
		acknowledged, err := life(t, options)
		if f.open != 0 {
			t.Errorf("call %d: %d files are still open", calls+1, f.open)
		}
		if f.left >= 0 {
			if err != nil || strings.Contains(lines.String(), "level=ERROR") || acknowledged != 14 {
				t.Fatalf("as it should be: %d records, %v\n%s", acknowledged, err, lines)
			}
			if calls < 50 {
				t.Errorf("%d calls", calls)
			}
			return
		}
		if !errors.Is(err, errBroken) && !strings.Contains(lines.String(), errBroken.Error()) {
			t.Errorf("call %d: not told: %v\n%s", calls+1, err, lines)
		}
		if err := reopened(t, at(t, path)); err != nil {
			// The very first start failed between the segment and its head: to go on by itself would be to go on after both
			// were removed, too.
			if !errors.Is(err, segments.ErrNoHead) || acknowledged > 0 || calls > 6 {
				t.Errorf("call %d: the next start: %v", calls+1, err)
			}
			continue
		}
		if r, err := verify(t, path); err != nil || r.To < acknowledged {
			t.Errorf("call %d: %d records, %d were acknowledged: %v", calls+1, r.To, acknowledged, err)
		}
	}
}

// elsewhere is a store of heads that fails where it is told to.
type elsewhere struct {
	line       string
	load, save error
}

func (e *elsewhere) LoadHead(context.Context) (string, error) { return e.line, e.load }

func (e *elsewhere) SaveHead(_ context.Context, line string) error {
	if e.save == nil {
		e.line = line
	}
	return e.save
}

// A store that cannot keep the head, or gives one that is none, stops the start: nothing would tell that a log was deleted.
func TestAStoreOfHeadsThatFails(t *testing.T) {
	path := written(t, 3)
	store := &elsewhere{}
	options := at(t, path)
	options.Remembered = store
	for name, row := range map[string]struct {
		store elsewhere
		says  string
	}{
		"cannot be read":    {elsewhere{load: errBroken}, errBroken.Error()},
		"read in part":      {elsewhere{line: "x", load: errBroken}, errBroken.Error()},
		"cannot be written": {elsewhere{save: errBroken}, "keep the audit log's head: " + errBroken.Error()},
		"no head":           {elsewhere{line: "x"}, "the head that the store keeps: not a head"},
		"another key's":     {elsewhere{line: key(t, 2).EncodeHead(chain.Head{Segment: 1, Seq: 1, MAC: strings.Repeat("ab", 32)})}, "the head that the store keeps: the head was not made with this key"},
	} {
		*store = row.store
		said(t, name, reopened(t, options), row.says)
	}
	*store = elsewhere{}
	log := open(t, options)
	store.save = errBroken
	if err := log.Close(); !errors.Is(err, errBroken) {
		t.Errorf("closed: %v", err)
	}
	// An administrator who begins anew may have a new key, and still needs the store.
	options.Begin, *store = true, elsewhere{load: errBroken}
	said(t, "begin without the store", reopened(t, options), errBroken.Error())
	*store = elsewhere{line: "x"}
	said(t, "begin with a head of another key", reopened(t, options), "")
}

// What stands where the log wants to put a file stops the start, and is named.
func TestPlacesThatAreTaken(t *testing.T) {
	taken := func(name string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := errors.Join(os.RemoveAll(path+name), os.MkdirAll(path+name+"/x", 0o700)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, row := range map[string]struct {
		spoil   func(t *testing.T, path string)
		examine bool // whether to look at it is enough
		says    string
	}{
		"the lock's":          {taken(".lock"), false, ".lock: is a directory"},
		"the head's":          {taken(".head"), true, "read the audit log's head: "},
		"a new segment's":     {taken(".new"), false, ".new: directory not empty"},
		"half a first line":   {func(t *testing.T, path string) { shorten(t, path, 20) }, true, "last audit record is unfinished"},
		"no directory at all": {func(t *testing.T, path string) { _ = os.RemoveAll(path[:strings.LastIndexByte(path, '/')]) }, false, "no such file or directory"},
	} {
		path := written(t, 3)
		row.spoil(t, path)
		said(t, name, reopened(t, at(t, path)), row.says)
		if row.examine {
			said(t, name+", examined", auditlog.Examine(at(t, path)), row.says)
		}
	}
	// A running log goes on in its segment, says so, and does not try at every record.
	path := fresh(t)
	options := at(t, path)
	options.SegmentSize = 800
	logger, lines := told()
	options.Logger = logger
	log := closing(t, open(t, options))
	taken(".new")(t, path)
	add(t, log, recovery.EventPassIssuing, 20)
	if n := strings.Count(lines.String(), "was not rotated and goes on"); n < 2 || n > 20 {
		t.Errorf("said %d times", n)
	}
	if err := log.Rotate(); err == nil || !strings.Contains(err.Error(), "begin a new segment of the audit log: open ") {
		t.Errorf("rotate: %v", err)
	}
	holds(t, path, 20)
	if err := os.RemoveAll(path + ".new"); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 20)
	if r, err := verify(t, path); err != nil || r.Segments < 2 || r.To != 40 || len(r.Notes) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func shorten(t *testing.T, path string, to int64) {
	t.Helper()
	if err := os.Truncate(path, to); err != nil {
		t.Fatal(err)
	}
}

// After it was closed a log takes nothing, does not open again by a signal, and says why.
func TestAClosedLog(t *testing.T) {
	for name, step := range map[string]func(log *auditlog.Log) error{
		"critical": func(log *auditlog.Log) error { return log.Append(t.Context(), event(recovery.EventPassIssuing)) },
		"another":  func(log *auditlog.Log) error { return log.Append(t.Context(), event(recovery.EventRecoveryStarted)) },
		"reopen":   (*auditlog.Log).Reopen, "ready": (*auditlog.Log).Ready, "rotate": (*auditlog.Log).Rotate,
	} {
		path, broken := fresh(t), false
		log := open(t, at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
			return faulty{File: f, sync: func() error {
				if broken {
					return errBroken
				}
				return f.Sync()
			}}
		}))
		add(t, log, recovery.EventRecoveryStarted, 2)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if err := step(log); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		if err := reopened(t, at(t, path)); err != nil { // which needs the lock
			t.Errorf("%s, and another node: %v", name, err)
		}
		holds(t, path, 2)
		// One that failed before says why, still.
		path = fresh(t)
		log = open(t, at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
			return faulty{File: f, sync: func() error {
				if broken {
					return errBroken
				}
				return f.Sync()
			}}
		}))
		broken = true
		if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		broken = false
		_ = log.Close()
		if err := step(log); !errors.Is(err, os.ErrClosed) || !errors.Is(err, errBroken) {
			t.Errorf("%s, after a failure: %v", name, err)
		}
		if err := reopened(t, at(t, path)); err != nil {
			t.Errorf("%s, after a failure, and another node: %v", name, err)
		}
	}
	memory := auditlog.NewMemory()
	if err := errors.Join(memory.Ready(), memory.Reopen(), memory.Close()); err != nil {
		t.Errorf("in memory: %v", err)
	}
	add(t, memory, recovery.EventPassIssuing, 2)
}

// A record that cannot be encoded is not written, and the log goes on.
func TestARecordThatCannotBeEncoded(t *testing.T) {
	path := fresh(t)
	log := open(t, at(t, path))
	add(t, log, recovery.EventPassIssuing, 1)
	late := event(recovery.EventPassIssuing)
	late.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := log.Append(t.Context(), late); err == nil || !strings.Contains(err.Error(), "encode audit event") {
		t.Errorf("%v", err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 2)
	for _, name := range []string{path, path + ".head", path + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %s, %v", name, info.Mode(), err)
		}
	}
}

// What stops the log, and that it goes on, is said once, with the first cause.
func TestWhatIsSaidOfAFault(t *testing.T) {
	path, now, broken := fresh(t), time.Now(), false
	options := at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
		return faulty{File: f, write: func(p []byte) (int, error) {
			if broken {
				return 0, errBroken
			}
			return f.Write(p)
		}}
	})
	logger, lines := told()
	options.Logger, options.Clock = logger, clockOf(&now)
	log := closing(t, open(t, options))
	add(t, log, recovery.EventPassIssuing, 2)
	broken = true
	for range 3 {
		_ = log.Append(t.Context(), event(recovery.EventPassIssuing))
		now = now.Add(2 * time.Second)
		_ = log.Ready()
	}
	broken = false
	add(t, log, recovery.EventPassIssuing, 2)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := log.Ready(); !errors.Is(err, auditlog.ErrSwapped) { // before any record was refused
		t.Errorf("ready: %v", err)
	}
	for range 3 {
		_ = log.Append(t.Context(), event(recovery.EventPassIssuing))
	}
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	for line, n := range map[string]int{"cannot be written": 1, "can be written again": 1, "takes no more records": 1, "carries on in a new segment": 1, "the audit log is opened again": 1, "level=ERROR": 2} {
		if got := strings.Count(lines.String(), line); got != n {
			t.Errorf("%q is said %d times, want %d:\n%s", line, got, n, lines)
		}
	}
}

// After a failed fsync nothing more is taken, critical or not, though the file is whole and the disk well again: what is on
// it is unknown. It is told with the first cause, by each step, until Reopen.
func TestAfterAFailedFsync(t *testing.T) {
	for name, fail := range map[string]func(log *auditlog.Log) error{
		"of a record":   func(log *auditlog.Log) error { return log.Append(t.Context(), event(recovery.EventPassIssuing)) },
		"of a rotation": func(log *auditlog.Log) error { return log.Rotate() },
	} {
		path, broken := fresh(t), false
		log := closing(t, open(t, at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
			return faulty{File: f, sync: func() error {
				if broken {
					return errBroken
				}
				return f.Sync()
			}}
		})))
		add(t, log, recovery.EventPassIssuing, 1)
		broken = true
		if err := fail(log); !errors.Is(err, errBroken) {
			t.Fatalf("%s: %v", name, err)
		}
		broken = false
		for step, err := range map[string]error{
			"another record": log.Append(t.Context(), event(recovery.EventRecoveryStarted)), "a critical one": log.Append(t.Context(), event(recovery.EventPassIssuing)),
			"ready": log.Ready(), "rotate": log.Rotate(),
		} {
			if !errors.Is(err, errBroken) {
				t.Errorf("%s, then %s: %v", name, step, err)
			}
		}
		if err := log.Reopen(); err != nil {
			t.Fatal(err)
		}
		add(t, log, recovery.EventPassIssuing, 1)
		if r, err := verify(t, path); err != nil || r.Segments != 2 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
