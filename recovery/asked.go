package recovery

import (
	"context"
	"fmt"
	"time"
)

// How many pages ask one network for an account in a while. Each keeps a request of up to 25 KB until the person has typed
// a name: no limit on accounts holds before that, and where a client need not push its requests, anybody makes them.
const (
	askedPerNetwork = 100
	askedWindow     = 15 * time.Minute // as long as the request is kept
)

// CountAsked counts a page that is about to ask for the account, and returns ErrTooManyAttempts if its network, or the IPv6
// site (/48) around it, had too many. Unknown networks are one.
func (s *Service) CountAsked(ctx context.Context, network string) error {
	for _, around := range networksOf(network) {
		n, err := s.ports.Attempts.Increment(ctx, string(DigestOf("asked network\x00"+around.key)), askedWindow)
		if err != nil {
			return fmt.Errorf("count the page that asks for the account: %w", err)
		}
		if n > askedPerNetwork*around.max {
			return ErrTooManyAttempts
		}
	}
	return nil
}
