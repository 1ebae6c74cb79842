package auditlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"regain/adapters/auditlog/segments"
	"regain/recovery/chain"
)

// ErrUnseen means that the log has records, and nothing says what this node knew of its store.
var ErrUnseen = errors.New("what this node knew of its store is missing beside the audit log")

// LoadSeen returns what this node knew last of its store; nothing before the first record, or for a log in memory. What is
// missing or not of this key is ErrUnseen: somebody who puts back an older store could have removed it.
func (l *Log) LoadSeen() (chain.Seen, error) {
	if l.inMemory() {
		return chain.Seen{}, nil
	}
	l.mu.Lock()
	records := l.last.Seq
	l.mu.Unlock()
	const longest = 256
	file, err := os.Open(segments.SeenPath(l.options.Path))
	switch {
	case errors.Is(err, fs.ErrNotExist) && records == 0:
		return chain.Seen{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return chain.Seen{}, ErrUnseen
	case err != nil:
		return chain.Seen{}, fmt.Errorf("read what this node knew of its store: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	line, err := io.ReadAll(io.LimitReader(file, longest))
	if err != nil {
		return chain.Seen{}, fmt.Errorf("read what this node knew of its store: %w", err)
	}
	seen, err := l.options.Key.ParseSeen(string(line))
	if err != nil {
		return seen, errors.Join(ErrUnseen, err)
	}
	return seen, nil
}

// SaveSeen keeps what this node knows of its store, durably: a crash leaves this or what was there before.
func (l *Log) SaveSeen(seen chain.Seen) error {
	if l.inMemory() {
		return nil
	}
	path := segments.SeenPath(l.options.Path)
	next, err := l.options.files(path+segments.NewEnding, os.O_CREATE|os.O_WRONLY|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("keep what this node knows of its store: %w", err)
	}
	_, err = io.WriteString(next, l.options.Key.EncodeSeen(seen))
	if err = errors.Join(err, next.Sync(), next.Close()); err == nil {
		err = os.Rename(path+segments.NewEnding, path)
	}
	if err == nil {
		err = l.syncDirectory()
	}
	if err != nil {
		return fmt.Errorf("keep what this node knows of its store: %w", err)
	}
	return nil
}
