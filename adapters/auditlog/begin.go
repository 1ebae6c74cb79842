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
	head, _ := segments.ReadHead(path, key) // it may be missing, torn, or of another key
	kept, err := l.kept()
	if err != nil {
		return err
	}
	active, _ := segments.Scan(path, key) // as far as it is whole
	if err := l.putAway(active); err != nil {
		return err
	}
	return l.start(key.Begin(segments.Later(active.Last, segments.Later(head, kept)), l.options.Clock(), true))
}

// putAway frees the log's name.
func (l *Log) putAway(active segments.Scanned) error {
	path := l.options.Path
	if free, err := vacant(os.Stat(path)); free || err != nil {
		return err
	}
	to := segments.Aside(path, active.Segment.Number)
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) || active.Segment.Number == 0 {
		to = fmt.Sprintf("%s.lost-%d", path, l.options.Clock().Unix())
	}
	return os.Rename(path, to)
}
