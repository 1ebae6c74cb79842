package auditlog

import (
	"errors"
	"io"
	"io/fs"
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
	if flags == os.O_RDONLY { // a directory, of which the times matter no more than the names
		return opened, nil
	}
	return diskFile{opened}, nil
}

// syncDirectory makes the names of the log's files durable.
func (l *Log) syncDirectory() error {
	directory, err := l.options.files(filepath.Dir(l.options.Path), os.O_RDONLY)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// vacant takes what a look at a name found, and reports whether there is nothing, or an empty file: logrotate made it, or
// left it.
func vacant(named os.FileInfo, err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return err == nil && named.Size() == 0, err
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
