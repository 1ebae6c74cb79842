package keep

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

// sharedBy returns the first of the stores that other nodes may write to, with a log; nil if there is none. A store that wraps
// another and hides what that implements does not make it one node's own.
func sharedBy(logger *slog.Logger, stores ...storage.Store) storage.Shared {
	for _, store := range stores {
		if shared, ok := store.(storage.Shared); ok {
			return &polled{Shared: shared, logger: logger}
		}
	}
	return nil
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
