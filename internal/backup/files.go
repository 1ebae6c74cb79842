package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newFile is a file that has its name when it is complete and durable, and not before. Only its owner can read it.
type newFile struct {
	*os.File
	to string
}

// create begins a file, unless there is something of its name.
func create(to string) (*newFile, error) {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return nil, fmt.Errorf("%s: %w: nothing is ever overwritten", to, err)
	}
	file, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".part-*") // with mode 0600
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", to, err)
	}
	return &newFile{file, to}, nil
}

// publish makes the file durable and gives it its name, unless something else has that meanwhile.
func (f *newFile) publish() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make %s durable: %w", f.to, err)
	}
	if err := os.Link(f.Name(), f.to); err != nil { // a rename would replace what is there
		return fmt.Errorf("name the file: %w", err)
	}
	directory, err := os.Open(filepath.Dir(f.to))
	if err != nil {
		return fmt.Errorf("make the name of %s durable: %w", f.to, err)
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// drop removes what has only its temporary name: nothing of a file that failed is left behind.
func (f *newFile) drop() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}
