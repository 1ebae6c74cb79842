package auditlog_test

import (
	"bytes"
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

// Whatever takes the file away under a running log: no record, and so no pass, until the log is told. Then it goes on
// where it was, and what is missing stays visible.
func TestAFileThatIsSwappedUnderTheLog(t *testing.T) {
	rename := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	overwrite := func(t *testing.T, path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, path string) []byte {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, row := range map[string]struct {
		swap    func(t *testing.T, path string)
		missing string // what verify says at the end; "" for a log that is whole
		stays   string // what keeps the log closed; "" for nothing
	}{
		"renamed": {swap: rename},
		"renamed, and an empty file made (logrotate create)": {swap: func(t *testing.T, path string) {
			rename(t, path)
			overwrite(t, path, nil)
		}},
		"renamed with a date (logrotate dateext)": {swap: func(t *testing.T, path string) {
			if err := os.Rename(path, path+"-20261130"); err != nil {
				t.Fatal(err)
			}
		}},
		"copied and truncated (logrotate copytruncate)": {swap: func(t *testing.T, path string) {
			overwrite(t, path+".1", read(t, path))
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		}},
		"truncated": {missing: "segments 1 to 1", swap: func(t *testing.T, path string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		}},
		"its last record cut off": {missing: "records 4 to 4 are missing", swap: func(t *testing.T, path string) {
			text := read(t, path)
			if err := os.Truncate(path, int64(bytes.LastIndexByte(text[:len(text)-1], '\n')+1)); err != nil {
				t.Fatal(err)
			}
		}},
		"its last record cut in two": {missing: "last audit record is unfinished", swap: func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(len(read(t, path))-10)); err != nil {
				t.Fatal(err)
			}
		}},
		"deleted": {missing: "segments 1 to 1", swap: func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}},
		"written to by another": {missing: "not a record", swap: func(t *testing.T, path string) {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if _, err := file.WriteString("{}\n"); err != nil {
				t.Fatal(err)
			}
		}},
		"replaced by another file": {stays: "a file that this node did not write", swap: func(t *testing.T, path string) {
			text := read(t, path)
			rename(t, path)
			overwrite(t, path, text)
		}},
		"its head deleted": {swap: func(t *testing.T, path string) {
			if err := os.Remove(path + ".head"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := fresh(t)
			log := open(t, at(t, path))
			defer log.Close()
			add(t, log, recovery.EventPassIssuing, 4)
			row.swap(t, path)
			if name == "replaced by another file" { // of the same size; nobody would wait for this record
				said(t, "a record", log.Append(t.Context(), event(recovery.EventRecoveryStarted)), path+" is another file")
			}
			for range 2 {
				if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) {
					t.Errorf("a record was acknowledged, or refused for another reason: %v", err)
				}
			}
			if err := log.Ready(); !errors.Is(err, auditlog.ErrSwapped) {
				t.Errorf("ready: %v", err)
			}
			err := log.Reopen()
			if row.stays != "" {
				if err == nil || !strings.Contains(err.Error(), row.stays) || log.Append(t.Context(), event(recovery.EventPassIssuing)) == nil {
					t.Errorf("reopened: %v", err)
				}
				return
			}
			if err != nil || log.Ready() != nil {
				t.Fatalf("reopened: %v", err)
			}
			add(t, log, recovery.EventPassIssuing, 3)
			if r, err := verify(t, path); row.missing == "" && err != nil || row.missing != "" && (err == nil || !strings.Contains(err.Error(), row.missing)) {
				t.Errorf("verify: %+v, %v", r, err)
			}
			if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Segment != 2 {
				t.Errorf("the head: %+v, %v", head, err)
			}
		})
	}
}

// A file that is swapped between the check and the fsync has not got the record: the check comes after, too.
func TestAFileThatIsSwappedDuringTheFsync(t *testing.T) {
	path := fresh(t)
	var armed bool
	options := at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
		return faulty{File: f, sync: func() error {
			if armed && name != path+".head" {
				armed = false
				return errors.Join(f.Sync(), os.Truncate(path, 0))
			}
			return f.Sync()
		}}
	})
	log := open(t, options)
	defer log.Close()
	armed = true
	if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) {
		t.Errorf("a record that was truncated away was acknowledged: %v", err)
	}
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	armed = true
	if err := log.Rotate(); !errors.Is(err, auditlog.ErrSwapped) {
		t.Errorf("a segment that was truncated away was rotated: %v", err)
	}
	said(t, "a record then", log.Append(t.Context(), event(recovery.EventPassIssuing)), "closed to further records")
}

// SIGHUP comes for other reasons too: it begins no segment when nothing happened.
func TestReopenOfAnIntactLogChangesNothing(t *testing.T) {
	path := fresh(t)
	log := open(t, at(t, path))
	defer log.Close()
	add(t, log, recovery.EventPassIssuing, 1)
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	if r, err := verify(t, path); err != nil || r.Segments != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := auditlog.NewMemory().Reopen(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path + ".head"); err != nil { // and nothing was written since
		t.Fatal(err)
	}
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	holds(t, path, 3)
}

// No file is ever overwritten by a segment that is moved aside.
func TestASegmentOverwritesNothing(t *testing.T) {
	path := fresh(t)
	log := closing(t, open(t, at(t, path)))
	if err := os.WriteFile(path+".000001", []byte("somebody's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	if err := log.Rotate(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	if text, err := os.ReadFile(path + ".000001"); err != nil || string(text) != "somebody's\n" {
		t.Errorf("%q, %v", text, err)
	}
	holds(t, path, 2)
}

// Rotation loses nothing, by itself, by command, through a restart, and when older segments are compressed or renamed.
func TestRotation(t *testing.T) {
	path := fresh(t)
	options := at(t, path)
	options.SegmentSize = 2000
	log := open(t, options)
	add(t, log, recovery.EventRecoveryStarted, 20)
	if err := log.Rotate(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventRecoveryStarted, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	head, err := auditlog.RotateFile(t.Context(), at(t, path)) // nobody runs
	if err != nil || head.Seq != 21 {
		t.Fatalf("%+v, %v", head, err)
	}
	log = open(t, options)
	add(t, log, recovery.EventRecoveryStarted, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, 22)
	r, err := verify(t, path)
	if err != nil || r.Segments < 5 || r.Last != uint64(r.Segments) || head.Segment != r.Last {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.Rename(path+".000002", path+".2026-11-30"); err != nil {
		t.Fatal(err)
	}
	compress(t, path+".000003")
	holds(t, path, 22)
	if files, err := filepath.Glob(path + "*"); err != nil || len(files) != r.Segments+2 { // head and lock
		t.Errorf("left: %v, %v", files, err)
	}
}

// To verify beside a node that rotates now and then finds nothing wrong.
func TestVerifyBesideARotatingNode(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	log := closing(t, open(t, at(t, path)))
	done := make(chan error, 1)
	go func() {
		var err error
		for range 8 {
			err = errors.Join(err, log.Append(t.Context(), event(recovery.EventPassIssuing)), log.Rotate())
			time.Sleep(250 * time.Millisecond)
		}
		done <- err
	}()
	for {
		if r, err := verify(t, path); err != nil {
			t.Errorf("%+v, %v", r, err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			holds(t, path, 8)
			return
		default:
		}
	}
}
