package memory

import (
	"context"

	"regain/storage"
)

var _ storage.Surveyed = (*Store)(nil)

// Survey implements storage.Surveyed.
func (s *Store) Survey(ctx context.Context, but []storage.KeyID, see func(storage.Trace) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	for _, r := range s.records {
		if err := ctx.Err(); err != nil {
			return err
		}
		trace, shown := storage.TraceOf(r, now, but)
		if !shown {
			continue
		}
		if err := see(trace); err != nil {
			return err
		}
	}
	return nil
}
