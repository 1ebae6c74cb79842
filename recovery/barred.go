package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrTooManyAttempts means that a recovery was not opened: so many beyond a limit were denied before that another one is
// neither stored nor recorded.
var ErrTooManyAttempts = errors.New("too many attempts")

// Openings beyond a limit that are stored, so that a page can say so, and recorded, so that an administrator sees them:
// from one network, and for one client from everywhere, in an hour. Whoever goes on only fills the disk.
const (
	barredPerNetwork = 4
	barredPerClient  = 100
	barredWindow     = time.Hour
)

// countBarred counts an opening beyond a limit, and returns ErrTooManyAttempts if there were too many before.
func (s *Service) countBarred(ctx context.Context, client ClientID, network string) error {
	for _, counted := range []struct {
		key  string
		most int64
	}{{"barred network\x00" + network, barredPerNetwork}, {"barred client\x00" + string(client), barredPerClient}} {
		n, err := s.ports.Attempts.Increment(ctx, string(DigestOf(counted.key)), barredWindow)
		if err != nil {
			return fmt.Errorf("count the attempt: %w", err)
		}
		if n > counted.most {
			return ErrTooManyAttempts
		}
	}
	return nil
}
