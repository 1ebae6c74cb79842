package auditlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
)

// shut is a log's file system in which one name cannot be opened.
type shut struct {
	name string // "" for none
	open int    // files
}

func (s *shut) ask(path string) (func(auditlog.File) auditlog.File, error) {
	if s.name != "" && strings.HasSuffix(path, s.name) {
		return nil, errBroken
	}
	s.open++
	return func(f auditlog.File) auditlog.File { return leaving{f, s} }, nil
}

type leaving struct {
	auditlog.File
	s *shut
}

func (l leaving) Close() error { l.s.open--; return l.File.Close() }

// A file that cannot be opened stops the step that needs it, with the cause, leaves no file open, and costs nothing that
// was acknowledged.
func TestFilesThatCannotBeOpened(t *testing.T) {
	first := func(options auditlog.Options) (*auditlog.Log, error) {
		options.Path = filepath.Join(filepath.Dir(options.Path), "other.jsonl")
		return auditlog.Open(options)
	}
	again := func(options auditlog.Options) (*auditlog.Log, error) { return auditlog.Open(options) }
	moved := func(options auditlog.Options) (*auditlog.Log, error) {
		if err := os.Rename(options.Path, options.Path+".1"); err != nil {
			return nil, err
		}
		return auditlog.Open(options)
	}
	begun := func(options auditlog.Options) (*auditlog.Log, error) {
		options.Begin = true
		return auditlog.Open(options)
	}
	for name, row := range map[string]struct {
		start func(auditlog.Options) (*auditlog.Log, error)
		file  string
		says  string
	}{
		"the first start, a segment":          {first, ".new", ""},
		"the first start, the head":           {first, ".head", "open the audit log's head: "},
		"the first start, the directory":      {first, "/001", ""},
		"a start, the segment":                {again, "audit.jsonl", ""},
		"a start, the head":                   {again, ".head", "open the audit log's head: "},
		"after a rotation, a segment":         {moved, ".new", ""},
		"after a rotation, the directory":     {moved, "/001", ""},
		"after a rotation, the head":          {moved, ".head", "open the audit log's head: "},
		"after a loss, a segment":             {begun, ".new", ""},
		"after a loss, the head":              {begun, ".head", "open the audit log's head: "},
		"nothing, at the first start":         {first, "", ""},
		"nothing, at a start":                 {again, "", ""},
		"nothing, after a rotation by others": {moved, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path, files := written(t, 3), &shut{name: row.file}
			log, err := row.start(at(t, path).WithOpener(files.ask))
			if row.file == "" {
				if err != nil || log.Close() != nil || files.open != 0 {
					t.Errorf("%v, %d files open", err, files.open)
				}
				return
			}
			said(t, "open", err, "open audit log: "+row.says+errBroken.Error())
			if files.open != 0 {
				t.Errorf("%d files are open", files.open)
			}
			options := at(t, path)
			if name == "after a loss, the head" {
				options.Begin = true
			}
			if err := reopened(t, options); err != nil {
				t.Errorf("the next start: %v", err)
			}
		})
	}
}

// So it is of a log that runs: what it cannot begin keeps it where it is, and a head that cannot be opened keeps it closed.
func TestFilesThatCannotBeOpenedAnyMore(t *testing.T) {
	path, files := fresh(t), &shut{}
	log := closing(t, open(t, at(t, path).WithOpener(files.ask)))
	add(t, log, recovery.EventPassIssuing, 1)
	files.name = ".new"
	said(t, "rotate", log.Rotate(), "begin a new segment of the audit log: "+errBroken.Error())
	add(t, log, recovery.EventPassIssuing, 1)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	files.name = ".head"
	said(t, "reopen", log.Reopen(), "open the audit log's head: "+errBroken.Error())
	said(t, "append", log.Append(t.Context(), event(recovery.EventPassIssuing)), "closed to further records: open the audit log's head")
	files.name = "/001"
	said(t, "the directory", log.Reopen(), "begin a new segment of the audit log: "+errBroken.Error())
	said(t, "append", log.Append(t.Context(), event(recovery.EventPassIssuing)), "closed to further records: begin a new segment")
	files.name = ""
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	if r, err := verify(t, path); err != nil || r.To != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := log.Close(); err != nil || files.open != 0 {
		t.Errorf("%d files are open: %v", files.open, err)
	}
}

