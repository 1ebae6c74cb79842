package auditlog_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
)

// A command that is run as another user than the node makes no file: the node could not open it.
func TestNothingIsMadeAsAnotherUser(t *testing.T) {
	const nobody = 65534
	path, says := "/audit.jsonl", "permission denied" // where nobody but root may write
	if os.Geteuid() == 0 {
		path, says = fresh(t), "run it as user 65534"
		if err := os.Chown(filepath.Dir(path), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := auditlog.RotateFile(t.Context(), at(t, path)); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("as another user: %v", err)
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	own := fresh(t)
	if _, err := auditlog.RotateFile(t.Context(), at(t, own)); err != nil {
		t.Errorf("as its owner: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	log := closing(t, open(t, at(t, own))) // a node of another user, which root may ask
	if err := os.Chown(own, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	goOn := hangUps(t, log)
	head, err := auditlog.RotateFile(t.Context(), at(t, own))
	if err != nil || head.Segment != 3 {
		t.Errorf("asked as root: %+v, %v", head, err)
	}
	goOn()
	if err := os.Chown(own, nobody, nobody); err != nil { // the new segment
		t.Fatal(err)
	}
	hangups(t) // and does nothing
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := auditlog.RotateFile(ctx, at(t, own)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("asked as root, in vain: %v", err)
	}
}

// Root alone is refused, and not where all is root's.
func TestRootOfAnother(t *testing.T) {
	for users, want := range map[[2]int]bool{{0, 0}: false, {0, 7}: true, {7, 0}: false, {7, 7}: false, {7, 8}: false} {
		if got := auditlog.RootOfAnother(users[0], uint32(users[1])); got != want {
			t.Errorf("user %d, of a file of %d: %t", users[0], users[1], got)
		}
	}
}

// asNobody tells a child process to ask the node of TestAskingANodeOfAnotherUser.
const asNobody = "AUDITLOG_TEST_AS_NOBODY"

// Somebody who may not send the node a signal is told so at once. Only root can play two users.
func TestAskingANodeOfAnotherUser(t *testing.T) {
	if path := os.Getenv(asNobody); path != "" {
		_, err := auditlog.RotateFile(t.Context(), at(t, path))
		said(t, "rotate", err, "send SIGHUP to process "+strconv.Itoa(os.Getppid())+": operation not permitted")
		return
	}
	if os.Geteuid() != 0 {
		return
	}
	told, path := hangups(t), fresh(t)
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 1)
	self, err := os.ReadFile(os.Args[0])
	program := filepath.Join(filepath.Dir(path), "program")
	if err := errors.Join(err, os.WriteFile(program, self, 0o700), os.Chmod(program, 0o755), os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755), os.Chmod(filepath.Dir(path), 0o777),
		os.Chmod(path, 0o666), os.Chmod(path+".head", 0o666), os.Chmod(path+".lock", 0o666)); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), program, "-test.run=^TestAskingANodeOfAnotherUser$")
	child.Dir, child.Env = filepath.Dir(path), []string{asNobody + "=" + path}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if len(told) > 0 {
		t.Error("a signal was sent")
	}
}

// hangUps has the log opened again at SIGHUP, as a node does.
func hangUps(t *testing.T, log *auditlog.Log) (stop func()) {
	t.Helper()
	hangup, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangup {
			if err := log.Reopen(); err != nil {
				t.Error(err)
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(hangup)
		<-done
	}
}

// `regain audit rotate` is what the node's own error recommends after a head was removed: it works then.
func TestAskingANodeWithoutAHead(t *testing.T) {
	path := fresh(t)
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 1)
	goOn := hangUps(t, log)
	defer goOn()
	if err := os.Remove(path + ".head"); err != nil {
		t.Fatal(err)
	}
	if head, err := auditlog.RotateFile(t.Context(), at(t, path)); err != nil || head.Segment != 2 || head.Seq != 1 {
		t.Errorf("%+v, %v", head, err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	holds(t, path, 2)
}

// The lock file is removed under a node: it takes no more records until it has the lock again, and a second node that has it
// meanwhile keeps it.
func TestALockThatIsRemoved(t *testing.T) {
	path := fresh(t)
	first := closing(t, open(t, at(t, path)))
	add(t, first, recovery.EventPassIssuing, 1)
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	if err := first.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) || !errors.Is(first.Ready(), auditlog.ErrSwapped) {
		t.Errorf("without its lock: %v, %v", err, first.Ready())
	}
	second := open(t, at(t, path))
	add(t, second, recovery.EventPassIssuing, 1)
	if err := first.Reopen(); !errors.Is(err, auditlog.ErrLocked) {
		t.Errorf("beside the node that has the lock: %v", err)
	}
	if err := first.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) { // the first cause
		t.Errorf("a record, then: %v", err)
	}
	add(t, second, recovery.EventPassIssuing, 1)
	holds(t, path, 3)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Reopen(); err == nil || !strings.Contains(err.Error(), "restart this node") {
		t.Errorf("after the other node wrote: %v", err)
	}
	holds(t, path, 3)

	other := fresh(t)
	alone := closing(t, open(t, at(t, other)))
	if err := errors.Join(os.Remove(other+".lock"), alone.Reopen()); err != nil {
		t.Fatal(err)
	}
	add(t, alone, recovery.EventPassIssuing, 1)
	holds(t, other, 1)
	if err := reopened(t, at(t, other)); !errors.Is(err, auditlog.ErrLocked) {
		t.Errorf("a second node after SIGHUP: %v", err)
	}
}
