package auditlog

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"regain/adapters/auditlog/segments"
)

// ErrLocked means that another process writes to the log.
var ErrLocked = errors.New("another process writes to this audit log: each node needs a log of its own, and two that share one would break its chain")

func lockPath(path string) string { return path + segments.LockEnding }

// acquire locks the log for this process. The kernel gives the lock up when the process ends, however it ends.
func acquire(path string) (*os.File, error) {
	lock, err := os.OpenFile(lockPath(path), os.O_CREATE|os.O_RDWR, private)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is small
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", lockPath(path), err), lock.Close())
	}
	return lock, nil
}

// locked reports whether the lock file is still the one that this process holds: without it another node may write to the
// log too. The caller holds mu.
func (l *Log) locked() error {
	if _, same, _ := l.locking.at(l.lock, lockPath(l.options.Path)); !same {
		return fmt.Errorf("%s was removed or replaced: %w", lockPath(l.options.Path), ErrSwapped)
	}
	return nil
}

// relock takes the lock again, if it is not held any more. Whoever took it meanwhile keeps it, and if they wrote, this log
// does not know what its next record follows. The caller holds mu.
func (l *Log) relock() error {
	if l.locked() == nil {
		return nil
	}
	lock, err := acquire(l.options.Path)
	if err != nil {
		return err
	}
	if head, _ := segments.ReadHead(l.options.Path, l.options.Key); segments.Later(l.last, head) != l.last {
		return errors.Join(fmt.Errorf("%s: another process wrote to it while its lock was gone: restart this node", l.options.Path), lock.Close())
	}
	_ = l.lock.Close() // of a file that has no name
	l.lock, l.locking = lock, identity{}
	return nil
}

// holder returns the process that holds the log's lock, as the kernel says: a number in a file could be an old one, or
// one of another container, and the process of that number here would get the signal.
func holder(path string) (int, error) {
	info, err := os.Stat(lockPath(path))
	if err != nil {
		return 0, fmt.Errorf("find the process that writes the audit log: %w", err)
	}
	inode := ""
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = strconv.FormatUint(stat.Ino, 10)
	}
	table, _ := os.ReadFile("/proc/locks") // another system names nobody
	if pid := holderIn(string(table), inode); pid > 0 {
		return pid, nil
	}
	return 0, errors.New("find the process that writes the audit log: the kernel names none here; does it run in another container?")
}

// holderIn finds the process that locked the file of this inode in a table as of proc_locks(5), 0 for none.
func holderIn(table, inode string) int {
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
