package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"runtime/debug"
)

// ErrDamaged means that the file is not a whole store. Its text says what to do.
var ErrDamaged = errors.New("it is damaged: put back a copy, or move it away and start with an empty store, which ends the open recoveries and forgets the clients that registered themselves")

// The layout of a file (bbolt, internal/common): a header of a page, and in the first two pages what the store is made of.
const (
	pageHeader = 16
	metaSize   = 64
	metaMagic  = 0xED0CDAED
	minPage    = 1 << 10
	maxPage    = 64 << 10
)

// meta is one of the two pages that say where everything else is.
type meta struct {
	pageSize, pages, transaction int64
}

// Inspect reports whether a file can be a store: it is not there yet, or its beginning is whole and no page is missing
// at its end. It reads a few pages, and takes no lock: it works beside a process that uses the file.
func Inspect(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if err := inspect(file, info.Size()); err != nil {
		return fmt.Errorf("store %s: %w: %w", path, err, ErrDamaged)
	}
	return nil
}

func inspect(file io.ReaderAt, size int64) error {
	if size == 0 { // created, and nothing written yet: bbolt begins anew
		return nil
	}
	found, ok := meta{}, false
	for at := int64(0); at <= maxPage; at = max(2*at, minPage) {
		if m, is := readMeta(file, at); is && (at == 0 || m.pageSize == at) && (!ok || m.transaction > found.transaction) {
			found, ok = m, true
		}
	}
	if !ok {
		return errors.New("its first pages are none of a store")
	}
	if needs := found.pages * found.pageSize; size < needs { // or a page beyond the end faults when it is read
		return fmt.Errorf("it has %d bytes, and had %d", size, needs)
	}
	return nil
}

// readMeta reads a meta page, whose integers are in the byte order of the machine, and reports whether it is whole.
func readMeta(file io.ReaderAt, at int64) (meta, bool) {
	var b [metaSize]byte
	if _, err := file.ReadAt(b[:], at+pageHeader); err != nil {
		return meta{}, false
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8])                                                                                              // a hash never fails
	m := meta{pageSize: int64(order.Uint32(b[8:])), pages: int64(order.Uint64(b[40:])), transaction: int64(order.Uint64(b[48:]))} //nolint:gosec // checked below
	whole := order.Uint32(b[:]) == metaMagic && order.Uint64(b[56:]) == sum.Sum64()
	return m, whole && m.pageSize >= minPage && m.pageSize <= maxPage && m.pages >= 0 && m.pages < 1<<40
}

// guarded runs something that reads the file. bbolt panics when a page is not what it has to be, and a page that cannot
// be read faults: both are the file's, and neither may end the process.
func guarded(path string, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("store %s: %v: %w", path, cause, ErrDamaged)
		}
	}()
	return do()
}
