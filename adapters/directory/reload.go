package directory

import (
	"context"
	"fmt"
	"sync/atomic"

	"regain/recovery"
)

// File is the Directory of a file that is read again: an account that leaves the file is not found any more.
type File struct {
	path    string
	current atomic.Pointer[contents]
}

// contents are the accounts in use and, where the file has others that were refused since, those.
type contents struct{ accounts, refused *Directory }

// OpenFile reads and parses the file at path.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	return f, f.Reload()
}

// Reload reads the file again. On an error the accounts stay as they were.
func (f *File) Reload() error {
	return f.ReloadIf(func(recovery.Directory) error { return nil })
}

// ReloadIf is Reload where accept has the last word, and its error is returned. The accounts and groups of a file that it
// refuses stay as they were, but for those who are not in the new one, or disabled or called something else there: whoever
// left the organisation must not stay because the same file has a mistake elsewhere, and a name that was given to somebody
// else must not recover as whoever had it before.
func (f *File) ReloadIf(accept func(read recovery.Directory) error) error {
	read, err := Open(f.path)
	if err != nil {
		return err
	}
	if err := accept(read); err != nil {
		if before := f.current.Load(); before != nil {
			f.current.Store(&contents{before.accounts, read})
		}
		return fmt.Errorf("directory %s: %w", f.path, err)
	}
	f.current.Store(&contents{accounts: read})
	return nil
}

// Current returns the accounts in use, which are those of the file unless ReloadIf refused them.
func (f *File) Current() *Directory { return f.current.Load().accounts }

var (
	_ recovery.Directory       = (*File)(nil)
	_ recovery.DirectoryLister = (*File)(nil)
)

// Find implements recovery.Directory.
func (f *File) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	c := f.current.Load()
	account, err := c.accounts.Find(ctx, requested)
	return c.stillThere(ctx, account, err)
}

// FindByID implements recovery.Directory.
func (f *File) FindByID(ctx context.Context, id recovery.AccountID) (recovery.Account, error) {
	c := f.current.Load()
	account, err := c.accounts.FindByID(ctx, id)
	return c.stillThere(ctx, account, err)
}

// stillThere holds an account against the file that was refused.
func (c *contents) stillThere(ctx context.Context, account recovery.Account, err error) (recovery.Account, error) {
	if err != nil || c.refused == nil {
		return account, err
	}
	now, _ := c.refused.FindByID(ctx, account.ID) // of one that is gone, no account, which has no name
	if now.Name.Exact() != account.Name.Exact() {
		return recovery.Account{}, fmt.Errorf("account is not in the file that was refused, or has another name there: %w", recovery.ErrNotFound)
	}
	account.Enabled = account.Enabled && now.Enabled
	return account, nil
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
