package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// CheckOwner refuses root where the log is another user's: a command that makes a segment as root would keep the node from
// starting. The log's owner is that of its file or, before there is one, of its directory. Whom else may write there, the
// file system says.
func CheckOwner(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && rootOfAnother(os.Geteuid(), stat.Uid) {
		return fmt.Errorf("%s belongs to user %d, and the node could not open what root makes: run it as user %d", path, stat.Uid, stat.Uid)
	}
	return nil
}

// rootOfAnother reports whether a process is root's and a file is not.
func rootOfAnother(user int, owner uint32) bool { return user == 0 && owner != 0 }

// written reports whether a process writes to the log. It makes nothing.
func written(path string) bool {
	lock, err := os.OpenFile(lockPath(path), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()                                                                                    //nolint:errcheck // nothing was written
	return errors.Is(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) //nolint:gosec // a descriptor is small
}
