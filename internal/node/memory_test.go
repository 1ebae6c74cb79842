package node_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"regain/internal/node"
)

// What the process may take is a share of the smallest amount that anybody names.
func TestTheMemoryLimitFollowsTheMachine(t *testing.T) {
	const gib = 1 << 30
	says := func(octets uint64) memlimit.Provider { return memlimit.Limit(octets) }
	silent := func(err error) memlimit.Provider { return func() (uint64, error) { return 0, err } }
	for name, row := range map[string]struct {
		cgroup, machine memlimit.Provider
		want            int64
		from            string
	}{
		"a container":                       {says(gib), says(64 * gib), gib * 9 / 10, "cgroup"},
		"a container without a limit":       {silent(memlimit.ErrNoLimit), says(64 * gib), 32 * gib, "machine"},
		"no control groups":                 {silent(memlimit.ErrCgroupsNotSupported), says(4 * gib), 2 * gib, "machine"},
		"a control group that is not read":  {silent(errors.New("permission denied")), says(4 * gib), 2 * gib, "machine"},
		"a limit above what there is":       {says(64 * gib), says(4 * gib), 2 * gib, "machine"},
		"a machine that does not say":       {says(gib), silent(memlimit.ErrNoLimit), gib * 9 / 10, "cgroup"},
		"a limit that is as good as none":   {says(math.MaxUint64), says(4 * gib), 2 * gib, "machine"},
		"a machine with more than there is": {silent(memlimit.ErrNoLimit), says(math.MaxUint64), 1 << 61, "machine"},
	} {
		got, from, err := node.MemoryLimit(row.cgroup, row.machine)
		if err != nil || from != row.from || got-row.want > 1 || row.want-got > 1 {
			t.Errorf("%s: %d of the %s, want %d of the %s: %v", name, got, from, row.want, row.from, err)
		}
	}
	_, _, err := node.MemoryLimit(silent(memlimit.ErrNoCgroup), silent(errors.New("no such file")))
	if err == nil || !strings.Contains(err.Error(), "not in cgroup") || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("nobody says: %v", err)
	}
}

// While little lives the heap may grow to five times as much, and never by much more than that would be.
func TestTheHeapGrowsLessWhenMuchLives(t *testing.T) {
	const mib = 1 << 20
	for lives, want := range map[uint64]int{0: 400, mib: 400, 16 * mib: 400, 32 * mib: 200, 64 * mib: 100, 1000 * mib: 100, math.MaxUint64: 100} {
		if got := node.Growth(lives); got != want {
			t.Errorf("%d octets live: it may grow by %d %%, want %d", lives, got, want)
		}
	}
}
