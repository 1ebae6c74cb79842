package bolt

import (
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"regain/internal/clock"
)

// NoSync makes changes not wait for the disk: the test's process does not crash, and its file is thrown away.
func (s *Store) NoSync() { s.db.NoSync = true }

// Elapsed sets what the time that passes is measured by.
func (s *Store) Elapsed(elapsed func() time.Duration) { s.steady = clock.NewSteady(s.clock, elapsed) }

// Held is how many entries each bucket has.
type Held struct{ Records, Groups, Endings, Counters int }

// Held returns it.
func (s *Store) Held() (h Held, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		for bucket, n := range map[string]*int{bucketRecords: &h.Records, bucketGroups: &h.Groups, bucketEndings: &h.Endings, bucketCounters: &h.Counters} {
			err = errors.Join(err, tx.Bucket([]byte(bucket)).ForEach(func(_, _ []byte) error {
				*n++
				return nil
			}))
		}
		return err
	})
	return h, err
}
