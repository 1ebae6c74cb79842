package auditlog_test

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
)

// One record is being made durable, SIGHUP comes, another record is written, and then the file is lost: the segment that
// SIGHUP begins carries on after both, and neither is acknowledged unless it is kept. What was renamed is kept.
func TestAReopenAcknowledgesNothingThatMayBeLost(t *testing.T) {
	for name, row := range map[string]struct {
		lose func(path string) error
		disk error // of the fsync that is under way
		kept bool
	}{
		"truncated":        {lose: func(path string) error { return os.Truncate(path, 0) }},
		"deleted":          {lose: os.Remove},
		"not made durable": {lose: func(string) error { return nil }, disk: errors.New("input/output error")},
		"renamed":          {lose: func(path string) error { return os.Rename(path, path+".1") }, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := fresh(t)
			var armed atomic.Bool
			under, goOn := make(chan struct{}), make(chan struct{})
			options := at(t, path).WithFiles(func(file string, f auditlog.File) auditlog.File {
				return faulty{File: f, sync: func() error {
					if file != path+".head" && armed.CompareAndSwap(true, false) {
						close(under)
						<-goOn
						return errors.Join(row.disk, f.Sync())
					}
					return f.Sync()
				}}
			})
			log := closing(t, open(t, options))
			add(t, log, recovery.EventPassIssuing, 1)
			armed.Store(true)
			first, second, hangup := make(chan error, 1), make(chan error, 1), make(chan error, 1)
			go func() { first <- log.Append(t.Context(), event(recovery.EventPassIssuing)) }()
			<-under
			go func() { hangup <- log.Reopen() }()
			time.Sleep(20 * time.Millisecond) // it waits for the fsync
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			go func() { second <- log.Append(t.Context(), event(recovery.EventPassIssuing)) }()
			for {
				if now, err := os.Stat(path); err != nil || now.Size() > before.Size() {
					break
				}
				time.Sleep(time.Millisecond)
			}
			time.Sleep(20 * time.Millisecond) // so does the second record
			if err := row.lose(path); err != nil {
				t.Fatal(err)
			}
			close(goOn)
			if err := <-first; err == nil {
				t.Error("the record whose fsync was under way was acknowledged")
			}
			if err := <-hangup; err != nil {
				t.Fatal(err)
			}
			if err := <-second; (err == nil) != row.kept {
				t.Errorf("the record that waited, kept %t: %v", row.kept, err)
			}
			add(t, log, recovery.EventPassIssuing, 1)
		})
	}
}
