package auditlog

import (
	"errors"
	"fmt"
	"time"

	"regain/recovery"
)

// issuedFor is how long after its pass a transaction is remembered: twice as long as one can live, since clocks are
// set back now and then.
const issuedFor = 2 * recovery.MaxLifetime

// issued knows the transactions whose pass is in the log.
type issued struct {
	since time.Time // it knows of every pass since then, but for those that are still being read
	young bool      // since is when the log was begun, with nothing before it
	at    map[recovery.TransactionID]time.Time
	swept time.Time
}

// note takes the event of a pass that is in the log.
func (i *issued) note(event recovery.Event, now time.Time) {
	if i.at == nil {
		i.at = make(map[recovery.TransactionID]time.Time)
	}
	i.at[event.Transaction] = event.Time
	if now.Sub(i.swept) < time.Minute {
		return
	}
	i.swept = now
	since := now.Add(-issuedFor)
	for id, at := range i.at {
		if at.Before(since) {
			delete(i.at, id)
		}
	}
	if i.since.Before(since) {
		i.since, i.young = since, false
	}
}

// reaches notes that every pass since then is known, but for those that were forgotten meanwhile.
func (i *issued) reaches(since time.Time, young bool) {
	if forgotten := i.swept.Add(-issuedFor); since.Before(forgotten) {
		since, young = forgotten, false
	}
	i.since, i.young = since, young
}

// ErrForgotten means that the log does not reach back to the beginning of a transaction.
var ErrForgotten = fmt.Errorf("the audit log does not reach back to the beginning of this recovery, so it cannot say whether its pass was issued: start another one: %w", recovery.ErrRedeemed)

// ErrYoung is ErrForgotten where the log was begun after the transaction, as the first of its node and not after a loss. There is
// no log before it that could have the pass.
var ErrYoung = fmt.Errorf("this log is younger: %w", ErrForgotten)

// Issued reports whether a pass of the transaction, which was started at started, is in the log already: a copy of the
// store that was put back forgets it, the log does not. Shortly after Open it may wait until the older segments were read.
func (l *Log) Issued(id recovery.TransactionID, started time.Time) (bool, error) {
	found, err := l.knows(id, started)
	if !errors.Is(err, ErrForgotten) {
		return found, err
	}
	l.awaitOlder()
	return l.knows(id, started)
}

func (l *Log) knows(id recovery.TransactionID, started time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, found := l.issued.at[id]; found {
		return true, nil
	}
	switch {
	case !started.Before(l.issued.since):
		return false, nil
	case l.issued.young:
		return false, ErrYoung
	}
	return false, ErrForgotten
}

// Recent returns the transactions whose pass came into the log lately enough to be told to others, as far as is known now:
// at a start, those of the segments that were read.
func (l *Log) Recent() []recovery.TransactionID {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := l.options.Steady().Add(-issuedFor)
	var recent []recovery.TransactionID
	for id, at := range l.issued.at {
		if at.After(since) {
			recent = append(recent, id)
		}
	}
	return recent
}