// loop puts a link to itself in the place of a file: neither can it be said that there is a file, nor that there is none.
func loop(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.Rename(path, path+".moved"), os.Symlink(path, path)); err != nil {
		t.Fatal(err)
	}
}

const looped = "too many levels of symbolic links"

// A name that cannot be looked at is neither there nor gone: no record, whatever the reason.
func TestNamesThatCannotBeLookedAt(t *testing.T) {
	path := fresh(t)
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 2)
	loop(t, path)
	for range 2 {
		said(t, "append", log.Append(t.Context(), event(recovery.EventPassIssuing)), "look at the audit log: ")
	}
	said(t, "ready", log.Ready(), looped)
	said(t, "reopen", log.Reopen(), "move the audit log's segment aside: stat "+path+": "+looped)
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new segment is left: %v", err)
	}
	if err := auditlog.CheckOwner(path); err == nil || !strings.Contains(err.Error(), looped) {
		t.Errorf("whose it is: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)

	loop(t, path+".head")
	said(t, "append", log.Append(t.Context(), event(recovery.EventPassIssuing)), "look at the audit log's head: ")
	said(t, "ready", log.Ready(), looped)
	if err := errors.Join(os.Remove(path+".head"), log.Reopen()); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)

	lost := written(t, 3)
	loop(t, lost)
	options := at(t, lost)
	options.Begin = true
	said(t, "begin", reopened(t, options), "open audit log: stat "+lost+": "+looped)
	said(t, "examine, in no directory", auditlog.Examine(at(t, filepath.Join(t.TempDir(), "none", "audit.jsonl"))), "examine audit log: open ")
}

// A line that a crash left and that cannot be cut off stops the start; so does an old head that cannot be removed when a log
// is begun anew.
func TestWhatCannotBeCutOff(t *testing.T) {
	path := written(t, 3)
	text, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path, append(text, `{"seq":4,`...), 0o600)); err != nil {
		t.Fatal(err)
	}
	full := func(_ string, f auditlog.File) auditlog.File {
		return faulty{File: f, truncate: func() error { return errBroken }}
	}
	said(t, "a line", reopened(t, at(t, path).WithFiles(full)), "cut off the audit log's unfinished record: "+errBroken.Error())
	if err := reopened(t, at(t, path)); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 3)
	if err := reopened(t, at(t, path).WithFiles(full)); err != nil {
		t.Errorf("nothing to cut off: %v", err)
	}
	options := at(t, path).WithFiles(full)
	options.Begin = true
	said(t, "a head", reopened(t, options), "write the audit log's head: "+errBroken.Error())
}

// A start whose head cannot be written leaves the one that was there: without it the next would not start.
func TestAHeadIsNotGivenUpForANewSegment(t *testing.T) {
	path := written(t, 3)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	broken := at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
		return faulty{File: f, writeAt: func([]byte) (int, error) { return 0, errBroken }}
	})
	for _, start := range []string{"with a new segment", "with the last one"} {
		log, err := auditlog.Open(broken)
		said(t, start, err, "write the audit log's head: "+errBroken.Error())
		if err == nil {
			closing(t, log)
		}
	}
	if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Segment != 1 || head.Seq != 3 {
		t.Errorf("%+v, %v", head, err)
	}
	if err := reopened(t, at(t, path)); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 3)
}

// The two places for a head are written in turn, start or not: one that is torn leaves the one before it.
func TestHeadsAreWrittenInTurn(t *testing.T) {
	for n := range 5 {
		path, tears := fresh(t), false
		log := closing(t, open(t, at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
			return tearing{f, &tears}
		})))
		add(t, log, recovery.EventPassIssuing, n)
		tears = true
		for range 2 {
			if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err == nil {
				t.Error("the head was not torn")
			}
			if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Seq != uint64(n) {
				t.Errorf("after %d records: %+v, %v", n, head, err)
			}
		}
	}
}

// tearing is a file in which nothing is written whole at a place, once it tears.
type tearing struct {
	auditlog.File
	tears *bool
}

func (f tearing) WriteAt(p []byte, off int64) (int, error) {
	if *f.tears {
		return torn{f.File}.WriteAt(p, off)
	}
	return f.File.WriteAt(p, off)
}

