package node

import (
	"testing"
	"time"

	"regain/internal/config"
	"regain/provider/journey"
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
