package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"regain/recovery/chain"
)

// beginAfterLoss begins a segment that an administrator asked for, because something is missing or the key is a new one:
// after the latest record that anything tells of. What is at the log's path is kept beside it.
func (l *Log) beginAfterLoss() error {
	path, key := l.options.Path, l.options.Key
	head, err := ReadHead(path, key)
	if err != nil {
		head = chain.Head{} // it is missing, torn, or of another key
	}
	kept, err := l.kept()
	if err != nil {
		return err
	}
	active, err := scan(path, key)
	if err != nil && active.segment.Number == 0 {
		active = scanned{}
	}
	if err := l.putAway(active); err != nil {
		return err
	}
	return l.start(key.Begin(later(active.last, later(head, kept)), l.options.Clock(), true))
}

// putAway frees the log's name.
func (l *Log) putAway(active scanned) error {
	path := l.options.Path
	named, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && named.Size() == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	to := aside(path, active.segment.Number)
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) || active.segment.Number == 0 {
		to = fmt.Sprintf("%s.lost-%d", path, l.options.Clock().Unix())
	}
	return os.Rename(path, to)
}
