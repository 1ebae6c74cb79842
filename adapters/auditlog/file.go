package auditlog

import (
	"io"
	"os"
	"path/filepath"
)

// file is what the log does to a file.
type file interface {
	io.Writer
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Stat() (os.FileInfo, error)
}

// opener opens a file for writing, with the flags of os.OpenFile.
type opener func(path string, flags int) (file, error)

const private = 0o600

func osFile(path string, flags int) (file, error) {
	opened, err := os.OpenFile(path, flags, private)
	if err != nil {
		return nil, err
	}
	return diskFile{opened}, nil
}

// syncDirectory makes the names of files durable.
func syncDirectory(path string) error {
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer directory.Close() //nolint:errcheck // only read
	return directory.Sync()
}

// identity knows an open file again by its name. It is asked for once: no other file gets the identity of one that is
// open, and each record looks at the file a few times.
type identity struct{ of os.FileInfo }

// at looks at the file of this name, and reports whether it is the one that is open. Its size is then that of the open one.
func (i *identity) at(open file, name string) (named os.FileInfo, same bool, err error) {
	if i.of == nil {
		if i.of, err = open.Stat(); err != nil {
			return nil, false, err
		}
	}
	if named, err = os.Stat(name); err != nil {
		return nil, false, err
	}
	return named, os.SameFile(i.of, named), nil
}
