package auditlog

import (
	"errors"
	"fmt"
	"syscall"
)

// errDoubtful means that a record was written to a segment that was given up before the record was made durable.
var errDoubtful = errors.New("audit record: it was written to a file that was lost before it was durable")

// span is a run of records: those after the first number, up to the last.
type span struct{ after, last uint64 }

// settled makes the segment that is about to be given up durable, under whatever name it has now, and returns why its end
// may be missing all the same. The caller holds mu.
func (l *Log) settled() error {
	if l.closed != nil && !errors.Is(l.closed, ErrSwapped) {
		return l.closed // an fsync that failed is not repeated by one that succeeds: the kernel dropped the pages
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	held, err := l.file.Stat()
	if err != nil {
		return err
	}
	if stat, ok := held.Sys().(*syscall.Stat_t); ok && stat.Nlink == 0 {
		return errors.New("its file was deleted")
	}
	if held.Size() != l.size {
		return fmt.Errorf("its file has %d octets, and %d were written", held.Size(), l.size)
	}
	return nil
}

// doubt notes records of which nobody knows whether they are kept. The next segment carries on after them, but whoever still
// waits for one of them is not told that it is durable: no record, no pass. The caller holds syncing.
func (l *Log) doubt(after, last uint64) {
	l.doubtful = append(l.doubtful, span{after, last})
}

// doubted reports whether a record is one of those. The caller holds syncing.
func (l *Log) doubted(seq uint64) bool {
	for _, s := range l.doubtful {
		if seq > s.after && seq <= s.last {
			return true
		}
	}
	return false
}
