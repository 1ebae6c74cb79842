package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"regain/internal/config"
	"regain/internal/plan"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/mongo"
)

// How long a node looks through its store: at the start, where it must not keep people waiting, and while it serves.
const (
	surveyAtStart = 5 * time.Second
	surveyTime    = time.Minute
)

// surveyedBy returns the first of the stores that can be looked through; nil if there is none.
func surveyedBy(stores ...storage.Store) storage.Surveyed {
	for _, store := range stores {
		if surveyed, ok := store.(storage.Surveyed); ok {
			return surveyed
		}
	}
	return nil
}

// checkKeys refuses to go on without an encryption key that records need: whoever's they are would meet an error in the
// middle of a recovery. What takes too long to find out is told, and stops nothing: a record of a missing key is refused by
// itself.
func (n *Node) checkKeys(deps Deps) error {
	ctx, cancel := context.WithTimeout(context.Background(), surveyAtStart)
	defer cancel()
	ring := n.loaded.Secrets.Keyring
	look := func(store storage.Surveyed) error {
		err := missing(ctx, store, ring)
		if errors.Is(err, context.DeadlineExceeded) {
			deps.Logger.Warn("the store was not looked through for records of keys that are not in secrets.encryption_keys: `regain keys status` does that", "cause", err)
			return nil
		}
		return err
	}
	switch {
	case !deps.ReadOnly && n.surveyed != nil:
		return look(n.surveyed)
	case deps.ReadOnly && n.cfg.Storage.Backend == "mongo": // and to look at a file takes its lock
		return lookAt(ctx, n.cfg.Storage, deps.Clock, look)
	}
	return nil
}

// missing reports which keys records need that the ring does not have.
func missing(ctx context.Context, store storage.Surveyed, ring *storage.Keyring) error {
	needs, err := storage.Needs(ctx, store, ring.IDs())
	if err != nil {
		return err
	}
	var found config.Problems
	for ; len(needs) > 0; needs = needs[1:] {
		key := needs[0].Key
		same := slices.IndexFunc(append(needs, storage.Need{}), func(other storage.Need) bool { return other.Key != key })
		found.Add(fmt.Errorf("secrets.encryption_keys: the key %s is not there, and records need it (%s): put it back, behind the key that is used; if it is lost, `regain keys forget %s --config FILE` removes them",
			key, describe(needs[:same]), key))
		needs = needs[same-1:]
	}
	return found.Err()
}

// describe lists what needs a key.
func describe(needs []storage.Need) string {
	var parts []string
	for _, need := range needs {
		until := "without an end"
		if !need.Until.IsZero() {
			until = "until " + need.Until.UTC().Format(time.RFC3339)
		}
		parts = append(parts, fmt.Sprintf("%d %s %s", need.Records, need.Kind, until))
	}
	return strings.Join(parts, ", ")
}

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
	n := &Node{}
	defer func() { err = errors.Join(err, n.Close()) }()
	store, err := n.openStore(cfg.Storage, ring, deps)
	if err != nil {
		return 0, err
	}
	if n.surveyed == nil {
		return 0, fmt.Errorf("storage.backend %s: cannot be looked through", cfg.Storage.Backend)
	}
	return storage.Forget(ctx, n.surveyed, store, lost)
}

// reloadEncryption takes over encryption keys that were announced, are used now, or were retired. One that records still
// need is not let go.
func (n *Node) reloadEncryption() error {
	ring, err := plan.ReadKeyring(n.cfg.Secrets.Encryption)
	if err != nil {
		return err
	}
	now := n.loaded.Secrets.Keyring
	retired := slices.ContainsFunc(now.IDs(), func(id storage.KeyID) bool { return !slices.Contains(ring.IDs(), id) })
	if retired && n.surveyed != nil {
		ctx, cancel := context.WithTimeout(context.Background(), surveyTime)
		defer cancel()
		if err := missing(ctx, n.surveyed, ring); err != nil {
			return err
		}
	}
	now.Replace(ring)
	return nil
}

// tendKeys seals anew what never ends, with the key that is used now, and logs what still needs another one, so that an
// operator knows when it can be retired.
func (n *Node) tendKeys(logger *slog.Logger) {
	ring := n.loaded.Secrets.Keyring
	ids := ring.IDs()
	if len(ids) < 2 || n.surveyed == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), surveyTime)
	defer cancel()
	if err := n.reseal(ctx, ring); err != nil {
		logger.Warn("records that never end were not sealed anew with the encryption key that is used; it is tried again tomorrow and at SIGHUP", "cause", err)
	}
	needs, err := storage.Needs(ctx, n.surveyed, ids[:1])
	if err != nil {
		logger.Warn("it is not known which encryption keys are needed", "cause", err)
		return
	}
	for _, id := range ids[1:] {
		mine := slices.DeleteFunc(slices.Clone(needs), func(need storage.Need) bool { return need.Key != id })
		needed := describe(mine)
		if len(mine) == 0 {
			needed = "by nothing: take it out when every node uses " + ids[0].String()
		}
		logger.Info("encryption keys", "used", ids[0].String(), "key", id.String(), "needed", needed)
	}
}

func (n *Node) reseal(ctx context.Context, ring *storage.Keyring) error {
	for _, c := range n.closers { // the sum of a file is no record
		if file, ok := c.(*bolt.Store); ok {
			if err := file.Reseal(); err != nil {
				return err
			}
		}
	}
	_, err := storage.Reseal(ctx, n.surveyed, n.store, ring)
	return err
}
