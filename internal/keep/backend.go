package keep

import (
	"errors"
	"fmt"
	"io"

	"regain/internal/config"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/memory"
)

// What a backend may be besides a store.
type (
	// reachable knows whether it can be reached, without trying.
	reachable interface{ Reachable() error }
	// resealed seals something that is no record, with the key that is used now.
	resealed interface{ Reseal() error }
)

// openStore opens a store and puts the layers over it, from the backend up.
func openStore(cfg config.StorageConfig, keys *storage.Keyring, deps Deps) (*Kept, error) {
	backend, err := openBackend(cfg, keys, deps)
	if err != nil {
		return nil, err
	}
	k := &Kept{deps: deps, keys: keys, closers: []io.Closer{backend}}
	k.offerCopies(cfg.Path, backend)
	k.resealed, _ = backend.(resealed)
	layer := backend
	if deps.Wrap != nil {
		layer = deps.Wrap(layer)
	}
	k.shared = sharedBy(deps.Logger, layer, backend)
	k.surveyed = surveyedBy(layer, backend)
	known, _ := backend.(reachable)
	if cfg.Backend == "file" {
		disk := &disk{logger: deps.Logger, after: stallAfter}
		layer, known = storage.Around{Store: layer, Pass: disk.pass}, disk
	}
	if layer, err = k.seal(layer, cfg.Backend); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	k.watched = watching(layer, deps)
	if known != nil {
		k.watched.reach = known.Reachable
	}
	k.Store = storage.Guard(k.watched)
	return k, nil
}

// CheckStorage tells the mistakes of what is written of a store. It opens nothing.
func CheckStorage(cfg config.StorageConfig) error {
	switch cfg.Backend {
	case "memory":
	case "file":
		if cfg.Path == "" {
			return errors.New("storage.path: name a file, or set storage.backend to memory")
		}
	case "mongo":
		_, err := MongoConfig(cfg.Mongo)
		return err
	default:
		return fmt.Errorf("storage.backend %q: use memory, file or mongo", cfg.Backend)
	}
	return nil
}

// openBackend opens a backend, or looks whether it could be opened.
func openBackend(cfg config.StorageConfig, keys *storage.Keyring, deps Deps) (backend storage.Store, err error) {
	if err := CheckStorage(cfg); err != nil {
		return nil, err
	}
	switch cfg.Backend {
	case "file":
		backend, err = openFile(cfg.Path, keys, deps)
	case "mongo":
		backend, err = openMongo(cfg.Mongo, deps)
	default:
		backend, err = memory.New(deps.Clock)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return backend, nil
}

// openFile opens the file store, or looks whether it could be opened.
func openFile(path string, keys *storage.Keyring, deps Deps) (storage.Store, error) {
	if !deps.ReadOnly {
		return bolt.Open(path, deps.Clock, keys)
	}
	if err := errors.Join(checkWritten(path), bolt.Inspect(path)); err != nil {
		return nil, err
	}
	return memory.New(deps.Clock)
}

// seal has the records of a backend encrypted.
func (k *Kept) seal(backend storage.Store, kind string) (storage.Store, error) {
	sealed, err := storage.NewSealed(backend, k.keys)
	if err != nil {
		return nil, err
	}
	if k.deps.ReadOnly || kind == "memory" { // the one is not served from, and the other cannot be put back to an older copy
		return sealed, nil
	}
	plain, err := storage.NewSealed(backend, k.keys)
	if err != nil {
		return nil, err
	}
	k.guard = k.newGuard(plain)
	return sealed.Under(k.guard), nil
}
