package node

import (
	"log/slog"
	"time"
)

// Warn is what a running node does once a day.
func (n *Node) Warn(logger *slog.Logger, now time.Time) { n.warn(logger, now) }
