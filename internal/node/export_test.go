package node

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"regain/internal/config"
	"regain/provider/journey"
	"regain/storage"
)

// LivePageLimits are what bounds the live pages of a configuration.
func LivePageLimits(c config.Config) journey.Limits { return livePages(c) }

// FailAChange changes the store, which must fail.
func (n *Node) FailAChange(t *testing.T) {
	t.Helper()
	if _, err := n.kept.Store.Increment(t.Context(), "test", "test", time.Minute); err == nil {
		t.Error("the change did not fail")
	}
}

// Store is the node's store, as its parts have it.
func (n *Node) Store() storage.Store { return n.kept.Store }

// Within are the bounds of a process that may have this many files open.
func Within(c config.ConnectionsConfig, descriptors int) config.ConnectionsConfig {
	return within(c, descriptors)
}

// MemoryLimit returns how many octets the process may take, and who says so.
func MemoryLimit(cgroup, machine memlimit.Provider) (octets int64, from string, err error) {
	limit, err := memoryLimit(cgroup, machine)
	return limit.octets, limit.from, err
}

// Growth is by how many percent the heap may grow when this many octets live.
func Growth(lives uint64) int { return growth(lives) }

// CompareAgain has the node compare itself with the others now.
func (n *Node) CompareAgain(ctx context.Context) { n.kept.Nodes.Compare(ctx) }

// Listening is what a node listens on before it is wired.
func Listening(cfg config.Config, deps Deps) ([]net.Listener, error) {
	n, err := read(cfg, deps)
	if err != nil {
		return nil, err
	}
	return n.listen(deps.Logger)
}
