package auditlog

import (
	"os"

	"regain/internal/holder"
)

// File is what a log does to a file.
type File = file

// WithFiles lets every file that the log writes to pass through wrap.
func (o Options) WithFiles(wrap func(path string, f File) File) Options {
	return o.WithOpener(func(path string) (func(File) File, error) {
		return func(f File) File { return wrap(path, f) }, nil
	})
}

// WithOpener asks before a file is opened to write, and lets it pass through what it is told then.
func (o Options) WithOpener(ask func(path string) (wrap func(File) File, err error)) Options {
	o.files = func(path string, flags int) (file, error) {
		wrap, err := ask(path)
		if err != nil {
			return nil, err
		}
		opened, err := os.OpenFile(path, flags, private)
		if err != nil {
			return nil, err
		}
		return wrap(opened), nil
	}
	return o
}

// Disk is a file as it is opened where no test wraps it.
func Disk(f *os.File) File { return diskFile{f} }

// RootOfAnother reports whether a process of this user may not make files beside those of this owner.
func RootOfAnother(user int, owner uint32) bool { return rootOfAnother(user, owner) }

// Holder returns the process that holds the log's lock.
func Holder(path string) (int, error) { return holder.Of(lockPath(path)) }

// HolderIn returns the process that a table of locks names for an inode.
func HolderIn(table, inode string) int { return holder.In(table, inode) }
