package auditlog_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/recovery"
)

// While passes are issued by many at once, the log is renamed away, with and without a file in its place, rotated and opened
// again: whatever was acknowledged is in one of the files, and together they verify.
func TestWhatIsAcknowledgedInAStormIsKept(t *testing.T) {
	path := fresh(t)
	options := at(t, path)
	options.SegmentSize = 20_000
	log := closing(t, open(t, options))
	var mu sync.Mutex
	var acknowledged []string
	refused := 0
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := range 60 {
				id := fmt.Sprintf("txn-%d-%d.", w, n)
				err := log.Append(t.Context(), issuing(recovery.TransactionID(id), time.Now()))
				mu.Lock()
				if err == nil {
					acknowledged = append(acknowledged, id)
				} else {
					refused++
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	stop, storm := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 0; ; n++ {
			select {
			case <-stop:
				storm <- err
				return
			default:
			}
			moved := fmt.Sprintf("%s.moved-%d", path, n)
			switch n % 4 {
			case 0:
				_ = log.Rotate() // may meet a log that is closed
			case 1:
				err = errors.Join(err, os.Rename(path, moved))
				time.Sleep(time.Millisecond)
			case 2:
				err = errors.Join(err, os.Rename(path, moved), os.WriteFile(path, nil, 0o600))
			case 3:
				_ = os.Remove(path + ".head")
			}
			err = errors.Join(err, log.Reopen())
			time.Sleep(2 * time.Millisecond)
		}
	}()
	writers.Wait()
	close(stop)
	if err := <-storm; err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, path); err != nil {
		t.Error(err)
	}
	var all strings.Builder
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, id := range acknowledged {
		if strings.Count(all.String(), `"`+id+`"`) != 1 {
			t.Errorf("%s was acknowledged, and is not there", id)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("%d were acknowledged, %d refused", len(acknowledged), refused)
	}
}
