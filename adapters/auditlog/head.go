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
	file file
	held identity // of file
	slot int64    // 0 or 1, the one to write next

	// Of what is kept elsewhere, guarded by Log.mu.
	unkept  string    // the newest head, until it is kept
	saved   time.Time // when one was last kept, or about to be; zero while the log is opened
	waiting bool      // a timer runs that will keep one
}

// often is how old the head that is kept elsewhere becomes at most, while the store answers.
const often = 10 * time.Second

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

// rememberSoon keeps the head elsewhere too, within ten seconds: it costs no recovery anything, and what is kept is the least
// that the log must hold. The caller holds syncing.
func (l *Log) rememberSoon(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head.saved.IsZero() { // Open keeps it, before there is anything else
		return
	}
	l.head.unkept = line
	now := l.options.Clock()
	wait := often - now.Sub(l.head.saved)
	if wait <= 0 {
		l.head.saved = now
		go l.keep()
		return
	}
	l.keepIn(wait)
}

// keepIn keeps the newest head after a while, unless somebody waits for that already. The caller holds mu.
func (l *Log) keepIn(wait time.Duration) {
	if l.head.waiting {
		return
	}
	l.head.waiting = true
	time.AfterFunc(wait, func() {
		l.mu.Lock()
		l.head.waiting, l.head.saved = false, l.options.Clock()
		l.mu.Unlock()
		l.keep()
	})
}

// keep keeps the newest head elsewhere, if that was not done yet. What cannot be kept is tried again.
func (l *Log) keep() {
	l.saving.Lock()
	defer l.saving.Unlock()
	l.mu.Lock()
	line := l.head.unkept
	if errors.Is(l.closed, os.ErrClosed) { // Close keeps a later one, and of a log that was shut this is the last
		line = ""
	}
	l.head.unkept = ""
	l.mu.Unlock()
	if line == "" {
		return
	}
	err := l.remember(line)
	if err == nil {
		return
	}
	l.options.Logger.Warn("the audit log's head was not kept in the store", "cause", err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head.unkept == "" {
		l.head.unkept = line
	}
	l.keepIn(often)
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
