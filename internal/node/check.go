package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkWritten reports whether a file that the node writes can be what it should be, and could be written by the one
// who asks: it is there, or its directory is. It opens nothing for writing, makes nothing and locks nothing: a check runs
// beside the node, and as root, whose files the node could not open.
func checkWritten(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if path = filepath.Dir(path); path == "" {
			path = "."
		}
		if info, err = os.Stat(path); err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no directory", path)
		}
	} else if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		return err
	}
	return checkAccess(path)
}

// checkAudit is checkWritten for an audit log, whose first line is a record. `regain audit verify` reads the rest.
func checkAudit(path string) error {
	if err := checkWritten(path); err != nil {
		return err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	const longest = 1 << 20
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, longest)
	if lines.Scan() && !json.Valid(lines.Bytes()) || lines.Err() != nil {
		return fmt.Errorf("%s: its first line is no record of an audit log", path)
	}
	return nil
}
