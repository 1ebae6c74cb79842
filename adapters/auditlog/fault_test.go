package auditlog_test

import (
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
	"regain/recovery/chain"
)

// faulty is a file of which some calls fail; nil for those that do not.
type faulty struct {
	auditlog.File
	write, writeAt func([]byte) (int, error)
	sync           func() error
	truncate       func() error
	stat           func() (os.FileInfo, error)
}

func (f faulty) Stat() (os.FileInfo, error) {
	if f.stat != nil {
		return f.stat()
	}
	return f.File.Stat()
}

func (f faulty) Write(p []byte) (int, error) {
	if f.write != nil {
		return f.write(p)
	}
	return f.File.Write(p)
}

func (f faulty) WriteAt(p []byte, off int64) (int, error) {
	if f.writeAt != nil {
		return f.writeAt(p)
	}
	return f.File.WriteAt(p, off)
}

func (f faulty) Sync() error {
	if f.sync != nil {
		return f.sync()
	}
	return f.File.Sync()
}

func (f faulty) Truncate(size int64) error {
	if f.truncate != nil {
		return f.truncate()
	}
	return f.File.Truncate(size)
}

func compress(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(file)
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close(), file.Close(), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
}

// clockOf returns a clock that a test moves.
func clockOf(now *time.Time) func() time.Time { return func() time.Time { return *now } }

// A record that was not written whole, not made durable, or that the head does not name, is not acknowledged. What goes
// on by itself and what stays closed until it is opened again differ in what is known of the disk.
func TestFaultsOfTheDisk(t *testing.T) {
	full := errors.New("no space left on device")
	for name, row := range map[string]struct {
		fault  func(path, name string, f auditlog.File) auditlog.File
		closed bool // until Reopen
	}{
		"nothing of the line is written": {fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path, name, f, faulty{File: f, write: func([]byte) (int, error) { return 0, full }})
		}},
		"half of the line is written": {fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path, name, f, faulty{File: f, write: func(p []byte) (int, error) {
				n, err := f.Write(p[:len(p)/2])
				return n, errors.Join(err, full)
			}})
		}},
		"half of the line is written and cannot be cut off": {closed: true, fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path, name, f, faulty{File: f, write: func(p []byte) (int, error) {
				n, err := f.Write(p[:len(p)/2])
				return n, errors.Join(err, full)
			}, truncate: func() error { return full }})
		}},
		"the cut does nothing": {closed: true, fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path, name, f, faulty{File: f, write: func(p []byte) (int, error) {
				n, err := f.Write(p[:len(p)/2])
				return n, errors.Join(err, full)
			}, truncate: func() error { return nil }})
		}},
		"the fsync fails": {closed: true, fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path, name, f, faulty{File: f, sync: func() error { return full }})
		}},
		"the head is not written": {fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path+".head", name, f, faulty{File: f, writeAt: func([]byte) (int, error) { return 0, full }})
		}},
		"half of the head is written": {fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path+".head", name, f, faulty{File: f, writeAt: func(p []byte) (int, error) {
				n, err := f.WriteAt(p[:len(p)/2], 0)
				return n, errors.Join(err, full)
			}})
		}},
		"the head's fsync fails": {closed: true, fault: func(path, name string, f auditlog.File) auditlog.File {
			return only(path+".head", name, f, faulty{File: f, sync: func() error { return full }})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := fresh(t)
			if err := reopened(t, at(t, path)); err != nil {
				t.Fatal(err)
			}
			over := true // the cause
			now := time.Now()
			options := at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
				return switched{f, row.fault(path, name, f), &over}
			})
			options.Clock = clockOf(&now)
			log := closing(t, open(t, options))
			add(t, log, recovery.EventPassIssuing, 2)
			over = false
			for range 2 {
				if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err == nil {
					t.Error("a record that was not kept was acknowledged")
				}
				now = now.Add(2 * time.Second)
				if log.Ready() == nil {
					t.Error("says that it is ready")
				}
			}
			over = true
			now = now.Add(2 * time.Second)
			if err := log.Ready(); (err == nil) == row.closed {
				t.Errorf("ready when the cause is over: %v", err)
			}
			if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); (err == nil) == row.closed {
				t.Errorf("a record when the cause is over: %v", err)
			}
			if err := log.Reopen(); err != nil {
				t.Fatal(err)
			}
			add(t, log, recovery.EventPassIssuing, 1)
			if err := log.Ready(); err != nil {
				t.Errorf("after it was opened again: %v", err)
			}
			if r, err := verify(t, path); err != nil && !errors.Is(err, chain.ErrUnfinished) || err == nil && r.To < 3 {
				t.Errorf("verify: %+v, %v", r, err)
			}
		})
	}
}

