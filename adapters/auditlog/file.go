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
