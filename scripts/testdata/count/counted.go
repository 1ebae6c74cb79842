// Package counted counts the cryptographic operations of a program, and for whom they are. scripts/count puts it into a
// standard library that is built for this only.
package counted

import (
	"runtime"
	"strings"
	"sync"
)

// Key is an operation and the functions that it was called by, innermost first, a line each.
type Key struct{ Operation, Callers string }

// Sum is how often, and of how many bytes together.
type Sum struct{ Count, Bytes int64 }

var (
	mu   sync.Mutex
	sums = map[Key]Sum{}
)

// Note counts one operation.
func Note(operation string, bytes int) {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	var names []string
	for {
		frame, more := frames.Next()
		names = append(names, frame.Function)
		if !more {
			break
		}
	}
	key := Key{operation, strings.Join(names, "\n")}
	mu.Lock()
	defer mu.Unlock()
	sum := sums[key]
	sums[key] = Sum{sum.Count + 1, sum.Bytes + int64(bytes)}
}

// Take returns what was counted since it was called before.
func Take() map[Key]Sum {
	mu.Lock()
	defer mu.Unlock()
	taken := sums
	sums = map[Key]Sum{}
	return taken
}