// What is made durable is: a file that is none, closed, or a pipe says why it is not.
func TestMakingAFileDurable(t *testing.T) {
	whole, err := os.Create(filepath.Join(t.TempDir(), "file"))
	closed, err2 := os.Create(filepath.Join(t.TempDir(), "file"))
	r, w, err3 := os.Pipe()
	if err := errors.Join(err, err2, err3, closed.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(whole.Close(), r.Close(), w.Close()) })
	if err := auditlog.Disk(whole).Sync(); err != nil {
		t.Error(err)
	}
	for want, file := range map[string]*os.File{"invalid argument": nil, "use of closed file": closed} {
		said(t, "sync", auditlog.Disk(file).Sync(), want)
	}
	said(t, "a pipe", auditlog.Disk(w).Sync(), "invalid argument")
}

// Two records of the same moment: which of the segments a start reads hold their passes. It reads sixteen.
func TestHowFarBackAStartReads(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	start := now
	options := at(t, fresh(t))
	options.Clock = clockOf(&now)
	log := open(t, options)
	const rotations = 20
	for n := range rotations {
		if err := errors.Join(log.Append(t.Context(), issuing(recovery.TransactionID(rune('a'+n)), now)), log.Rotate()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = closing(t, open(t, options))
	for n := range rotations {
		known := n > rotations-16 // and one that has no pass yet
		found, err := log.Issued(recovery.TransactionID(rune('a'+n)), start.Add(time.Duration(n)*time.Second))
		if found != known || (err == nil) != known || !known && !errors.Is(err, auditlog.ErrForgotten) {
			t.Errorf("%d: %t, %v", n, found, err)
		}
	}
	// Of what began in the moment that a log was begun anew, nothing is known, be it the first segment.
	options.Path = fresh(t)
	options.Begin = true
	if _, err := closing(t, open(t, options)).Issued("one", now); !errors.Is(err, auditlog.ErrForgotten) {
		t.Errorf("begun anew: %v", err)
	}
	options.Path, options.Begin = fresh(t), false
	if found, err := closing(t, open(t, options)).Issued("one", now); found || err != nil {
		t.Errorf("the first: %t, %v", found, err)
	}
}

// A segment that was rotated away with a record that a crash left unfinished is carried on after its last whole one. The rest
// of the line stays visible: nobody knows whether the crash left it.
func TestAnUnfinishedLineThatWasRotatedAway(t *testing.T) {
	path := written(t, 3)
	text, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path+".1", append(text, `{"seq":4,`...), 0o600), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 1)
	if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Segment != 2 || head.Seq != 4 {
		t.Errorf("%+v, %v", head, err)
	}
	_, err = verify(t, path)
	said(t, "verify", err, "last audit record is unfinished")
}

// Something else is put at the log's path in the moment that a segment gets the name.
func TestANameThatIsTakenMeanwhile(t *testing.T) {
	path := fresh(t)
	said(t, "open", reopened(t, at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
		return faulty{File: f, sync: func() error {
			if name == path+".new" {
				return os.Mkdir(path, 0o700)
			}
			return f.Sync()
		}}
	})), "open audit log: rename ")

	// The new segment is removed before it gets the log's name, and after the old one gave it up.
	path = fresh(t)
	options, armed := at(t, path), false
	now := time.Unix(1796040000, 0)
	options.Clock = func() time.Time {
		if armed {
			_ = os.Remove(path + ".new")
		}
		return now
	}
	log := closing(t, open(t, options))
	add(t, log, recovery.EventPassIssuing, 2)
	if err := os.WriteFile(path+".000001", []byte("x"), 0o600); err != nil { // so that the clock is asked for a name
		t.Fatal(err)
	}
	armed = true
	said(t, "rotate", log.Rotate(), "begin a new segment of the audit log: rename ")
	armed = false
	said(t, "append", log.Append(t.Context(), event(recovery.EventPassIssuing)), "closed to further records: begin a new segment")
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	if r, err := verify(t, path); err != nil || r.To != 3 || r.Segments != 2 {
		t.Errorf("%+v, %v", r, err)
	}

	// No name is free for the old one.
	for _, taken := range []string{".000002", ".000002-1796040000"} {
		if err := os.MkdirAll(path+taken+"/x", 0o700); err != nil {
			t.Fatal(err)
		}
	}
	said(t, "rotate", log.Rotate(), "move the audit log's segment aside: rename ")
	add(t, log, recovery.EventPassIssuing, 1)
	if r, err := verify(t, path); err != nil || r.To != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}
