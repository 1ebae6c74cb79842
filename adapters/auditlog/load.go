package auditlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"regain/recovery"
)

// ErrTruncated means that records are missing at the end of a log.
var ErrTruncated = errors.New("audit log ends before its head")

// cure is what an operator can do about a log that is not whole.
const cure = "put the missing files back, or, if they are lost, run `regain audit begin`, which says so in the log for ever"

// load reads the last segment and opens it for more, or begins one.
func (l *Log) load() error {
	path, key := l.options.Path, l.options.Key
	head, err := ReadHead(path, key)
	if err != nil && !errors.Is(err, ErrNoHead) && !l.options.Begin {
		return err
	}
	kept, err := l.kept()
	if err != nil {
		return err
	}
	if err := os.Remove(path + newEnding); err != nil && !errors.Is(err, fs.ErrNotExist) { // a crash left it
		return err
	}
	active, err := scan(path, key, head, kept)
	if err == nil || !none(err) && active.segment.Number > 0 {
		if errors.Is(err, recovery.ErrUnfinished) {
			err = l.cutUnfinished(active)
		}
		if err != nil && !l.options.Begin {
			return err
		}
		return l.goOn(active, head, kept)
	}
	if !none(err) && !l.options.Begin {
		return err
	}
	return l.afterLast(later(head, kept), head)
}

// none reports whether the error says that there is no segment: no file, or one without a line.
func none(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) }

func later(a, b recovery.Head) recovery.Head {
	if b.Segment > a.Segment || b.Segment == a.Segment && b.Seq > a.Seq {
		return b
	}
	return a
}

// kept returns the head that was kept elsewhere.
func (l *Log) kept() (recovery.Head, error) {
	if l.options.Remembered == nil {
		return recovery.Head{}, nil
	}
	line, err := l.options.Remembered.LoadHead(context.Background())
	if err != nil || line == "" {
		return recovery.Head{}, err
	}
	head, err := l.options.Key.ParseHead(line)
	if err != nil && !l.options.Begin { // a log that is begun anew may have a new key
		return head, fmt.Errorf("the head that the store keeps: %w", err)
	}
	return head, nil
}

// cutUnfinished removes the line that a crash interrupted. No caller was told that this record is durable.
func (l *Log) cutUnfinished(s scanned) error {
	if err := os.Truncate(s.path, s.whole); err != nil {
		return fmt.Errorf("cut off the audit log's unfinished record: %w", err)
	}
	return nil
}

// goOn opens the segment at path for more, once it has what the heads say.
func (l *Log) goOn(active scanned, head, kept recovery.Head) error {
	if l.options.Begin {
		return l.afterLoss(active, later(head, kept))
	}
	if head == (recovery.Head{}) {
		return fmt.Errorf("%s: %w; %s", headPath(l.options.Path), ErrNoHead, cure)
	}
	if err := active.reaches(head); err != nil {
		return fmt.Errorf("its head: %w; %s", err, cure)
	}
	if err := active.reaches(kept); err != nil {
		return fmt.Errorf("the head that the store keeps: %w; %s", err, cure)
	}
	file, err := l.options.files(l.options.Path, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return err
	}
	l.file, l.size, l.last = file, active.whole, active.last
	l.full = l.options.SegmentSize
	if err := l.openHead(); err != nil {
		return err
	}
	l.recall(active)
	// What was read is on disk, or was only in memory when a process ended without a power failure.
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("make the audit log durable: %w", err)
	}
	l.head.slot = l.olderSlot(head)
	return l.writeHead(active.last)
}

// reaches reports whether a segment goes through the head, or is a later one.
func (s scanned) reaches(head recovery.Head) error {
	switch {
	case head.Segment > s.segment.Number:
		return fmt.Errorf("names segment %d, and %s is segment %d: %w", head.Segment, s.path, s.segment.Number, ErrTruncated)
	case head.Segment < s.segment.Number && head.Seq > s.segment.Seq:
		return fmt.Errorf("names record %d, and %s carries on at record %d: %w", head.Seq, s.path, s.segment.Seq, ErrTruncated)
	case head.Segment < s.segment.Number:
		return nil // `regain audit verify` compares
	case head.Seq > s.last.Seq:
		return fmt.Errorf("names record %d, and %s ends with record %d: %w", head.Seq, s.path, s.last.Seq, ErrTruncated)
	case !s.holds[head]:
		return fmt.Errorf("names another record %d than %s has: %w", head.Seq, s.path, recovery.ErrChain)
	}
	return nil
}

