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
	for _, t := range s.tables {
		for _, e := range t.entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			trace, shown := storage.TraceOf(e.shown(), now, but)
			if !shown {
				continue
			}
			if err := see(trace); err != nil {
				return err
			}
		}
	}
	return nil
}
