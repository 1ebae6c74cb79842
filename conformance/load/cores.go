package load

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// serverCore is the core that the server's process has.
const serverCore = 0

// pin keeps this thread, and those that it starts, on the server's core.
func pin() error {
	var one unix.CPUSet
	one.Set(serverCore)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pin the server to one core: %w", err)
	}
	runtime.GOMAXPROCS(1)
	return nil
}

// leave moves this process to the other cores, if there are any: what it does in the server's caches would be counted as
// the server's time. Threads that start later inherit the cores of those that start them.
func leave() error {
	var others unix.CPUSet
	if err := unix.SchedGetaffinity(0, &others); err != nil {
		return fmt.Errorf("leave the server's core: %w", err)
	}
	if others.Clear(serverCore); others.Count() == 0 {
		return nil
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("leave the server's core: %w", err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return fmt.Errorf("leave the server's core: thread %q: %w", thread.Name(), err)
		}
		if err := unix.SchedSetaffinity(id, &others); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("leave the server's core: %w", err)
		}
	}
	runtime.GOMAXPROCS(others.Count())
	return nil
}
