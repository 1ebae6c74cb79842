package node

import (
	"errors"
	"fmt"

	"regain/adapters/proofing"
	"regain/internal/config"
	"regain/provider/journey"
	"regain/provider/keys"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/memory"
)

func (n *Node) openStore(cfg config.StorageConfig, ring *storage.Keyring, deps Deps) (storage.Store, error) {
	var backend storage.Store
	var err error
	switch cfg.Backend {
	case "memory":
		backend, err = memory.New(deps.Clock)
	case "file":
		if cfg.Path == "" {
			return nil, errors.New("storage.path: name a file, or set storage.backend to memory")
		}
		backend, err = openFile(cfg.Path, ring, deps)
	case "mongo":
		backend, err = openMongo(cfg.Mongo, deps)
	default:
		return nil, fmt.Errorf("storage.backend %q: use memory, file or mongo", cfg.Backend)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	n.closers = append(n.closers, backend)
	inner := backend
	if deps.Wrap != nil {
		backend = deps.Wrap(backend)
	}
	n.shared = sharedBy(deps.Logger, backend, inner)
	sealed, err := storage.NewSealed(backend, ring)
	if err != nil {
		return nil, err
	}
	plain, err := storage.NewSealed(backend, ring)
	if err != nil {
		return nil, err
	}
	n.store = &watchedStore{Store: n.guarded(sealed, plain, deps), logger: deps.Logger, clock: deps.Clock}
	return storage.Guarded{Store: n.store}, nil
}

// openFile opens the file store, or looks whether it could be opened.
func openFile(path string, ring *storage.Keyring, deps Deps) (storage.Store, error) {
	if !deps.ReadOnly {
		return bolt.Open(path, deps.Clock, ring)
	}
	if err := errors.Join(checkWritten(path), bolt.Inspect(path)); err != nil {
		return nil, err
	}
	return memory.New(deps.Clock)
}

func newProofing(cfg config.Config, signer *keys.Ring, deps Deps) (map[string]journey.Proofing, error) {
	var found config.Problems
	providers := make(map[string]journey.Proofing, len(cfg.Proofing))
	for i, p := range cfg.Proofing {
		adapter, err := proofing.New(proofing.Config{
			Name: p.DisplayName, StartURL: p.StartURL, Issuer: cfg.Issuer, OrgID: cfg.Organisation,
			Minter: signer, Clock: deps.Clock, Random: deps.Random,
		})
		found.Add(config.Keyed(fmt.Sprintf("proofing[%d]", i), err))
		providers[p.Name] = adapter
	}
	return providers, found.Err()
}
