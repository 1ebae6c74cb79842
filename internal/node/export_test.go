package node

import (
	"testing"
	"time"

	"regain/provider/journey"
)

// LivePageLimits are what bounds the live pages of this configuration.
func (c Config) LivePageLimits() journey.Limits { return c.livePages() }

// FailAChange changes the store, which must fail.
func (n *Node) FailAChange(t *testing.T) {
	t.Helper()
	if _, err := n.store.Increment(t.Context(), "test", "test", time.Minute); err == nil {
		t.Error("the change did not fail")
	}
}

// Within are the bounds of a process that may have this many files open.
func (c ConnectionsConfig) Within(descriptors int) ConnectionsConfig { return c.within(descriptors) }
