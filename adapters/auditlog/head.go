package auditlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/recovery/chain"
)

// headFile has room for two heads, which are written in turn: when one is torn by a crash, the one before it is whole.
type headFile struct {
	file  file
	held  identity  // of file
	slot  int64     // 0 or 1, the one to write next
	saved time.Time // when the head was last kept elsewhere
}

// openHead opens or creates the head file. The caller holds syncing, or has the log alone.
func (l *Log) openHead() error {
	head, err := l.options.files(segments.HeadPath(l.options.Path), os.O_CREATE|os.O_RDWR)
	if err != nil {
		return fmt.Errorf("open the audit log's head: %w", err)
	}
	if l.head.file != nil {
		_ = l.head.file.Close() // it may be the failing one
	}
	l.head.file, l.head.held = head, identity{}
	return nil
}

// writeHead makes the head that of the last durable record. The caller holds syncing, not mu.
func (l *Log) writeHead(last chain.Head) error {
	if err := l.headIntact(); err != nil {
		return l.shutNow(err)
	}
	line := l.options.Key.EncodeHead(last)
	if _, err := l.head.file.WriteAt([]byte(line), l.head.slot*int64(chain.HeadSize)); err != nil {
		err = fmt.Errorf("write the audit log's head: %w", err)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.fails(err) // the other head is whole, and the next attempt writes this one again
		return err
	}
	if err := l.head.file.Sync(); err != nil {
		return l.shutNow(fmt.Errorf("make the audit log's head durable: %w", err))
	}
	l.head.slot = 1 - l.head.slot
	l.durable = last
	l.recovered()
	l.rememberSoon(line)
	return nil
}

// headIntact reports whether the head file is still there.
func (l *Log) headIntact() error {
	_, same, err := l.head.held.at(l.head.file, segments.HeadPath(l.options.Path))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !same {
		return fmt.Errorf("%s was removed or replaced: %w", segments.HeadPath(l.options.Path), ErrSwapped)
	}
	if err != nil {
		return fmt.Errorf("look at the audit log's head: %w", err)
	}
	return nil
}

// rememberSoon keeps the head elsewhere too, once in ten seconds: it costs no recovery anything, and what is kept is the
// least that the log must hold. The caller holds syncing.
func (l *Log) rememberSoon(line string) {
	const often = 10 * time.Second
	now := l.options.Clock()
	if now.Sub(l.head.saved) < often {
		return
	}
	l.head.saved = now
	go func() {
		l.saving.Lock()
		defer l.saving.Unlock()
		if l.isClosed() { // Close keeps a later one
			return
		}
		if err := l.remember(line); err != nil {
			l.options.Logger.Warn("the audit log's head was not kept in the store", "cause", err)
		}
	}()
}

func (l *Log) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed != nil
}

// remember keeps a head elsewhere. The caller holds saving.
func (l *Log) remember(line string) error {
	if l.options.Remembered == nil {
		return nil
	}
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.options.Remembered.SaveHead(ctx, line); err != nil {
		return fmt.Errorf("keep the audit log's head: %w", err)
	}
	return nil
}
