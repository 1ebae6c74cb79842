package node

import (
	"log/slog"
	"time"
)

// Watch looks at files, and does what is done now and then, until stop is called.
func (n *Node) Watch(logger *slog.Logger, clock func() time.Time, every time.Duration) (stop func()) {
	return n.watch(logger, clock, every)
}