// A load balancer asks every moment: a log that fails is tried once a second.
func TestReadyTriesOnceASecond(t *testing.T) {
	path, now, writes := fresh(t), time.Now(), 0
	if err := reopened(t, at(t, path)); err != nil {
		t.Fatal(err)
	}
	options := at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
		return faulty{File: f, write: func([]byte) (int, error) { writes++; return 0, errors.New("no space left on device") }}
	})
	options.Clock = clockOf(&now)
	log := closing(t, open(t, options))
	if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err == nil {
		t.Fatal("acknowledged")
	}
	for range 3 {
		for range 5 {
			if log.Ready() == nil {
				t.Error("ready")
			}
		}
		now = now.Add(time.Second)
	}
	if writes != 1+3 {
		t.Errorf("%d writes", writes)
	}
}

// The line that Ready tries cannot be cut off again: the end of the log is not known any more, and it stays closed.
func TestATryThatCannotBeCutOff(t *testing.T) {
	path, now := fresh(t), time.Now()
	var write, truncate error
	options := at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File {
		return faulty{File: f, write: func(p []byte) (int, error) {
			if write != nil {
				return 0, write
			}
			return f.Write(p)
		}, truncate: func() error { return truncate }} // the first time there is nothing to cut
	})
	options.Clock = clockOf(&now)
	log := closing(t, open(t, options))
	write = errors.New("no space left on device")
	if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, write) {
		t.Fatal(err)
	}
	write, truncate = nil, errBroken
	now = now.Add(2 * time.Second)
	said(t, "ready", log.Ready(), errBroken.Error())
	truncate = nil
	now = now.Add(2 * time.Second)
	said(t, "ready, when the cause is over", log.Ready(), errBroken.Error())
	said(t, "append", log.Append(t.Context(), event(recovery.EventPassIssuing)), "closed to further records: "+errBroken.Error())
}

// A record that cannot be written or cut off, be it that nothing of it was written, leaves an end that nobody knows.
func TestARecordThatCannotBeCutOff(t *testing.T) {
	broken := false
	log := closing(t, open(t, at(t, fresh(t)).WithFiles(func(name string, f auditlog.File) auditlog.File {
		return faulty{File: f, write: func(p []byte) (int, error) {
			if broken {
				return 0, errors.New("no space left on device")
			}
			return f.Write(p)
		}, truncate: func() error { return errBroken }}
	})))
	broken = true
	err := log.Append(t.Context(), event(recovery.EventPassIssuing))
	said(t, "a record", err, "write audit record, and cut off what was written of it: no space left on device\n"+errBroken.Error())
	broken = false
	said(t, "another", log.Append(t.Context(), event(recovery.EventPassIssuing)), "closed to further records: write audit record, and cut off")
}

// only returns the faulty file if it is the one of this name; a new segment is made under another.
func only(wanted, name string, whole, f auditlog.File) auditlog.File {
	if name == wanted {
		return f
	}
	return whole
}

// switched is a file that is whole once the cause is over.
type switched struct {
	auditlog.File
	fault auditlog.File
	over  *bool
}

func (s switched) pick() auditlog.File {
	if *s.over {
		return s.File
	}
	return s.fault
}

func (s switched) Write(p []byte) (int, error)              { return s.pick().Write(p) }
func (s switched) WriteAt(p []byte, off int64) (int, error) { return s.pick().WriteAt(p, off) }
func (s switched) Sync() error                              { return s.pick().Sync() }
func (s switched) Truncate(size int64) error                { return s.pick().Truncate(size) }

func closing(t *testing.T, log *auditlog.Log) *auditlog.Log {
	t.Helper()
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// smallFiles tells a child process to be the node of TestARealDiskThatIsFull.
const smallFiles = "AUDITLOG_TEST_SMALL_FILES"

// A real volume that is full for a moment: the kernel refuses to make the file longer, in the middle of a line, and
// takes more later. The limit is one of the process, so a child is the node.
func TestARealDiskThatIsFull(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(smallFiles); path != "" {
		fillUp(t, path)
		return
	}
	path := fresh(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestARealDiskThatIsFull$")
	child.Env = append(os.Environ(), smallFiles+"="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r, err := verify(t, path)
	if err != nil || r.To < 10 {
		t.Errorf("%+v, %v", r, err)
	}
}

func fillUp(t *testing.T, path string) {
	log := open(t, at(t, path))
	add(t, log, recovery.EventPassIssuing, 5)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var unlimited syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		t.Fatal(err)
	}
	limit := unlimited
	limit.Cur = uint64(info.Size()) + 100 // less than a record
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err == nil || !strings.Contains(err.Error(), "file too large") {
			t.Errorf("on a full disk: %v", err)
		}
	}
	if err := log.Ready(); err == nil {
		t.Error("says that it is ready")
	}
	if now, err := os.Stat(path); err != nil || now.Size() != info.Size() {
		t.Errorf("part of a line is left: %d octets, %d before, %v", now.Size(), info.Size(), err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); log.Ready() != nil && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
	}
	if err := log.Ready(); err != nil {
		t.Errorf("not ready when there is space again: %v", err)
	}
	add(t, log, recovery.EventPassIssuing, 5)
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}
