package keep

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"regain/storage"
)

// stallAfter is how long a change of the file store may wait for the disk before the node says that it does not answer.
const stallAfter = 5 * time.Second

// disk is what the changes of a store wait for, and cannot be called back from. While one of them waits for long, no more are
// sent after it: whoever comes is told at once to try again, instead of waiting behind those who are there already.
type disk struct {
	logger *slog.Logger
	after  time.Duration
	stuck  atomic.Int64 // changes that have waited for longer than after
}

// Reachable reports whether the disk answers.
func (d *disk) Reachable() error {
	if d.stuck.Load() <= 0 {
		return nil
	}
	return fmt.Errorf("%w: the disk has not answered for %s", storage.ErrUnavailable, d.after)
}

func (d *disk) pass(_ context.Context, _ []storage.Change, do func() ([]storage.Result, error)) ([]storage.Result, error) {
	if err := d.Reachable(); err != nil {
		return nil, err
	}
	timer := time.AfterFunc(d.after, func() {
		if d.stuck.Add(1) == 1 {
			d.logger.Error("the disk of the store does not answer; changes are refused until it does", "after", d.after)
		}
	})
	results, err := do()
	if !timer.Stop() && d.stuck.Add(-1) == 0 {
		d.logger.Info("the disk of the store answers again")
	}
	return results, err
}
