package auditlog

import (
	"errors"
	"fmt"
	"os"
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
