package storage

import (
	"context"
	"errors"
	"slices"
	"time"

	"regain/recovery"
)

const kindAttempts = Kind("attempts")

// Attempts counts recovery attempts in a Store. It implements recovery.Counter.
type Attempts struct{ store Store }

// NewAttempts returns the counters over store.
func NewAttempts(store Store) Attempts { return Attempts{store} }

func (a Attempts) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	return a.store.Increment(ctx, kindAttempts, key, window)
}

// Count implements recovery.Counter by one commit. Beyond a limit it takes one or two more: that commit has failed, and what
// counts all the same is counted without a limit.
func (a Attempts) Count(ctx context.Context, first, then []recovery.Hit) ([]int64, error) {
	all := slices.Concat(first, then)
	counts := make([]int64, len(all))
	switch err := a.count(ctx, all, counts, len(first)); {
	case err == nil:
		return counts, nil
	case !errors.Is(err, ErrOver):
		return nil, err
	}
	if err := a.count(ctx, first, counts, 0); err != nil {
		return nil, err
	}
	for i, hit := range first {
		if counts[i] > hit.Max {
			return counts, nil
		}
	}
	if err := a.count(ctx, then, counts[len(first):], 0); err != nil { // a window ended in between
		return nil, err
	}
	return counts, nil
}

// count counts hits by one commit, the first ones within their limits, and leaves out those that have a count. It notes the
// counts, also those of a commit that failed.
func (a Attempts) count(ctx context.Context, hits []recovery.Hit, counts []int64, limited int) error {
	var changes []Change
	var places []int
	for i, hit := range hits {
		if counts[i] > 0 {
			continue
		}
		most := hit.Max
		if i >= limited {
			most = 0
		}
		changes, places = append(changes, Counting(kindAttempts, hit.Key, hit.Window, most)), append(places, i)
	}
	if len(changes) == 0 {
		return nil
	}
	results, err := a.store.Commit(ctx, changes)
	for i, r := range results {
		counts[places[i]] = r.Count
	}
	var failed *CommitError
	if errors.As(err, &failed) {
		for i, r := range failed.Made {
			counts[places[i]] = r.Count
		}
	}
	return err
}
