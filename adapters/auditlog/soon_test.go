package auditlog_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
)

// A record that is not critical is durable within a second, with all that came after it, and so is the next one after that.
// Nothing is written while nothing happens.
func TestWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, fsyncs := fresh(t), 0
		log := open(t, at(t, path).WithFiles(func(name string, f auditlog.File) auditlog.File {
			return faulty{File: f, sync: func() error {
				if name == path+".new" {
					fsyncs++
				}
				return f.Sync()
			}}
		}))
		begun := fsyncs
		durable := func(when string, want uint64) {
			t.Helper()
			synctest.Wait()
			if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Seq != want {
				t.Errorf("%s: the head is %+v, want record %d: %v", when, head, want, err)
			}
		}
		for batch := range uint64(3) {
			add(t, log, recovery.EventRecoveryStarted, 1)
			time.Sleep(time.Second / 2)
			add(t, log, recovery.EventRecoveryStarted, 2)
			time.Sleep(time.Second/2 - 1)
			durable("before a second is over", 3*batch)
			time.Sleep(time.Nanosecond)
			durable("after a second", 3*batch+3)
		}
		time.Sleep(time.Minute)
		if synctest.Wait(); fsyncs-begun != 3 {
			t.Errorf("%d fsyncs", fsyncs-begun)
		}
		add(t, log, recovery.EventRecoveryStarted, 1)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // what waited finds that all is done
		durable("closed", 10)
		if err := reopened(t, at(t, path)); err != nil {
			t.Error(err)
		}
	})
}

// Nothing has to come after a record for its head to be kept elsewhere: else the last pass before a quiet night could be
// taken back, with log and head put back from the moment before it.
func TestTheLastHeadIsKeptElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, store := fresh(t), &counted{saved: make(chan string, 16)}
		options := at(t, path)
		options.Remembered = store
		log := open(t, options)
		kept := func(when string, want ...uint64) {
			t.Helper()
			synctest.Wait()
			var seqs []uint64
			for len(store.saved) > 0 {
				head, err := key(t, 1).ParseHead(<-store.saved)
				if err != nil {
					t.Fatal(err)
				}
				seqs = append(seqs, head.Seq)
			}
			if !slices.Equal(seqs, want) {
				t.Errorf("%s: kept %v, want %v", when, seqs, want)
			}
		}
		kept("at the start", 0)
		time.Sleep(time.Minute)
		add(t, log, recovery.EventAccountMatched, 1)
		kept("after a quiet minute", 1)
		time.Sleep(time.Second)
		add(t, log, recovery.EventPassIssuing, 1)
		add(t, log, recovery.EventPassIssued, 1)
		time.Sleep(9*time.Second - 1)
		kept("before ten seconds are over")
		time.Sleep(time.Nanosecond)
		kept("after ten seconds", 3)
		time.Sleep(time.Second)
		add(t, log, recovery.EventPassIssuing, 1)
		kept("a second after the last one") // which counts as one, whoever asked for it
		time.Sleep(9 * time.Second)
		kept("ten seconds after it", 4)
		time.Sleep(time.Hour)
		kept("while nothing happens")
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		kept("closed", 4)
	})
}

// A head that the store did not take is tried again until it does, without a record that would ask for it.
func TestAHeadThatTheStoreDidNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &away{}
		options := at(t, fresh(t))
		options.Remembered, options.Logger = store, slog.New(slog.DiscardHandler)
		log := open(t, options)
		time.Sleep(time.Minute)
		store.set(errBroken)
		add(t, log, recovery.EventPassIssuing, 1)
		kept := func(want uint64) {
			t.Helper()
			synctest.Wait()
			if head, err := key(t, 1).ParseHead(store.kept()); err != nil || head.Seq != want {
				t.Errorf("%+v, want record %d: %v", head, want, err)
			}
		}
		time.Sleep(time.Minute)
		kept(0)
		store.set(nil)
		time.Sleep(10 * time.Second)
		kept(1)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A log that was closed to further records, because somebody changed its file, has the head of the last pass kept all the
// same: whoever changed it may put back an older file with its head, and then stop the process.
func TestTheHeadOfAShutLogIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, store := fresh(t), &away{}
		options := at(t, path)
		options.Remembered = store
		log := open(t, options)
		add(t, log, recovery.EventPassIssuing, 1)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); !errors.Is(err, auditlog.ErrSwapped) {
			t.Fatalf("the log goes on: %v", err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if head, err := key(t, 1).ParseHead(store.kept()); err != nil || head.Seq != 1 {
			t.Errorf("%+v, want record 1: %v", head, err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}

// away is a store of heads that a test takes away and gives back while the log runs.
type away struct {
	mu sync.Mutex
	elsewhere
}

func (a *away) set(save error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.save = save
}

func (a *away) kept() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.line
}

func (a *away) SaveHead(ctx context.Context, line string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.elsewhere.SaveHead(ctx, line)
}
