package auditlog

import (
	"errors"
	"os"
	"syscall"
)

// diskFile is a file whose Sync makes its data and size durable, and leaves its times: a head that is overwritten in
// place then costs no commit of the file system's journal.
type diskFile struct{ *os.File }

// Sync is fdatasync(2).
func (f diskFile) Sync() error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for {
			if failed = syscall.Fdatasync(int(fd)); !errors.Is(failed, syscall.EINTR) { //nolint:gosec // a descriptor is small
				return
			}
		}
	})
	return errors.Join(err, failed)
}
