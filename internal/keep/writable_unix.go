//go:build unix

package keep

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkAccess reports whether this user may write a file, or make files in a directory.
func checkAccess(path string) error {
	if err := unix.Access(path, unix.W_OK); err != nil {
		return fmt.Errorf("%s: this user may not write it: %w", path, err)
	}
	return nil
}
