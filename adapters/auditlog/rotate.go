package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"regain/adapters/auditlog/segments"
	"regain/recovery/chain"
)

// rotateIfFull begins a new segment if the present one is full. If that fails the log goes on in the present one.
func (l *Log) rotateIfFull() {
	if l.inMemory() || !l.isFull() {
		return
	}
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if !l.isFull() { // another caller did it meanwhile
		return
	}
	if err := l.rotate(); err != nil && !l.isClosed() {
		l.options.Logger.Error("the audit log was not rotated and goes on in its file", "cause", err)
		l.mu.Lock()
		l.full = l.size + l.options.SegmentSize/16 // and not at every record
		l.mu.Unlock()
	}
}

func (l *Log) isFull() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size >= l.full
}

// Rotate begins a new segment.
func (l *Log) Rotate() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	return l.rotate()
}

// rotate makes the present segment durable, moves it aside and begins a new one. The caller holds syncing.
func (l *Log) rotate() error {
	if err := l.checked(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Sync(); err != nil {
		return l.shut(fmt.Errorf("make the audit log durable: %w", err))
	}
	if err := l.intact(); err != nil { // after the fsync, as for each record
		return l.shut(err)
	}
	return l.carryOn()
}

// Reopen is called at SIGHUP. It ends what closed the log, and begins a new segment that carries on from the last
// record that was written, when the file was renamed, replaced or truncated, when what is on disk is unknown after a
// failed fsync, or when `regain audit rotate` asked for it. What is missing of the old file stays visible to Verify.
func (l *Log) Reopen() error {
	if l.inMemory() {
		return nil
	}
	asked := os.Remove(l.options.Path+segments.RotateEnding) == nil
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.closed, os.ErrClosed) {
		return fmt.Errorf("reopen the audit log: %w", l.closed)
	}
	why := errors.Join(l.closed, l.intact(), l.headIntact())
	if why == nil && !asked {
		return nil
	}
	l.options.Logger.Info("the audit log is opened again", "asked", asked, "cause", why)
	if err := l.relock(); err != nil {
		return l.shut(err)
	}
	if err := l.settled(); err != nil {
		l.options.Logger.Error("the end of the audit log's last segment may be missing", "segment", l.last.Segment, "cause", err)
		l.doubt(l.durable.Seq, l.last.Seq)
	}
	if l.closed != nil && !errors.Is(l.closed, ErrSwapped) {
		l.compare()
	}
	if err := l.openHead(); err != nil {
		return l.shut(err)
	}
	return l.carryOn()
}

// compare says so when the segment that could not be written is not what it must be. It changes nothing: what is
// missing stays missing, and Verify shows it. The caller holds mu.
func (l *Log) compare() {
	old, err := segments.Scan(l.options.Path, l.options.Key)
	if err != nil || old.Last != l.last {
		l.options.Logger.Error("the audit log's last segment is not what was written to it", "segment", l.last.Segment,
			"ends with record", old.Last.Seq, "written", l.last.Seq, "cause", err)
	}
}

// carryOn begins the segment after the present one. The caller holds syncing and mu.
func (l *Log) carryOn() error {
	path, old := l.options.Path, l.file
	segment := l.options.Key.Begin(l.last, l.options.Clock(), false)
	begun, size, err := l.begin(segment)
	if err != nil {
		return fmt.Errorf("begin a new segment of the audit log: %w", err)
	}
	if err := l.moveAside(); err != nil {
		return errors.Join(fmt.Errorf("move the audit log's segment aside: %w", err), begun.Close(), os.Remove(path+segments.NewEnding))
	}
	if err := os.Rename(path+segments.NewEnding, path); err != nil {
		return errors.Join(l.shut(fmt.Errorf("begin a new segment of the audit log: %w", err)), begun.Close())
	}
	l.use(segment, begun, size)
	if err := l.syncDirectory(); err != nil { // the file is ours, and Reopen begins another
		return errors.Join(l.shut(fmt.Errorf("begin a new segment of the audit log: %w", err)), old.Close())
	}
	l.options.Logger.Info("the audit log carries on in a new segment", "segment", segment.Number, "after record", segment.Seq)
	l.mu.Unlock() // writeHead takes it; syncing keeps everybody else away from the head
	err = l.writeHead(segment.Head())
	l.mu.Lock()
	return errors.Join(err, old.Close())
}

// use makes a segment that has no record the one that is written to.
func (l *Log) use(segment chain.Segment, begun file, size int64) {
	l.file, l.held = begun, identity{}
	l.size, l.full, l.last = size, max(size+1, l.options.SegmentSize), segment.Head()
	l.closed, l.failing = nil, nil
}

// begin writes the first line of a segment, durably, to a file that nobody looks at yet.
func (l *Log) begin(segment chain.Segment) (file, int64, error) {
	path := l.options.Path + segments.NewEnding
	begun, err := l.options.files(path, os.O_CREATE|os.O_RDWR|os.O_APPEND|os.O_TRUNC)
	if err != nil {
		return nil, 0, err
	}
	line := segment.Encode()
	_, err = begun.Write(line)
	if err = errors.Join(err, begun.Sync()); err != nil {
		return nil, 0, errors.Join(err, begun.Close(), os.Remove(path))
	}
	return begun, int64(len(line)), nil
}

// moveAside frees the log's name. The caller holds mu.
func (l *Log) moveAside() error {
	path, to := l.options.Path, segments.Aside(l.options.Path, l.last.Segment)
	named, same, err := l.held.at(l.file, path)
	if free, err := vacant(named, err); free || err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("%s is a file that this node did not write; move it away", path)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		to += fmt.Sprintf("-%d", l.options.Clock().Unix()) // no segment is ever overwritten
	}
	return os.Rename(path, to)
}
