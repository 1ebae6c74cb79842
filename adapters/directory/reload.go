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

// Reload reads the file again. On an error the accounts stay as they were.
func (f *File) Reload() error {
	read, err := Open(f.path)
	if err != nil {
		return err
	}
	f.current.Store(read)
	return nil
}

// Current returns the accounts as the file last had them.
func (f *File) Current() *Directory { return f.current.Load() }

// Find implements recovery.Directory.
func (f *File) Find(ctx context.Context, name recovery.AccountName) (recovery.Account, error) {
	return f.Current().Find(ctx, name)
}
