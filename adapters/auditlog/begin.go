package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"regain/adapters/auditlog/segments"
)

// beginAfterLoss begins a segment that an administrator asked for, because something is missing or the key is a new one:
// after the latest record that anything tells of. What is at the log's path is kept beside it.
func (l *Log) beginAfterLoss() error {
	path, key := l.options.Path, l.options.Key
	head, unread := segments.ReadHead(path, key) // it may be missing, torn, or of another key
	kept, err := l.kept()
	if err != nil {
		return err
	}
	active, _ := segments.Scan(path, key) // as far as it is whole
	if err := l.putAway(active, unread != nil && !errors.Is(unread, segments.ErrNoHead)); err != nil {
		return err
	}
	return l.start(key.Begin(segments.Later(active.Last, segments.Later(head, kept)), l.options.Clock(), true))
}

// putAway frees the log's name. A head that this key did not make goes along: without it nothing would say, under the key
// before, how many records there must be, and the new segment's head takes its place.
func (l *Log) putAway(active segments.Scanned, withHead bool) error {
	path := l.options.Path
	free, err := vacant(os.Stat(path))
	if err != nil {
		return err
	}
	to := segments.Aside(path, active.Segment.Number)
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) || active.Segment.Number == 0 {
		to = fmt.Sprintf("%s.lost-%d", path, l.options.Clock().Unix())
	}
	if withHead {
		if err := os.Rename(segments.HeadPath(path), segments.HeadPath(to)); err != nil {
			return err
		}
	}
	if free {
		return nil
	}
	return os.Rename(path, to)
}
