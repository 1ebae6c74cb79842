package auditlog

import (
	"fmt"
	"time"

	"regain/recovery"
)

// issuedFor is how long after its pass a transaction is remembered: twice as long as one can live, since clocks are
// set back now and then.
const issuedFor = 2 * recovery.MaxLifetime

// issued knows the transactions whose pass is in the log.
type issued struct {
	since time.Time // it knows of every pass since then
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
		i.since = since
	}
}

// ErrForgotten means that the log does not reach back to the beginning of a transaction.
var ErrForgotten = fmt.Errorf("the audit log does not reach back to the beginning of this recovery, so it cannot say whether its pass was issued: start another one: %w", recovery.ErrRedeemed)

// Issued reports whether a pass of the transaction, which was started at started, is in the log already: a copy of the
// store that was put back forgets it, the log does not.
func (l *Log) Issued(id recovery.TransactionID, started time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, found := l.issued.at[id]; found {
		return true, nil
	}
	if started.Before(l.issued.since) {
		return false, ErrForgotten
	}
	return false, nil
}
