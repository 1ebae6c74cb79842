package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"regain/internal/config"
)

// store is a storage backend that can be measured.
type store struct {
	name string
	// commits counts what the backend has made durable since it was made; nil where each change is a commit of its own.
	commits func(config.StorageConfig) (int64, error)
	hashes  hashes // that the backend itself makes for one recovery
}

// onServer is the store whose work is done in another process, of which no figure here has a part.
const onServer = "mongo"

// stores are all that can be measured: a new backend is one more row.
func stores() []store {
	return []store{
		{name: "memory"},
		{name: "file", commits: fileCommits, hashes: hashesOfFile()},
		{name: onServer},
	}
}

// Stores returns the names of the backends that can be measured.
func Stores() (names []string) {
	for _, s := range stores() {
		names = append(names, s.name)
	}
	return names
}

func storeNamed(name string) (store, error) {
	for _, s := range stores() {
		if s.name == name {
			return s, nil
		}
	}
	return store{}, fmt.Errorf("load: store %q: use %s", name, oneOf(Stores()))
}

// fileCommits is the number of the last transaction of the file, which each commit writes to one of its first two pages
// (bbolt, internal/common: Meta). It is read beside the node that has the file open.
func fileCommits(cfg config.StorageConfig) (last int64, err error) {
	file, err := os.Open(cfg.Path)
	if err != nil {
		return 0, fmt.Errorf("count commits: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	const place = 16 + 48 // of the number in a page: behind the header, and what says where everything is
	for page := range int64(2) {
		var number [8]byte
		if _, err := file.ReadAt(number[:], page*int64(os.Getpagesize())+place); err != nil {
			return 0, fmt.Errorf("count commits: %w", err)
		}
		last = max(last, int64(binary.NativeEndian.Uint64(number[:]))) //nolint:gosec // a number that grows by one
	}
	return last, nil
}
