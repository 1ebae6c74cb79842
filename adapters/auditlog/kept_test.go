package auditlog_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/recovery"
)

// slow is a store of heads of which each save waits until it is told what becomes of it.
type slow struct {
	begun chan string
	ends  chan error
}

func (s slow) LoadHead(context.Context) (string, error) { return "", nil }

func (s slow) SaveHead(_ context.Context, line string) error {
	s.begun <- line
	return <-s.ends
}

// lines is a log of the program that several write and a test reads.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A store that is slow keeps no record waiting, and the head that is kept at the end is the last: one that still waits for
// its turn is not kept over it. One that cannot be kept meanwhile is told, and stops nothing.
func TestASlowStoreOfHeads(t *testing.T) {
	path, store, told := fresh(t), slow{make(chan string, 9), make(chan error)}, &lines{}
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	options := at(t, path)
	options.Remembered, options.Logger = store, slog.New(slog.NewTextHandler(told, nil))
	options.Clock = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	later := func() {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(10 * time.Second)
	}
	saved := func(want uint64) {
		t.Helper()
		select {
		case line := <-store.begun:
			if head, err := key(t, 1).ParseHead(line); err != nil || head.Seq != want {
				t.Errorf("kept %+v, want record %d: %v", head, want, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nothing is kept")
		}
	}
	go func() { store.ends <- nil }()
	log := open(t, options)
	saved(0)
	later()
	add(t, log, recovery.EventRecoveryDenied, 1)
	saved(1)
	store.ends <- nil
	later()
	add(t, log, recovery.EventPassIssuing, 1)
	saved(2) // and it hangs
	later()
	add(t, log, recovery.EventPassIssuing, 1) // which waits for its turn
	time.Sleep(20 * time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- log.Close() }()
	for log.Ready() == nil { // until it is closed
		time.Sleep(time.Millisecond)
	}
	store.ends <- errors.New("no connection")
	saved(3) // of Close, and of nobody else
	store.ends <- nil
	if err := <-closed; err != nil {
		t.Error(err)
	}
	select {
	case line := <-store.begun:
		store.ends <- nil
		t.Errorf("kept once more: %s", line)
	case <-time.After(50 * time.Millisecond):
	}
	const warning = "the audit log's head was not kept in the store"
	if n := strings.Count(told.String(), warning); n != 1 || !strings.Contains(told.String(), "no connection") {
		t.Errorf("said %d times:\n%s", n, told)
	}
}
