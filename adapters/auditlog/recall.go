package auditlog

import (
	"errors"
	"os"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/recovery/chain"
)

// recall learns which transactions have their pass from the segments that were read, the last one first. The caller has the
// log alone.
func (l *Log) recall(read ...segments.Scanned) {
	for _, s := range read {
		l.learn(s)
	}
	l.unread = read[len(read)-1].Segment
}

// learn takes the passes of a segment: since it was begun, every pass is known.
func (l *Log) learn(s segments.Scanned) {
	for _, event := range s.Issued {
		l.issued.note(event, time.Time{})
	}
	since, first := s.Segment.Started, s.Segment.Number == 1 && !s.Segment.Begun
	if !first {
		since = since.Add(1) // of what was started in the same moment, the segment before may know
	}
	l.issued.reaches(since, first)
}

// recallOlder reads the passes of as many segments before those that were read as cover the life of a transaction, while the
// log is in use: nobody but Issued asks for them, and a busy node has a gigabyte of them. It goes no further back than it
// can: Issued says what it does not know. What a start proves does not depend on them.
func (l *Log) recallOlder() {
	since := l.options.Clock().Add(-issuedFor)
	if !mayReach(l.unread, since) {
		return
	}
	l.recalled = make(chan struct{})
	go func() {
		defer close(l.recalled)
		const most = 16 // segments; a busy node fills one in an hour
		for n, first := 1, l.unread; n < most && mayReach(first, since); n++ {
			name, _ := segments.Find(l.options.Path, first.Number-1, l.options.Key) // what is not found cannot be read
			previous, err := segments.Glance(name, l.options.Key, first)
			if err != nil {
				return
			}
			if !l.learnOlder(previous) {
				return
			}
			first = previous.Segment
		}
	}()
}

// mayReach reports whether the segment before this one has records of recoveries that were open since then.
func mayReach(first chain.Segment, since time.Time) bool {
	return first.Number > 1 && !first.Begun && !first.Started.Before(since)
}

// learnOlder takes the passes of an older segment, and returns false when the log was closed meanwhile.
func (l *Log) learnOlder(s segments.Scanned) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.learn(s)
	return !errors.Is(l.closed, os.ErrClosed)
}

// awaitOlder waits until the older segments were read.
func (l *Log) awaitOlder() {
	if l.recalled != nil {
		<-l.recalled
	}
}
