package auditlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/internal/clock"
	"regain/recovery"
)

// While the clock is put forward a pass is issued, and the clock is put back: recoveries go on, whose passes are known.
func TestAClockThatJumpsForgetsNoPass(t *testing.T) {
	for _, jump := range []time.Duration{2 * time.Hour, 24 * time.Hour, 365 * 24 * time.Hour} {
		now, passed := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), time.Duration(0)
		options := at(t, fresh(t))
		options.Clock = clockOf(&now)
		options.Steady = clock.NewSteady(options.Clock, func() time.Duration { return passed }).Now
		log := closing(t, open(t, options))
		pass := func(d time.Duration) { now, passed = now.Add(d), passed+d }
		pass(time.Minute)
		began := now
		if err := log.Append(t.Context(), issuing("before", now)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(jump)
		pass(time.Minute)
		if err := log.Append(t.Context(), issuing("meanwhile", now)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(-jump)
		pass(time.Minute)
		for id, want := range map[recovery.TransactionID]bool{"before": true, "meanwhile": true, "new": false} {
			if issued, err := log.Issued(id, began); issued != want || err != nil {
				t.Errorf("%s, after %s forward and back: %t, %v", id, jump, issued, err)
			}
		}
	}
}

// A log that was moved to another volume, with a link in its place, is verified and rotated as any.
func TestALinkInPlaceOfTheLog(t *testing.T) {
	path, other := fresh(t), filepath.Join(t.TempDir(), "elsewhere")
	if err := errors.Join(reopened(t, at(t, path)), os.Rename(path, other), os.Symlink(other, path)); err != nil {
		t.Fatal(err)
	}
	log := closing(t, open(t, at(t, path)))
	add(t, log, recovery.EventPassIssuing, 1)
	holds(t, path, 1)
	if err := log.Rotate(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventPassIssuing, 1)
	holds(t, path, 2)
	// A link to another file is a file that was swapped.
	if err := errors.Join(os.Rename(path, path+".moved"), copied(path+".moved", other+".copy"), os.Symlink(other+".copy", path)); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) {
		t.Errorf("a link to a copy: %v", err)
	}
}

func copied(from, to string) error {
	text, err := os.ReadFile(from)
	return errors.Join(err, os.WriteFile(to, text, 0o600))
}

// A head that was removed or replaced keeps the next decision from being recorded, so the node is not ready.
func TestNotReadyWithoutAHead(t *testing.T) {
	for name, spoil := range map[string]func(head string) error{
		"removed":  os.Remove,
		"replaced": func(head string) error { return errors.Join(os.Rename(head, head+".old"), copied(head+".old", head)) },
	} {
		path := fresh(t)
		log := closing(t, open(t, at(t, path)))
		add(t, log, recovery.EventPassIssuing, 1)
		if err := log.Ready(); err != nil {
			t.Errorf("a log that is whole: %v", err)
		}
		if err := spoil(path + ".head"); err != nil {
			t.Fatal(err)
		}
		if err := log.Ready(); !errors.Is(err, auditlog.ErrSwapped) {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(log.Reopen(), log.Ready()); err != nil {
			t.Errorf("%s, after SIGHUP: %v", name, err)
		}
		holds(t, path, 1)
	}
}

// The segment that is written to is rotated away while a long log is read: it is found under its new name.
func TestVerifyALogThatRotatesMeanwhile(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	log := closing(t, open(t, at(t, path)))
	done, stop := make(chan error, 1), make(chan struct{})
	go func() {
		for range 200 {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := errors.Join(log.Append(t.Context(), event(recovery.EventRecoveryStarted)), log.Rotate()); err != nil {
				done <- err
				return
			}
			time.Sleep(time.Millisecond)
		}
		done <- nil
	}()
	for range 30 {
		if _, err := verify(t, path); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
