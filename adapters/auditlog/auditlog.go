// Package auditlog keeps the audit log in a file: one JSON object a line, each hash-chained to the one before
// (recovery.Link). A second file, the head, contains the number and hash of the last durable record, so that removing
// records from the end is detected. An administrator who copies the head elsewhere can prove later that no record was
// rewritten.
//
// A critical event is durable (fsync) before Append returns. Concurrent callers share one fsync, so the cost of the log
// for each recovery falls as load rises. The cost of an append does not depend on the log's length.
package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"regain/recovery"
)

// Log implements recovery.Auditor.
type Log struct {
	mu     sync.Mutex
	last   recovery.Link
	file   *os.File // nil for a log in memory
	head   *os.File
	size   int64 // bytes of the complete records
	broken error // the first failed write; nothing may be appended after it

	syncing sync.Mutex
	durable uint64 // number of the last durable record; guarded by syncing

	memory bytes.Buffer
}

// NewMemory returns a log in memory. For development only: it is lost when the process ends.
func NewMemory() *Log { return &Log{} }

// Open opens or creates the log at path and verifies the whole chain first: a log that was tampered with is not
// appended to.
func Open(path string) (*Log, error) {
	last, whole, err := verifyFile(path)
	switch {
	case errors.Is(err, recovery.ErrUnfinished):
		// A crash interrupted the write. No caller was told that this record is durable.
		if err := os.Truncate(path, whole); err != nil {
			return nil, fmt.Errorf("cut off the audit log's unfinished record: %w", err)
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	const private = 0o600
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, private)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	head, err := os.OpenFile(headPath(path), os.O_CREATE|os.O_RDWR, private)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open audit log's head: %w", err), file.Close())
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open audit log: %w", err), file.Close(), head.Close())
	}
	return &Log{last: last, file: file, head: head, size: info.Size(), durable: last.Seq}, nil
}

func (l *Log) Append(_ context.Context, event recovery.Event) error {
	seq, err := l.write(event)
	if err != nil || !event.Type.Critical() {
		return err
	}
	return l.sync(seq)
}

func (l *Log) write(event recovery.Event) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, fmt.Errorf("audit log is closed to further records: %w", l.broken)
	}
	link, err := recovery.NextLink(l.last, event)
	if err != nil {
		return 0, err
	}
	line, err := link.Encode()
	if err != nil {
		return 0, err
	}
	if l.file == nil {
		l.memory.Write(line)
		l.last = link
		return link.Seq, nil
	}
	if _, err := l.file.Write(line); err != nil {
		// The line may be written in part: remove that part, or accept no further records.
		l.broken = errors.Join(err, l.file.Truncate(l.size))
		return 0, fmt.Errorf("write audit record: %w", l.broken)
	}
	l.size += int64(len(line))
	l.last = link
	return link.Seq, nil
}

// sync makes every record up to seq durable. A caller that waited for the lock returns at once if another caller's
// fsync covered its record.
func (l *Log) sync(seq uint64) error {
	if l.file == nil {
		return nil
	}
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.durable >= seq {
		return nil
	}
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	if err := l.file.Sync(); err != nil {
		return l.fail(fmt.Errorf("make audit record durable: %w", err))
	}
	if err := l.writeHead(last); err != nil {
		return l.fail(err)
	}
	l.durable = last.Seq
	return nil
}

// fail closes the log to further records: after a failed fsync it is unknown what is on disk.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = err
	}
	return err
}

// Close makes all records durable and closes the files.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	l.mu.Lock()
	seq := l.last.Seq
	l.mu.Unlock()
	return errors.Join(l.sync(seq), l.file.Close(), l.head.Close())
}

// Bytes returns a copy of a log in memory.
func (l *Log) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.memory.Bytes())
}
