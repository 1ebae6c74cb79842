package node

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// How far the heap may grow between two collections, in percent of what lives: as far as leaves room for cryptography
// while little lives (by default the collector would run for every few recoveries), and no further than that room, or as much
// again, when much does, such as the pages and recoveries of ten thousand people.
const (
	growthMost  = 400
	growthLeast = 100
	growthRoom  = 64 << 20 // octets
)

// growth returns it for a heap of which this many octets live.
func growth(lives uint64) int {
	const all = 100
	return int(min(growthMost, max(growthLeast, growthRoom*all/max(lives, 1)))) //nolint:gosec // between the two
}

// Tune configures the garbage collector for this, and for the memory that there is: without a limit the process takes what it
// likes, and a container is killed for it. GOGC and GOMEMLIMIT, if set, have precedence, each for its own.
func Tune(logger *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growthMost)
		afterCollections(growthMost)
	}
	if set := os.Getenv("GOMEMLIMIT"); set != "" {
		logger.Info("memory limit", "from", "GOMEMLIMIT", "limit", set)
		return
	}
	limit, err := memoryLimit(memlimit.FromCgroup, memlimit.FromSystem)
	if err != nil {
		logger.Warn("no memory limit: the machine does not say how much there is; set GOMEMLIMIT", "cause", err)
		return
	}
	debug.SetMemoryLimit(limit.octets)
	logger.Info("memory limit", "from", limit.from, "limit_mib", limit.octets>>20, "of_mib", limit.of>>20)
}

// collected is freed by each collection.
type collected struct{ _ [16]byte }

// afterCollections adapts the growth of the heap after each collection, for as long as the process lives.
func afterCollections(percent int) {
	runtime.SetFinalizer(&collected{}, func(*collected) {
		lives := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(lives)
		if next := growth(lives[0].Value.Uint64()); next != percent {
			debug.SetGCPercent(next)
			percent = next
		}
		afterCollections(percent)
	})
}

// limited is how much memory the collector may let the process take: of how much, in octets, and who says so.
type limited struct {
	octets, of int64
	from       string
}

// memoryLimit is a share of what the control group allows, which ends the process that takes more, or else of what the
// machine has, which the process shares with its database and the cache of its files.
func memoryLimit(cgroup, machine memlimit.Provider) (limited, error) {
	const ofCgroup, ofMachine = 0.9, 0.5 // the runtime counts its own memory only: the rest is for the kernel, and the pages of files
	total, machineErr := machine()
	allowed, cgroupErr := cgroup()
	if machineErr != nil && cgroupErr != nil {
		return limited{}, errors.Join(cgroupErr, machineErr)
	}
	smallest := limited{shareOf(total, ofMachine), clamped(total), "machine"}
	if machineErr != nil || cgroupErr == nil && allowed < total { // a limit above what there is limits nothing
		smallest = limited{shareOf(allowed, ofCgroup), clamped(allowed), "cgroup"}
	}
	return smallest, nil
}

func shareOf(all uint64, ratio float64) int64 { return int64(float64(clamped(all)) * ratio) }

// clamped is a number of octets that a signed one can hold.
func clamped(octets uint64) int64 {
	const most = 1 << 62
	return int64(min(octets, most)) //nolint:gosec // it is not more
}
