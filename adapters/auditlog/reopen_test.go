package auditlog_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"regain/adapters/auditlog"
	"regain/recovery"
)

// What SIGHUP says of the segment that it gives up: whether its end may be missing, and whether it is what was written. It says
// nothing of a segment that is whole.
func TestWhatReopenSaysOfTheOldSegment(t *testing.T) {
	const missing, other = "the end of the audit log's last segment may be missing", "the audit log's last segment is not what was written to it"
	cut := func(path string) error {
		text, err := os.ReadFile(path)
		return errors.Join(err, os.Truncate(path, int64(bytes.LastIndexByte(text[:len(text)-1], '\n')+1)))
	}
	rename := func(path string) error { return os.Rename(path, path+".1") }
	for name, row := range map[string]struct {
		closed bool // by an fsync that fails, before
		change func(path string) error
		fsync  error // of the old segment, when it is given up
		stat   error
		says   []string
	}{
		"a failed fsync, and all is there":     {closed: true, says: []string{missing}},
		"a failed fsync, and a record is gone": {closed: true, change: cut, says: []string{missing, other}},
		"a failed fsync, and another text": {closed: true, change: func(path string) error { return os.WriteFile(path, []byte("x\n"), 0o600) },
			says: []string{missing, other}},
		"a failed fsync, and a line of somebody's": {closed: true, change: func(path string) error {
			text, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, append(text, "{}\n"...), 0o600))
		}, says: []string{missing, other}},
		"renamed":                           {change: rename},
		"renamed, and the fsync fails":      {change: rename, fsync: errBroken, says: []string{missing}},
		"renamed, and it cannot be seen":    {change: rename, stat: errBroken, says: []string{missing}},
		"deleted":                           {change: os.Remove, says: []string{missing, "its file was deleted"}},
		"a record is gone":                  {change: cut, says: []string{missing, "were written"}},
		"its head deleted, and all is well": {change: func(path string) error { return os.Remove(path + ".head") }},
	} {
		t.Run(name, func(t *testing.T) {
			path, now := fresh(t), struct{ fsync, stat error }{}
			logger, lines := told()
			options := at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
				if name != path+".new" {
					return f
				}
				return faulty{File: f, sync: func() error { return errors.Join(now.fsync, f.Sync()) }, stat: func() (os.FileInfo, error) {
					if now.stat != nil {
						return nil, now.stat
					}
					return f.Stat()
				}}
			})
			options.Logger = logger
			log := closing(t, open(t, options))
			add(t, log, recovery.EventPassIssuing, 3)
			if row.closed {
				now.fsync = errBroken
				if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, errBroken) {
					t.Fatal(err)
				}
				now.fsync = nil
			}
			if row.change != nil {
				if err := row.change(path); err != nil {
					t.Fatal(err)
				}
			}
			// A new segment is made of another file, which is well.
			now.fsync, now.stat = row.fsync, row.stat
			err := log.Reopen()
			if row.fsync == nil && err != nil {
				t.Fatal(err)
			}
			if row.fsync == nil && !row.closed && !slices.Contains(row.says, "were written") {
				if err := log.Close(); err != nil { // every record was durable before
					t.Errorf("close: %v", err)
				}
			}
			for _, line := range []string{missing, other, "its file was deleted", "were written"} {
				said := strings.Contains(lines.String(), line)
				if want := slices.Contains(row.says, line); said != want && (want || line != "were written") { // the cause says so, too
					t.Errorf("says %q: %t\n%s", line, said, lines)
				}
			}
		})
	}
}
