package recovery

import (
	"context"
	"fmt"
)

// CountAsked counts a page that is about to ask for the account, and returns ErrTooManyAttempts if there were too many: of one
// network as many are asked as may try. Each page keeps a request of up to 25 KB until the person has typed a name, and no
// other limit holds before that: where a client need not push its requests, anybody makes them.
func (s *Service) CountAsked(ctx context.Context, network string) error {
	for _, limit := range s.policy.Limits.ofNetworks() {
		for _, around := range networksOf(network) {
			key := DigestOf("asked\x00" + limit.Name + "\x00" + around.Key)
			n, err := s.ports.Attempts.Increment(ctx, string(key), limit.Window)
			if err != nil {
				return fmt.Errorf("count the page that asks for the account: %w", err)
			}
			if n > around.Max*int64(limit.Max) {
				return ErrTooManyAttempts
			}
		}
	}
	return nil
}

// ofNetworks returns the limits on one network: the default one where none is configured.
func (ls Limits) ofNetworks() (found Limits) {
	for _, list := range []Limits{ls, DefaultLimits()} {
		for _, limit := range list {
			if limit.Per == PerNetwork {
				found = append(found, limit)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}
