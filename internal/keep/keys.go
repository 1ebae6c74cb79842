package keep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"regain/internal/config"
	"regain/storage"
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
func (k *Kept) checkKeys(cfg config.StorageConfig) error {
	ctx, cancel := context.WithTimeout(context.Background(), surveyAtStart)
	defer cancel()
	look := func(store storage.Surveyed) error {
		err := missing(ctx, store, k.keys)
		if errors.Is(err, context.DeadlineExceeded) {
			k.deps.Logger.Warn("the store was not looked through for records of keys that are not in secrets.encryption_keys: `regain keys status` does that", "cause", err)
			return nil
		}
		return err
	}
	switch {
	case !k.deps.ReadOnly && k.surveyed != nil:
		return look(k.surveyed)
	case k.deps.ReadOnly && cfg.Backend == "mongo": // and to look at a file takes its lock
		return lookAt(ctx, cfg, k.deps.Clock, look)
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

// ReplaceKeys takes over encryption keys that were announced, are used now, or were retired. One that records still need is
// not let go.
func (k *Kept) ReplaceKeys(keys *storage.Keyring) error {
	retired := slices.ContainsFunc(k.keys.IDs(), func(id storage.KeyID) bool { return !slices.Contains(keys.IDs(), id) })
	if retired && k.surveyed != nil {
		ctx, cancel := context.WithTimeout(context.Background(), surveyTime)
		defer cancel()
		if err := missing(ctx, k.surveyed, keys); err != nil {
			return err
		}
	}
	k.keys.Replace(keys)
	return nil
}

// UsedKey is the encryption key that seals.
func (k *Kept) UsedKey() storage.KeyID { return k.keys.IDs()[0] }

// TendKeys seals anew what never ends, with the key that is used now, and logs what still needs another one, so that an
// operator knows when it can be retired.
func (k *Kept) TendKeys() {
	ids, logger := k.keys.IDs(), k.deps.Logger
	if len(ids) < 2 || k.surveyed == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), surveyTime)
	defer cancel()
	if err := k.reseal(ctx); err != nil {
		logger.Warn("records that never end were not sealed anew with the encryption key that is used; it is tried again tomorrow and at SIGHUP", "cause", err)
	}
	needs, err := storage.Needs(ctx, k.surveyed, ids[:1])
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

func (k *Kept) reseal(ctx context.Context) error {
	if k.resealed != nil { // the sum of a file is no record
		if err := k.resealed.Reseal(); err != nil {
			return err
		}
	}
	_, err := storage.Reseal(ctx, k.surveyed, k.Store, k.keys)
	return err
}
