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

var (
	_ recovery.Directory       = (*File)(nil)
	_ recovery.DirectoryLister = (*File)(nil)
)

// Find implements recovery.Directory.
func (f *File) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	return f.Current().Find(ctx, requested)
}

// FindByID implements recovery.Directory.
func (f *File) FindByID(ctx context.Context, id recovery.AccountID) (recovery.Account, error) {
	return f.Current().FindByID(ctx, id)
}

// Groups implements recovery.DirectoryLister.
func (f *File) Groups(ctx context.Context) ([]recovery.GroupName, error) {
	return f.Current().Groups(ctx)
}

// Attributes implements recovery.DirectoryLister.
func (f *File) Attributes(ctx context.Context) ([]recovery.AttributeName, error) {
	return f.Current().Attributes(ctx)
}

// WithoutID returns how many accounts have no id of their own.
func (f *File) WithoutID() int { return f.Current().WithoutID() }
