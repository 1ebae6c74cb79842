package auditlog_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
)

// hangups is the test process as a node that is told by SIGHUP.
func hangups(t *testing.T) <-chan os.Signal {
	t.Helper()
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(told) })
	return told
}

// A running node is asked to rotate, and what it did is waited for: the segment goes on after the last record.
func TestRotateFileAsksTheNode(t *testing.T) {
	path, told := fresh(t), hangups(t)
	other := closing(t, open(t, at(t, fresh(t)))) // which holds a lock, too
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 3)
	reopened := make(chan error, 1)
	go func() {
		<-told
		reopened <- errors.Join(other.Reopen(), log.Reopen())
	}()
	head, err := auditlog.RotateFile(t.Context(), at(t, path))
	if err != nil || head.Segment != 2 || head.Seq != 3 {
		t.Fatalf("%+v, %v", head, err)
	}
	if err := <-reopened; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".rotate"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what asked for it is left: %v", err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	holds(t, path, 4)
	if err := log.Reopen(); err != nil { // once for each time that it is asked
		t.Fatal(err)
	}
	if r, err := verify(t, path); err != nil || r.Segments != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A node that does nothing is waited for as long as the caller wants, and its process is named.
func TestRotateFileGivesUp(t *testing.T) {
	path := fresh(t)
	hangups(t)
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	head, err := auditlog.RotateFile(ctx, at(t, path))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not rotate the audit log") || head.Segment != 1 {
		t.Errorf("%+v, %v", head, err)
	}
	if err := os.Remove(path + ".head"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond) // a head that was removed is what a rotation mends
	defer cancel()
	if _, err := auditlog.RotateFile(ctx, at(t, path)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a head to compare with: %v", err)
	}
}

// What stands in the way of asking is told, and no process is sent a signal.
func TestRotateFileThatCannotAsk(t *testing.T) {
	path, told := fresh(t), hangups(t)
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 3)
	if err := os.Mkdir(path+".rotate", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := auditlog.RotateFile(t.Context(), at(t, path)); err == nil || !strings.Contains(err.Error(), "ask the node to rotate") {
		t.Errorf("the request cannot be written: %v", err)
	}
	if err := os.WriteFile(path+".head", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auditlog.RotateFile(t.Context(), at(t, path)); err == nil || !strings.Contains(err.Error(), "no valid head") {
		t.Errorf("its head is none: %v", err)
	}
	// Nobody can say who holds the lock: the person has to send the signal.
	locked := written(t, 2)
	lock, err := os.OpenFile(locked+".lock", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if _, err := auditlog.RotateFile(t.Context(), at(t, locked)); err == nil || !strings.Contains(err.Error(), "send SIGHUP to the node yourself") {
		t.Errorf("a process that is not named: %v", err)
	}
	if len(told) > 0 {
		t.Error("a signal was sent")
	}
}

// Where no node runs, what keeps the log from being opened or rotated is told.
func TestRotateFileThatCannotRotate(t *testing.T) {
	path := written(t, 2)
	files := &shut{name: ".new"}
	_, err := auditlog.RotateFile(t.Context(), at(t, path).WithOpener(files.ask))
	said(t, "a new segment", err, "begin a new segment of the audit log: "+errBroken.Error())
	if files.open != 0 {
		t.Errorf("%d files are open", files.open)
	}
	if head, err := auditlog.RotateFile(t.Context(), at(t, path)); err != nil || head.Segment != 2 || head.Seq != 2 {
		t.Errorf("%+v, %v", head, err)
	}
	if err := os.WriteFile(path+".head", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	head, err := auditlog.RotateFile(t.Context(), at(t, path))
	said(t, "its head is none", err, "open audit log: "+path+".head: no valid head")
	if head.Segment != 0 {
		t.Errorf("%+v", head)
	}
}

// The process that holds the lock is the one that the kernel names for this file: not one that holds another, and nobody
// where nobody does.
func TestHolder(t *testing.T) {
	path, other := fresh(t), fresh(t)
	closing(t, open(t, at(t, other)))
	if pid, err := auditlog.Holder(path); err == nil || !errors.Is(err, os.ErrNotExist) || pid != 0 {
		t.Errorf("no lock file: %d, %v", pid, err)
	}
	if err := reopened(t, at(t, path)); err != nil {
		t.Fatal(err)
	}
	if pid, err := auditlog.Holder(path); err == nil || !strings.Contains(err.Error(), "the kernel names none here") || pid != 0 {
		t.Errorf("nobody: %d, %v", pid, err)
	}
	log := closing(t, open(t, at(t, path)))
	if pid, err := auditlog.Holder(path); err != nil || pid != os.Getpid() {
		t.Errorf("this process: %d, %v", pid, err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	// A lock of another kind on the same file is none of ours.
	lock, err := os.OpenFile(path+".lock", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for name, kind := range map[string]int{"shared": syscall.LOCK_SH} {
		if err := syscall.Flock(int(lock.Fd()), kind); err != nil {
			t.Fatal(err)
		}
		if pid, err := auditlog.Holder(path); err == nil {
			t.Errorf("%s: %d", name, pid)
		}
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := syscall.FcntlFlock(lock.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	if pid, err := auditlog.Holder(path); err == nil {
		t.Errorf("a lock of POSIX: %d", pid)
	}
}

// A line of the table of locks that is not of a process that wrote this lock file names nobody.
func TestHolderIn(t *testing.T) {
	for name, row := range map[string]struct {
		table string
		want  int
	}{
		"the lock":                    {"3: FLOCK  ADVISORY  WRITE 23094 fe:00:9986051 0 EOF\n", 23094},
		"after others":                {"1: POSIX  ADVISORY  WRITE 1 fe:00:9986051 0 EOF\n2: FLOCK  ADVISORY  READ 2 fe:00:9986051 0 EOF\n3: FLOCK  ADVISORY  WRITE 3 fe:00:9986051 0 EOF\n", 3},
		"no more than is needed":      {"3: FLOCK  ADVISORY  WRITE 23094 fe:00:9986051", 23094},
		"of another file":             {"3: FLOCK  ADVISORY  WRITE 23094 fe:00:99860510 0 EOF\n", 0},
		"who waits for it":            {"3: -> FLOCK  ADVISORY  WRITE 23094 fe:00:9986051 0 EOF\n", 0},
		"in another container":        {"3: FLOCK  ADVISORY  WRITE 0 fe:00:9986051 0 EOF\n", 0},
		"of a process group":          {"3: FLOCK  ADVISORY  WRITE -7 fe:00:9986051 0 EOF\n", 0},
		"another's, and then this":    {"3: FLOCK  ADVISORY  WRITE 0 fe:00:9986051 0 EOF\n4: FLOCK  ADVISORY  WRITE 8 fe:00:9986051 0 EOF\n", 8},
		"a number that is none":       {"3: FLOCK  ADVISORY  WRITE x fe:00:9986051 0 EOF\n", 0},
		"a line that is cut":          {"3: FLOCK  ADVISORY  WRITE 23094", 0},
		"an empty line, and the lock": {"\n3: FLOCK  ADVISORY  WRITE 23094 fe:00:9986051 0 EOF\n", 23094},
		"nothing":                     {"", 0},
	} {
		if pid := auditlog.HolderIn(row.table, "9986051"); pid != row.want {
			t.Errorf("%s: %d, want %d", name, pid, row.want)
		}
	}
}
