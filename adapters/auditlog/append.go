package auditlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"regain/recovery"
)

// ErrSwapped means that the file was renamed, replaced or truncated under the log.
var ErrSwapped = errors.New("the audit log's file is not the one that was written: send SIGHUP, or run `regain audit rotate`, and a new segment carries on")

// Append writes a record. When it returns nil for a critical event, the record is durable and the head names it.
func (l *Log) Append(_ context.Context, event recovery.Event) error {
	l.rotateIfFull()
	seq, err := l.write(event)
	if err != nil || l.inMemory() {
		return err
	}
	if !event.Type.Critical() {
		l.syncSoon()
		return nil
	}
	return l.sync(seq)
}

func (l *Log) write(event recovery.Event) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writable(); err != nil {
		return 0, err
	}
	link, err := l.options.Key.Next(l.last, event)
	if err != nil {
		return 0, err
	}
	line := link.Encode()
	if !l.inMemory() {
		if _, err := l.file.Write(line); err != nil {
			return 0, l.cutOff(err)
		}
	}
	l.size += int64(len(line))
	l.last.Seq, l.last.MAC = link.Seq, link.MAC
	if event.Type == recovery.EventPassIssuing {
		l.issued.note(event, l.options.Steady())
	}
	return link.Seq, nil
}

// writable returns why nothing can be appended now. The caller holds mu.
func (l *Log) writable() error {
	if l.closed != nil {
		return fmt.Errorf("audit log is closed to further records: %w", l.closed)
	}
	if l.inMemory() {
		return nil
	}
	if err := l.intact(); err != nil {
		return l.shut(err)
	}
	return nil
}

// intact reports whether the file that is written is the one of this name, and has what was written. A rotation that
// did not tell us would take the records to a file that nobody reads, or would leave a hole. The caller holds mu.
func (l *Log) intact() error {
	if err := l.locked(); err != nil {
		return err
	}
	named, same, err := l.held.at(l.file, l.options.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is gone: %w", l.options.Path, ErrSwapped)
	case err != nil:
		return fmt.Errorf("look at the audit log: %w", err)
	case !same:
		return fmt.Errorf("%s is another file: %w", l.options.Path, ErrSwapped)
	case named.Size() != l.size:
		return fmt.Errorf("%s has %d octets, and %d were written: %w", l.options.Path, named.Size(), l.size, ErrSwapped)
	}
	return nil
}

// shut closes the log to further records until Reopen. The caller holds mu.
func (l *Log) shut(err error) error {
	if l.closed == nil {
		l.closed = err
		l.options.Logger.Error("the audit log takes no more records, and no pass is issued", "cause", err)
	}
	return err
}

// cutOff removes what a failed write left of its line. A log whose end is known goes on when the cause is over, such as
// a full volume; any other stays closed. That it was cut, the next record finds out. The caller holds mu.
func (l *Log) cutOff(cause error) error {
	if err := l.file.Truncate(l.size); err != nil {
		return l.shut(fmt.Errorf("write audit record, and cut off what was written of it: %w", errors.Join(cause, err)))
	}
	l.fails(cause)
	return fmt.Errorf("write audit record: %w", cause)
}

// fails keeps a cause that may pass by itself. The caller holds mu.
func (l *Log) fails(cause error) {
	if l.failing == nil {
		l.options.Logger.Error("the audit log cannot be written", "cause", cause)
	}
	l.failing = cause
}

// sync makes every record up to seq durable, and then the head. A caller that waited for the lock returns at once if
// another caller's fsync covered its record.
func (l *Log) sync(seq uint64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.doubted(seq) {
		return errDoubtful
	}
	if l.durable.Seq >= seq {
		return nil
	}
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	if err := l.file.Sync(); err != nil {
		// What is on disk is unknown now: the kernel may have dropped the pages that it could not write.
		return l.shutNow(fmt.Errorf("make audit record durable: %w", err))
	}
	// After the fsync: a file that was renamed or truncated meanwhile has not got the record, and a log that was closed
	// by a failed fsync is not mended by one that succeeds.
	if err := l.checked(); err != nil {
		return err
	}
	return l.writeHead(last)
}

func (l *Log) checked() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writable()
}

// shutNow is shut for callers that do not hold mu.
func (l *Log) shutNow(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut(err)
}

// syncSoon makes records that are not critical durable within a second, all with one fsync.
func (l *Log) syncSoon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting {
		return
	}
	l.waiting = true
	time.AfterFunc(soon, func() {
		l.mu.Lock()
		l.waiting = false
		seq := l.last.Seq
		l.mu.Unlock()
		_ = l.sync(seq) // what fails is kept for the next record, and for Ready
	})
}

// Ready returns why a record cannot be written, or nil. While the last one failed it tries, once a second at most:
// nobody starts a recovery at a node that says it is not ready.
func (l *Log) Ready() error {
	if l.inMemory() {
		return nil
	}
	l.mu.Lock()
	err, last, try := l.failing, l.last.Seq, false
	switch now := l.options.Clock(); {
	case l.closed != nil:
		err = l.closed
	case err == nil:
		err = l.intact()
	case now.Sub(l.probed) >= soon:
		l.probed = now
		err = l.probe()
		try = err == nil
	}
	l.mu.Unlock()
	if err == nil && !try {
		return l.headReady()
	}
	if !try {
		return err
	}
	if err := l.sync(last); err != nil { // a record waits for its head
		return err
	}
	l.recovered()
	return nil
}

// headReady reports why the head cannot be written. While a record is being made durable, that finds it out.
func (l *Log) headReady() error {
	if !l.syncing.TryLock() {
		return nil
	}
	defer l.syncing.Unlock()
	return l.headIntact()
}

// recovered notes that the log can be written again.
func (l *Log) recovered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing != nil {
		l.failing = nil
		l.options.Logger.Info("the audit log can be written again")
	}
}

// probe writes what could not be a record, as if interrupted, and cuts it off again. The caller holds mu.
func (l *Log) probe() error {
	const size = 4096
	_, err := l.file.Write(make([]byte, size))
	if cut := errors.Join(l.file.Truncate(l.size), l.intact()); cut != nil {
		return l.shut(errors.Join(err, cut))
	}
	return err
}
