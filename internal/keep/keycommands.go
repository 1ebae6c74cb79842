package keep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"regain/internal/config"
	"regain/internal/plan"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/mongo"
)

// lookAt shows a store without changing it, while a node runs on it where that can be.
func lookAt(ctx context.Context, cfg config.StorageConfig, clock func() time.Time, look func(storage.Surveyed) error) error {
	switch cfg.Backend {
	case "file":
		err := look(bolt.Stopped{Path: cfg.Path, Clock: clock})
		if errors.Is(err, bolt.ErrInUse) {
			return fmt.Errorf("%w: a node that runs logs the same when it gets SIGHUP (\"encryption keys\"); or stop it first", err)
		}
		return err
	case "mongo":
		database, err := MongoConfig(cfg.Mongo)
		if err != nil {
			return err
		}
		return mongo.Look(ctx, database, clock, look)
	}
	return fmt.Errorf("storage.backend %s: keeps its records in the node: it logs which keys they need when it gets SIGHUP", cfg.Backend)
}

// KeyUse says what a store needs of the encryption keys of a configuration.
type KeyUse struct {
	Keys  []storage.KeyID // of secrets.encryption_keys; the first one seals
	Needs []storage.Need  // by key and kind, also of keys that are not there
}

// Keys looks through the store that a configuration names. It changes nothing.
func Keys(ctx context.Context, cfg config.Config, clock func() time.Time) (use KeyUse, err error) {
	ring, err := plan.ReadKeyring(cfg.Secrets.Encryption)
	if err != nil {
		return use, err
	}
	use.Keys = ring.IDs()
	err = lookAt(ctx, cfg.Storage, clock, func(store storage.Surveyed) (err error) {
		use.Needs, err = storage.Needs(ctx, store, nil)
		return err
	})
	return use, config.Keyed("storage", err)
}

// ForgetKey removes every record that was sealed by a key that is lost, and returns how many.
func ForgetKey(ctx context.Context, cfg config.Config, lost storage.KeyID, deps Deps) (removed int, err error) {
	ring, err := plan.ReadKeyring(cfg.Secrets.Encryption)
	if err != nil {
		return 0, err
	}
	if slices.Contains(ring.IDs(), lost) {
		return 0, fmt.Errorf("the key %s is in secrets.encryption_keys, and opens its records: take it out first if they are to go", lost)
	}
	k, err := openStore(cfg.Storage, ring, deps)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	if k.surveyed == nil {
		return 0, fmt.Errorf("storage.backend %s: cannot be looked through", cfg.Storage.Backend)
	}
	return storage.Forget(ctx, k.surveyed, k.Store, lost)
}
