package node

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"regain/internal/config"
	"regain/provider/journey"
	"regain/storage"
)

// LivePageLimits are what bounds the live pages of a configuration.
func LivePageLimits(c config.Config) journey.Limits { return livePages(c) }

// FailAChange changes the store, which must fail.
func (n *Node) FailAChange(t *testing.T) {
	t.Helper()
	if _, err := n.store.Increment(t.Context(), "test", "test", time.Minute); err == nil {
		t.Error("the change did not fail")
	}
}

// Within are the bounds of a process that may have this many files open.
func Within(c config.ConnectionsConfig, descriptors int) config.ConnectionsConfig {
	return within(c, descriptors)
}

// SharedBy is the first of the stores that other nodes may write to.
func SharedBy(logger *slog.Logger, stores ...storage.Store) storage.Shared {
	return sharedBy(logger, stores...)
}

// CompareAgain has the node compare itself with the others now.
func (n *Node) CompareAgain(ctx context.Context) { n.others.again(ctx) }
