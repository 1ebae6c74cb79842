package auditlog

import "os"

// File is what a log does to a file.
type File = file

// WithFiles lets every file that the log writes to pass through wrap.
func (o Options) WithFiles(wrap func(path string, f File) File) Options {
	o.files = func(path string, flags int) (file, error) {
		opened, err := os.OpenFile(path, flags, private)
		if err != nil {
			return nil, err
		}
		return wrap(path, opened), nil
	}
	return o
}

// Holder returns the process that holds the log's lock.
func Holder(path string) (int, error) { return holder(path) }
