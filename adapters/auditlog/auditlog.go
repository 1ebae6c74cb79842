// Package auditlog keeps the audit log in files: one JSON object a line, each chained to the one before by a keyed hash
// (chain.Link). Package segments reads them, and verifies a log.
//
//	audit.jsonl          the segment that is written to; its first line carries the chain on (chain.Segment)
//	audit.jsonl.000007   a segment that was rotated away; logrotate's names are recognised too
//	audit.jsonl.head     where the last durable record is, so that removing records from the end is noticed
//	audit.jsonl.lock     held by the process that writes
//
// A critical event is durable (fsync), and the head names it, before Append returns; any other is within a second.
// Concurrent callers share one fsync, so the cost of the log for each recovery falls as load rises. The cost of an
// append, and of opening, does not depend on the log's length.
//
// A file that was renamed, replaced or truncated is noticed before and after each record, and a log that cannot be
// written takes no more records: no record, no pass. What ends that, Reopen says.
package auditlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"regain/recovery"
	"regain/recovery/chain"
)

// DefaultSegmentSize bounds a segment, so that a node starts within a second: it reads the last one.
const DefaultSegmentSize = 64 << 20

// soon is how long a record that is not critical may wait to become durable.
const soon = time.Second

// Options says where a log is and how it is kept.
type Options struct {
	Path        string
	Key         chain.Key
	SegmentSize int64        // octets after which a new segment is begun; 0 is DefaultSegmentSize
	Logger      *slog.Logger // nil for none
	Clock       func() time.Time
	// Steady is a time that a clock put forward does not take along, for what is forgotten after a while; nil for Clock.
	Steady func() time.Time
	// Remembered keeps the head at another place than the log's directory; nil for none.
	Remembered HeadStore
	// Begin accepts a log of which something is missing, and begins a new segment after what is there.
	Begin bool
	// files opens files; tests let it fail.
	files opener
}

// HeadStore keeps a head where the log is not, so that a log that was deleted together with its head is missed.
type HeadStore interface {
	LoadHead(ctx context.Context) (line string, err error) // "" for none
	SaveHead(ctx context.Context, line string) error
}

// Log implements recovery.Auditor, and knows which passes it has.
type Log struct {
	options Options
	lock    *os.File
	locking identity // of lock

	mu      sync.Mutex
	last    chain.Head
	file    file // nil for a log in memory
	held    identity
	size    int64 // octets of the complete records
	full    int64 // size from which a new segment is begun
	closed  error // why nothing may be appended until Reopen
	failing error // why the last record was not written; the next one may be
	probed  time.Time
	waiting bool // for a second, for more records to become durable
	issued  issued

	syncing  sync.Mutex // taken before mu
	head     headFile
	durable  chain.Head // the last durable record
	doubtful []span     // of records that may be lost
	saving   sync.Mutex // held while a head is kept elsewhere
}

var _ recovery.Auditor = (*Log)(nil)

// NewMemory returns a log that keeps no record, and knows which passes were issued. For development only: the process
// forgets them when it ends.
func NewMemory() *Log { return &Log{options: Options{Steady: time.Now}} }

func (l *Log) inMemory() bool { return l.options.Path == "" }

// Open opens the log at options.Path, or begins it, and verifies its last segment first: a log that was tampered with,
// or that another process writes to, is not appended to.
func Open(options Options) (*Log, error) {
	options = options.withDefaults()
	lock, err := acquire(options.Path)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	l := &Log{options: options, lock: lock}
	if err = l.load(); err == nil {
		err = l.remember(options.Key.EncodeHead(l.durable))
	}
	l.head.saved = options.Clock()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open audit log: %w", err), l.release())
	}
	return l, nil
}

func (o Options) withDefaults() Options {
	if o.SegmentSize == 0 {
		o.SegmentSize = DefaultSegmentSize
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Steady == nil {
		o.Steady = o.Clock
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.files == nil {
		o.files = osFile
	}
	return o
}

// Close makes all records durable and closes the files.
func (l *Log) Close() error {
	if l.inMemory() {
		return nil
	}
	l.mu.Lock()
	seq := l.last.Seq
	l.mu.Unlock()
	err := l.sync(seq)
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	l.closed = errors.Join(l.closed, os.ErrClosed)
	l.mu.Unlock()
	l.saving.Lock()
	defer l.saving.Unlock()
	return errors.Join(err, l.remember(l.options.Key.EncodeHead(l.durable)), l.release())
}

// release closes the files and gives up the lock.
func (l *Log) release() error {
	var problems []error
	if l.file != nil {
		problems = append(problems, l.file.Close())
	}
	if l.head.file != nil {
		problems = append(problems, l.head.file.Close())
	}
	return errors.Join(append(problems, l.lock.Close())...)
}
