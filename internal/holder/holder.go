// Package holder asks the process that holds the lock of a file for something, from another process on the same machine: by
// a file beside the locked one, and SIGHUP. `regain audit rotate` asks so for a new segment (Ask), and `regain backup` for a
// copy of the store (Receive, which Send answers).
package holder

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const private = 0o600

// Of returns the process that holds the lock of a file (flock(2)), as the kernel says: a number in a file could be an old
// one, or one of another container, and the process of that number here would get the signal.
func Of(path string) (int, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("find the process that holds %s: %w", path, err)
	}
	inode := ""
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = strconv.FormatUint(stat.Ino, 10)
	}
	table, _ := os.ReadFile("/proc/locks") // another system names nobody
	if pid := In(string(table), inode); pid > 0 {
		return pid, nil
	}
	return 0, fmt.Errorf("find the process that holds %s: the kernel names none here; does it run in another container?", path)
}

// In finds the process that locked the file of this inode in a table as of proc_locks(5), 0 for none.
func In(table, inode string) int {
	for line := range strings.Lines(table) {
		// "3: FLOCK  ADVISORY  WRITE 23094 fe:00:9986051 0 EOF"
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || fields[3] != "WRITE" || fields[5][strings.LastIndexByte(fields[5], ':')+1:] != inode {
			continue
		}
		if pid, _ := strconv.Atoi(fields[4]); pid > 0 { // of a process in another container it says 0
			return pid
		}
	}
	return 0
}

// Ask leaves a file that says what is wanted, and sends SIGHUP to the process that holds locked. A node gets SIGHUP for
// other reasons too, and then looks for the file.
func Ask(locked, request string) (pid int, err error) {
	if err := os.WriteFile(request, nil, private); err != nil {
		return 0, err
	}
	return hangup(locked)
}

// hangup sends SIGHUP to the process that holds locked.
func hangup(locked string) (pid int, err error) {
	if pid, err = Of(locked); err != nil {
		return 0, fmt.Errorf("%w: %w", err, ErrNobody)
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return 0, fmt.Errorf("send SIGHUP to process %d: %w", pid, err)
	}
	return pid, nil
}

// ErrNobody means that no process was found that could be sent SIGHUP. Its text says what the operator can do instead.
var ErrNobody = errors.New("send SIGHUP to the node yourself: it does what it is asked for then")
