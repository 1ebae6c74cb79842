package auditlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"regain/adapters/auditlog/segments"
	"regain/recovery/chain"
)

// cure is what an operator can do about a log that is not whole.
const cure = "put the missing files back, or, if they are lost, run `regain audit begin`, which says so in the log for ever"

// cureOfKept is that where the store remembers more than there is: it does so under a name, and two nodes may have one. To begin
// the log of the second anew would leave the first with a head that is not its own.
const cureOfKept = "if another node that shares the store has this one's name, give each its own (audit.node); otherwise " + cure

// found is what there is of a log.
type found struct {
	head, kept chain.Head       // beside the log, and elsewhere
	active     segments.Scanned // the segment at the log's path; without a number if there is none
	cut        bool             // its last line is unfinished
	previous   segments.Scanned // the last segment, wherever it was moved to, if there is none at the log's path
}

// Examine reports why the log could not be opened. It reads only, and takes no lock: a node may be writing.
func Examine(options Options) error {
	l := &Log{options: options.withDefaults()}
	if _, err := l.look(); err != nil {
		return fmt.Errorf("examine audit log: %w", err)
	}
	return nil
}

// load opens the last segment for more, or begins one.
func (l *Log) load() error {
	if l.options.Begin {
		return l.beginAfterLoss()
	}
	f, err := l.look()
	if err != nil {
		return err
	}
	if err := os.Remove(l.options.Path + segments.NewEnding); err != nil && !errors.Is(err, fs.ErrNotExist) { // a crash left it
		return err
	}
	switch {
	case f.active.Segment.Number > 0:
		return l.goOn(f)
	case f.previous.Segment.Number > 0:
		return l.start(l.options.Key.Begin(f.previous.Last, l.options.Clock(), false), f.previous)
	}
	return l.start(l.options.Key.Begin(chain.Head{}, l.options.Clock(), false))
}

// look reads the last segment and compares it with the heads.
func (l *Log) look() (f found, err error) {
	path, key := l.options.Path, l.options.Key
	if f.head, err = segments.ReadHead(path, key); err != nil && !errors.Is(err, segments.ErrNoHead) {
		return f, err
	}
	if f.kept, err = l.kept(); err != nil {
		return f, err
	}
	f.active, err = segments.Scan(path, key, f.head, f.kept)
	if none(err) {
		return f, l.lookForLast(&f)
	}
	// A crash interrupted the write. No caller was told that this record is durable.
	if f.cut = errors.Is(err, chain.ErrUnfinished) && f.active.Segment.Number > 0; err != nil && !f.cut {
		return f, err
	}
	if f.head == (chain.Head{}) {
		return f, fmt.Errorf("%s: %w; %s", segments.HeadPath(path), segments.ErrNoHead, cure)
	}
	if err := f.active.Reaches(f.head); err != nil {
		return f, fmt.Errorf("its head: %w; %s", err, cure)
	}
	if err := f.active.Reaches(f.kept); err != nil {
		return f, fmt.Errorf("the head that the store keeps: %w; %s", err, cureOfKept)
	}
	return f, nil
}

// lookForLast looks for the last segment where there is none at the log's path: the one that the head names, wherever it
// was moved to.
func (l *Log) lookForLast(f *found) error {
	path, key := l.options.Path, l.options.Key
	all, _, err := segments.All(path, key)
	if err != nil {
		return err
	}
	last := segments.Later(f.head, f.kept)
	switch {
	case last == (chain.Head{}) && len(all) == 0:
		return nil // the first start
	case last == (chain.Head{}):
		return fmt.Errorf("%s is gone, and so is its head, but not its older segments: %w; %s", path, segments.ErrTruncated, cure)
	case f.head != last:
		return fmt.Errorf("%s is gone, and the store knows of its record %d: %w; %s", path, last.Seq, segments.ErrTruncated, cureOfKept)
	}
	name, err := segments.Find(path, f.head.Segment, key)
	if err != nil {
		return fmt.Errorf("%s is gone, its head says %d records: %w; %s", path, f.head.Seq, errors.Join(segments.ErrTruncated, err), cure)
	}
	if f.previous, err = segments.Scan(name, key, f.head); err != nil && !errors.Is(err, chain.ErrUnfinished) {
		return err
	}
	if err := f.previous.Reaches(f.head); err != nil {
		return fmt.Errorf("its head: %w; %s", err, cure)
	}
	return nil
}

// none reports whether the error says that there is no segment: no file, or one without a line.
func none(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) }

// kept returns the head that was kept elsewhere.
func (l *Log) kept() (chain.Head, error) {
	if l.options.Remembered == nil {
		return chain.Head{}, nil
	}
	line, err := l.options.Remembered.LoadHead(context.Background())
	if err != nil || line == "" {
		return chain.Head{}, err
	}
	head, err := l.options.Key.ParseHead(line)
	if err != nil && !l.options.Begin { // a log that is begun anew may have a new key
		return head, fmt.Errorf("the head that the store keeps: %w", err)
	}
	return head, nil
}

// goOn opens the segment at the log's path for more.
func (l *Log) goOn(f found) error {
	file, err := l.options.files(l.options.Path, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return err
	}
	l.file, l.held = file, identity{}
	if f.cut {
		if err := l.file.Truncate(f.active.Whole); err != nil {
			return fmt.Errorf("cut off the audit log's unfinished record: %w", err)
		}
	}
	l.size, l.last = f.active.Whole, f.active.Last
	l.full = l.options.SegmentSize
	if err := l.openHead(); err != nil {
		return err
	}
	l.recall(f.active)
	// What was read is on disk, or was only in memory when a process ended without a power failure.
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("make the audit log durable: %w", err)
	}
	l.head.slot = l.olderSlot(f.head)
	return l.writeHead(f.active.Last)
}

// start puts a new segment at the log's path, which is free.
func (l *Log) start(segment chain.Segment, before ...segments.Scanned) error {
	begun, size, err := l.begin(segment)
	if err != nil {
		return err
	}
	if err := os.Rename(l.options.Path+segments.NewEnding, l.options.Path); err != nil {
		return errors.Join(err, begun.Close())
	}
	l.use(segment, begun, size)
	if err := l.syncDirectory(); err != nil {
		return err
	}
	if err := l.openHead(); err != nil {
		return err
	}
	if l.options.Begin { // what is in it may be no head
		if err := l.head.file.Truncate(0); err != nil {
			return fmt.Errorf("write the audit log's head: %w", err)
		}
	}
	l.recall(append([]segments.Scanned{{Segment: segment}}, before...)...)
	return l.writeHead(segment.Head())
}

// olderSlot returns the slot of the head file that does not hold this head.
func (l *Log) olderSlot(head chain.Head) int64 {
	data, _ := os.ReadFile(segments.HeadPath(l.options.Path)) // which was read before
	if strings.HasPrefix(string(data), l.options.Key.EncodeHead(head)) {
		return 1
	}
	return 0
}
