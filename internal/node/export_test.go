package node

import (
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

// LoggedShared is a shared store that logs when it cannot be asked.
func LoggedShared(shared storage.Shared, logger *slog.Logger) storage.Shared {
	return loggedShared(shared, logger)
}
