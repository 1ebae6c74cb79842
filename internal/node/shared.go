package node

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"regain/storage"
)

// polled is a shared store that logs when it cannot be asked for the changes of other nodes, and when it can be again: the
// pages that wait for them show nothing of it.
type polled struct {
	storage.Shared
	logger  *slog.Logger
	failing atomic.Bool
}

// loggedShared returns shared with a log, nil for nil.
func loggedShared(shared storage.Shared, logger *slog.Logger) storage.Shared {
	if shared == nil {
		return nil
	}
	return &polled{Shared: shared, logger: logger}
}

// Versions implements storage.Shared.
func (p *polled) Versions(ctx context.Context, kind storage.Kind, ids []string) (map[string]int64, error) {
	versions, err := p.Shared.Versions(ctx, kind, ids)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the last page went away, which is no answer of the store's
	case err != nil && !p.failing.Swap(true):
		p.logger.Error("the store does not tell of changes by other nodes; live pages hear of this node's alone", "cause", err)
	case err == nil && p.failing.Swap(false):
		p.logger.Info("the store tells of changes by other nodes again")
	}
	return versions, err
}
