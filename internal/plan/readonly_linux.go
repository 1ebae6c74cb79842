package plan

import "syscall"

// readOnly reports whether nobody can write to the file system that a path is on.
func readOnly(path string) bool {
	const flag = 1 // ST_RDONLY of statfs(2)
	var stat syscall.Statfs_t
	return syscall.Statfs(path, &stat) == nil && stat.Flags&flag != 0
}
