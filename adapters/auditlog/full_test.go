package auditlog_test

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
)

// sizes returns the sizes of a log's first line and of a record.
func sizes(t *testing.T, kind recovery.EventType) (first, record int64) {
	t.Helper()
	path := fresh(t)
	options := at(t, path)
	options.Clock = func() time.Time { return time.Unix(1796040000, 0) }
	log := closing(t, open(t, options))
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	first = size()
	add(t, log, kind, 1)
	return first, size() - first
}

// A segment that is full is not written to any more, to the octet; one that is one octet short of it is.
func TestWhenASegmentIsFull(t *testing.T) {
	first, record := sizes(t, recovery.EventPassIssuing)
	for more, want := range map[int64]int{0: 2, 1: 1} {
		path := fresh(t)
		options := at(t, path)
		options.SegmentSize, options.Clock = first+3*record+more, func() time.Time { return time.Unix(1796040000, 0) }
		log := closing(t, open(t, options))
		add(t, log, recovery.EventPassIssuing, 4)
		if r, err := verify(t, path); err != nil || r.Segments != want {
			t.Errorf("%d octets more: %+v, %v", more, r, err)
		}
	}
}

// One that cannot be given up goes on in its file, and another try is made after a sixteenth of its size; a closed log says
// nothing of it.
func TestAFullSegmentThatCannotBeRotated(t *testing.T) {
	first, record := sizes(t, recovery.EventPassIssuing)
	path, files := fresh(t), &shut{}
	logger, lines := told()
	options := at(t, path).WithOpener(files.ask)
	options.Logger, options.Clock = logger, func() time.Time { return time.Unix(1796040000, 0) }
	options.SegmentSize = first + 64*record // a sixteenth of which is four records and a bit
	log := closing(t, open(t, options))
	add(t, log, recovery.EventRecoveryDenied, 70) // and it was rotated once
	files.name = ".new"
	add(t, log, recovery.EventPassIssuing, 90)
	tries := strings.Count(lines.String(), "was not rotated and goes on in its file")
	if tries < 4 || tries > 8 {
		t.Errorf("%d tries", tries)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) {
			t.Errorf("%v", err)
		}
	}
	if now := strings.Count(lines.String(), "was not rotated and goes on in its file"); now != tries {
		t.Errorf("a closed log was said to go on, %d times", now-tries)
	}
}

// held is a log of which one fsync waits until the test lets it go.
func held(t *testing.T, options auditlog.Options) (log *auditlog.Log, arm func(), under, goOn chan struct{}, fsyncs *atomic.Int64) {
	t.Helper()
	var armed atomic.Bool
	fsyncs = new(atomic.Int64)
	under, goOn = make(chan struct{}), make(chan struct{})
	path := options.Path
	log = closing(t, open(t, options.WithFiles(func(name string, f auditlog.File) auditlog.File {
		return faulty{File: f, sync: func() error {
			if name == path+".new" {
				fsyncs.Add(1)
				if armed.CompareAndSwap(true, false) {
					close(under)
					<-goOn
				}
			}
			return f.Sync()
		}}
	})))
	return log, func() { armed.Store(true) }, under, goOn, fsyncs
}

// size waits until the file at path has this size.
func size(t *testing.T, path string, want int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(path); err == nil && info.Size() == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the records are not written")
		}
	}
}

// Several records wait for an fsync that is under way: the next one is for all of them, and the head names the last.
func TestOneFsyncForAllThatWait(t *testing.T) {
	_, record := sizes(t, recovery.EventPassIssuing)
	path := fresh(t)
	log, arm, under, goOn, fsyncs := held(t, at(t, path))
	add(t, log, recovery.EventPassIssuing, 1)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	before := fsyncs.Load()
	arm()
	done := make(chan error, 6)
	appendOne := func() { done <- log.Append(t.Context(), event(recovery.EventPassIssuing)) }
	go appendOne()
	<-under
	for range 5 {
		go appendOne()
	}
	size(t, path, info.Size()+6*record)
	ready := make(chan error, 1)
	go func() { ready <- log.Ready() }()
	select {
	case err := <-ready:
		if err != nil {
			t.Errorf("a node whose disk takes its time: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a node is not ready while its disk takes its time")
	}
	close(goOn)
	for range 6 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := fsyncs.Load() - before; n != 2 {
		t.Errorf("%d fsyncs", n)
	}
	holds(t, path, 7)
}

// Several callers meet a segment that is full: one of them begins another.
func TestOneRotationForAllThatWait(t *testing.T) {
	first, record := sizes(t, recovery.EventPassIssuing)
	path := fresh(t)
	options := at(t, path)
	options.SegmentSize = first + 2*record
	options.Clock = func() time.Time { return time.Unix(1796040000, 0) }
	log, arm, under, goOn, _ := held(t, options)
	add(t, log, recovery.EventPassIssuing, 1)
	arm()
	done := make(chan error, 3)
	appendOne := func() { done <- log.Append(t.Context(), event(recovery.EventRecoveryStarted)) }
	go func() { done <- log.Append(t.Context(), event(recovery.EventPassIssuing)) }()
	<-under
	for range 2 { // as many as the next segment takes, whichever of them looks first
		go appendOne()
	}
	time.Sleep(20 * time.Millisecond) // they wait for the fsync
	close(goOn)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := verify(t, path); err != nil || r.Segments != 2 || r.To != 4 { // two records each
		t.Errorf("%+v, %v", r, err)
	}
}
