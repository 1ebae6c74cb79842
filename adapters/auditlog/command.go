package auditlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/internal/holder"
	"regain/recovery/chain"
)

// RotateFile begins a new segment of the log at options.Path and returns its head: it asks the node that writes to it,
// or does it itself where none is running.
func RotateFile(ctx context.Context, options Options) (chain.Head, error) {
	if err := CheckOwner(options.Path); err != nil {
		if written(options.Path) {
			return askToRotate(ctx, options)
		}
		return chain.Head{}, err
	}
	log, err := Open(options)
	switch {
	case errors.Is(err, ErrLocked):
		return askToRotate(ctx, options)
	case err != nil:
		return chain.Head{}, err
	}
	if err := log.Rotate(); err != nil {
		return chain.Head{}, errors.Join(err, log.Close())
	}
	return log.last, log.Close()
}

// askToRotate asks by a file and SIGHUP, which a node also gets for other reasons, and waits until the head says that it
// was done.
func askToRotate(ctx context.Context, options Options) (chain.Head, error) {
	before, err := segments.ReadHead(options.Path, options.Key)
	if err != nil && !errors.Is(err, segments.ErrNoHead) { // which the node makes anew
		return before, err
	}
	pid, err := holder.Ask(lockPath(options.Path), options.Path+segments.RotateEnding)
	if err != nil {
		return before, fmt.Errorf("ask the node to rotate: %w", err)
	}
	const patience, pause = 10 * time.Second, 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if head, _ := segments.ReadHead(options.Path, options.Key); head.Segment > before.Segment { // it may be torn now
			return head, nil
		}
		select {
		case <-ctx.Done():
			return before, fmt.Errorf("process %d did not rotate the audit log; its own log says why: %w", pid, ctx.Err())
		case <-time.After(pause):
		}
	}
}
