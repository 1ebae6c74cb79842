package keep

import (
	"log/slog"

	"regain/storage"
)

// SharedBy is the first of the stores that other nodes may write to.
func SharedBy(logger *slog.Logger, stores ...storage.Store) storage.Shared {
	return sharedBy(logger, stores...)
}
