//go:build unix

package node

import "syscall"

// maxDescriptors returns how many files the process may have open, 0 if that is not known.
func maxDescriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	const many = 1 << 20 // more than any of our bounds
	return int(min(limit.Cur, many))
}
