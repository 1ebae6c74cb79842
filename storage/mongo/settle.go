package mongo

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"regain/storage"
)

const (
	// attempts bounds how often one call goes round. Sixty-four callers of one counter need a few.
	attempts = 100
	// share is how much of a call's time one attempt may take, so that there is another one after a stall.
	share     = 3
	pauseFrom = 2 * time.Millisecond
	pauseMost = 200 * time.Millisecond
)

// errForgotten means that the document does not tell any more what became of an earlier command.
var errForgotten = errors.New("too much has happened to the record since")

// errAgain means that the state is not what was read: it has to be read again.
var errAgain = errors.New("the record is changed by too many others at once")

// newOperation returns an operation id.
func newOperation() (int64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("draw an operation id: %w", err)
	}
	return int64(binary.BigEndian.Uint64(b[:])>>1 | 1), nil //nolint:gosec // 63 bits; not 0, which is none
}

// settle runs step until it has settled what became of the call: maybe tells it that an earlier command may have been
// carried out.
func (s *Store) settle(ctx context.Context, what string, step func(ctx context.Context, maybe bool) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mongo store: %s: %w", what, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	maybe := false
	var last error
	for n := range attempts {
		if n > 0 && !pause(ctx, n) {
			break
		}
		var sent sending
		err := s.attempt(ctx, &sent, func(ctx context.Context) error { return step(ctx, maybe) })
		if err == nil || settled(err) {
			return err
		}
		maybe = maybe || sent.unanswered.Load() && !refused(err) || halfDone(err)
		if last == nil || !errors.Is(err, context.DeadlineExceeded) { // that the time is over says less than why it took so long
			last = err
		}
		if hopeless(err) || errors.Is(err, errForgotten) {
			break
		}
	}
	if maybe {
		return fmt.Errorf("mongo store: %s: %w: %w", what, storage.ErrUncertain, s.scrub(last))
	}
	return fmt.Errorf("mongo store: %s: %w", what, s.scrub(last))
}

func (s *Store) attempt(ctx context.Context, sent *sending, step func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, sendingKey{}, sent), s.timeout/share)
	defer cancel()
	return step(ctx)
}

// settled reports whether an error is an answer.
func settled(err error) bool {
	return slices.ContainsFunc([]error{storage.ErrNotFound, storage.ErrExists, storage.ErrConflict, storage.ErrOver}, func(answer error) bool { return errors.Is(err, answer) })
}

// pause waits a little longer each time, and reports whether there is time left.
func pause(ctx context.Context, n int) bool {
	longest := min(pauseFrom<<min(n, 10), pauseMost) //nolint:mnd // far enough to reach pauseMost
	timer := time.NewTimer(mathrand.N(longest))      //nolint:gosec // only keeps callers apart
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

type sendingKey struct{}

// sending notes whether a write left for the server and had no answer. An error of the driver alone does not tell: that of
// a connection that could not be made is like that of one that broke.
type sending struct{ unanswered atomic.Bool }

// monitor notes what is sent.
func monitor() *event.CommandMonitor {
	note := func(ctx context.Context, command string, unanswered bool) {
		if sent, ok := ctx.Value(sendingKey{}).(*sending); ok && slices.Contains([]string{"insert", "update", "findAndModify"}, command) {
			sent.unanswered.Store(unanswered)
		}
	}
	return &event.CommandMonitor{
		Started:   func(ctx context.Context, e *event.CommandStartedEvent) { note(ctx, e.CommandName, true) },
		Succeeded: func(ctx context.Context, e *event.CommandSucceededEvent) { note(ctx, e.CommandName, false) },
	}
}

// halfDone reports whether a write was carried out by the primary, and not yet by a majority: it may be rolled back.
func halfDone(err error) bool {
	var write mongo.WriteException
	return errors.As(err, &write) && write.WriteConcernError != nil
}

// The server's codes (mongo, src/mongo/base/error_codes.yml) that say that a command was not carried out. Those that come
// from the middle of something, such as a primary that steps down, are not among them.
const (
	codeBadValue         = 2
	codeFailedToParse    = 9
	codeUnauthorized     = 13
	codeTypeMismatch     = 14
	codeAuthFailed       = 18
	codeIllegalOperation = 20
	codeNamespace        = 26
	codeCommandNotFound  = 59
	codeShardKeyNotFound = 61
	codeInvalidOptions   = 72
	codeWriteConflict    = 112
	codeValidation       = 121
	codeNotWritable      = 10107
	codeTooLarge         = 10334
	codeDuplicate        = 11000
	codeNoDiskSpace      = 14031
	codeAtlas            = 8000 // of MongoDB Atlas: credentials or quota
)

// refused reports whether the server said that it did not carry out a command.
func refused(err error) bool {
	return has(err, codeWriteConflict, codeNotWritable, codeDuplicate) || hopeless(err)
}

// hopeless reports whether to try again is of no use.
func hopeless(err error) bool {
	return has(err, codeBadValue, codeFailedToParse, codeUnauthorized, codeTypeMismatch, codeAuthFailed, codeIllegalOperation, codeNamespace,
		codeCommandNotFound, codeShardKeyNotFound, codeInvalidOptions, codeValidation, codeTooLarge, codeNoDiskSpace, codeAtlas) ||
		errors.Is(err, mongo.ErrClientDisconnected) || errors.Is(err, errDamaged)
}

func has(err error, codes ...int) bool {
	var answer mongo.ServerError
	return errors.As(err, &answer) && slices.ContainsFunc(codes, answer.HasErrorCode)
}
