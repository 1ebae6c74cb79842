package auditlog_test

import (
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