// afterLast begins a segment where there is none at the log's path: after the one that the head names, wherever that
// was moved to, or the first of all. head is the one beside the log, last the later of it and of what is kept elsewhere.
func (l *Log) afterLast(last, head recovery.Head) error {
	found, _, err := segments(l.options.Path, l.options.Key)
	if err != nil {
		return err
	}
	if l.options.Begin {
		return l.afterLoss(scanned{}, last)
	}
	if last == (recovery.Head{}) {
		if len(found) > 0 {
			return fmt.Errorf("%s is gone, and so is its head, but not its older segments: %w; %s", l.options.Path, ErrTruncated, cure)
		}
		return l.start(l.options.Key.Begin(last, l.options.Clock(), false))
	}
	if head != last {
		return fmt.Errorf("%s is gone, and the store knows of its record %d: %w; %s", l.options.Path, last.Seq, ErrTruncated, cure)
	}
	name, err := find(l.options.Path, head.Segment, l.options.Key)
	if err != nil {
		return fmt.Errorf("%s is gone, its head says %d records: %w; %s", l.options.Path, head.Seq, errors.Join(ErrTruncated, err), cure)
	}
	previous, err := scan(name, l.options.Key, head)
	if err != nil && !errors.Is(err, recovery.ErrUnfinished) {
		return err
	}
	if err := previous.reaches(head); err != nil {
		return fmt.Errorf("its head: %w; %s", err, cure)
	}
	return l.start(l.options.Key.Begin(previous.last, l.options.Clock(), false), previous)
}

// afterLoss begins a segment that an administrator asked for: after the latest record that anything tells of.
func (l *Log) afterLoss(active scanned, last recovery.Head) error {
	path := l.options.Path
	last = later(active.last, last)
	if named, err := os.Stat(path); err == nil && named.Size() > 0 {
		to := aside(path, active.segment.Number)
		if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) || active.segment.Number == 0 {
			to = fmt.Sprintf("%s.lost-%d", path, l.options.Clock().Unix())
		}
		if err := os.Rename(path, to); err != nil {
			return err
		}
	}
	return l.start(l.options.Key.Begin(last, l.options.Clock(), true))
}

// start puts a new segment at the log's path, which is free.
func (l *Log) start(segment recovery.Segment, before ...scanned) error {
	begun, size, err := l.begin(segment)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Rename(l.options.Path+newEnding, l.options.Path), syncDirectory(l.options.Path)); err != nil {
		return errors.Join(err, begun.Close())
	}
	l.use(segment, begun, size)
	if err := l.openHead(); err != nil {
		return err
	}
	if l.options.Begin { // what is in it may be no head
		if err := l.head.file.Truncate(0); err != nil {
			return fmt.Errorf("write the audit log's head: %w", err)
		}
	}
	l.recall(append([]scanned{{segment: segment}}, before...)...)
	return l.writeHead(segment.Head())
}

// recall learns which transactions have their pass: from the segments that were read, and as many before them as cover
// the life of a transaction. It goes no further back than it can: Issued says what it does not know.
func (l *Log) recall(read ...scanned) {
	const most = 16 // segments; a busy node fills one in an hour
	since := l.options.Clock().Add(-issuedFor)
	for len(read) < most {
		first := read[len(read)-1].segment
		if first.Started.Before(since) || first.Begun || first.Number <= 1 {
			break
		}
		name, err := find(l.options.Path, first.Number-1, l.options.Key)
		if err != nil {
			break
		}
		previous, err := glance(name, l.options.Key, first)
		if err != nil {
			break
		}
		read = append(read, previous)
	}
	first := read[len(read)-1].segment
	if l.issued.since = first.Started; first.Number > 1 || first.Begun {
		l.issued.since = first.Started.Add(1) // of what was started in the same moment, the segment before may know
	}
	for _, s := range read {
		for _, event := range s.issued {
			if event.Time.After(since) {
				l.issued.note(event, time.Time{})
			}
		}
	}
}

// olderSlot returns the slot of the head file that does not hold this head.
func (l *Log) olderSlot(head recovery.Head) int64 {
	data, err := os.ReadFile(headPath(l.options.Path))
	line := l.options.Key.EncodeHead(head)
	if err == nil && len(data) >= recovery.HeadSize && string(data[:recovery.HeadSize]) == line {
		return 1
	}
	return 0
}
