package directory

import (
	"context"
	"sync/atomic"

	"regain/recovery"
)

// File is the Directory of a file that is read again: an account that leaves the file is not found any more.
type File struct {
	path    string
	current atomic.Pointer[Directory]
}

// OpenFile reads and parses the file at path.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	return f, f.Reload()
}

// Path is the file's.
func (f *File) Path() string { return f.path }

// Reload reads the file again. On an error the accounts stay as they were.
func (f *File) Reload() error {
	read, err := Open(f.path)
	if err != nil {
		return err
	}
	f.current.Store(read)
	return nil
}

// Find implements recovery.Directory.
func (f *File) Find(ctx context.Context, name recovery.AccountName) (recovery.Account, error) {
	return f.current.Load().Find(ctx, name)
}
