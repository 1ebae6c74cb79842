package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Trace is what can be told of a record without any key: whose seal it has, and until when somebody may want to open it.
type Trace struct {
	Kind      Kind
	ID        string
	ExpiresAt time.Time // the zero time for never
	Key       KeyID
}

// Surveyed is what a Store implements besides whose records can all be looked through. It reads the beginning of their data
// alone. It takes as long as there are records, and shows no single moment: what is written meanwhile may be missing.
type Surveyed interface {
	// Survey calls see with every record that exists, but those that were sealed by one of these keys. An error of see
	// ends it, and so does the end of ctx; the error is then that of see or ctx. see must not use the store.
	Survey(ctx context.Context, but []KeyID, see func(Trace) error) error
}

// TraceOf returns the trace of a record, and whether a survey shows it: not if nothing sealed its data, if it is over, or if one
// of these keys sealed it.
func TraceOf(r Record, now time.Time, but []KeyID) (t Trace, shown bool) {
	id, sealed := SealedBy(r.Data)
	return Trace{Kind: r.Kind, ID: r.ID, ExpiresAt: r.ExpiresAt, Key: id}, sealed && !r.Expired(now) && !slices.Contains(but, id)
}

// Need says how many records of a kind need a key.
type Need struct {
	Key     KeyID
	Kind    Kind
	Records int
	Until   time.Time // when the last of them ends; the zero time for never
}

// Needs counts the records of a store that need other keys than these, by key and kind.
func Needs(ctx context.Context, store Surveyed, but []KeyID) ([]Need, error) {
	type place struct {
		key  KeyID
		kind Kind
	}
	counted := make(map[place]*Need)
	err := store.Survey(ctx, but, func(t Trace) error {
		at := place{t.Key, t.Kind}
		n := counted[at]
		if n == nil {
			n = &Need{Key: t.Key, Kind: t.Kind, Until: t.ExpiresAt}
			counted[at] = n
		}
		n.Records++
		if t.ExpiresAt.IsZero() || !n.Until.IsZero() && t.ExpiresAt.After(n.Until) {
			n.Until = t.ExpiresAt
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the records that need each key: %w", err)
	}
	needs := make([]Need, 0, len(counted))
	for _, n := range counted {
		needs = append(needs, *n)
	}
	slices.SortFunc(needs, func(a, b Need) int {
		return cmp.Or(slices.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.Kind, b.Kind))
	})
	return needs, nil
}

// Reseal seals with the first key what another key of the ring sealed and never ends, so that the other one can be retired
// some time. What does end is left alone: it is changed often, and soon gone. store is the sealed store over the one that is
// surveyed. A record that somebody changes meanwhile is passed over, since that seals it too. Reseal returns how many it
// sealed.
func Reseal(ctx context.Context, surveyed Surveyed, store Store, ring *Keyring) (sealed int, err error) {
	ids := ring.IDs()
	var found []Trace // collected first, since the store must not be used meanwhile
	err = surveyed.Survey(ctx, ids[:1], func(t Trace) error {
		if t.ExpiresAt.IsZero() && slices.Contains(ids, t.Key) {
			found = append(found, t)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("look for records to seal anew: %w", err)
	}
	for _, t := range found {
		r, err := store.Get(ctx, t.Kind, t.ID)
		if err == nil {
			err = store.Update(ctx, r)
		}
		switch {
		case err == nil:
			sealed++
		case !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound):
			return sealed, fmt.Errorf("seal %s anew: %w", t.Kind, err)
		}
	}
	return sealed, nil
}

// Forget removes every record that needs a key that is lost, and returns how many. Nobody can read them any more.
func Forget(ctx context.Context, surveyed Surveyed, store Store, lost KeyID) (removed int, err error) {
	var found []Trace
	err = surveyed.Survey(ctx, nil, func(t Trace) error {
		if t.Key == lost {
			found = append(found, t)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("look for records of the key %s: %w", lost, err)
	}
	for _, t := range found {
		if err := store.Delete(ctx, t.Kind, t.ID); err != nil {
			return removed, fmt.Errorf("remove %s: %w", t.Kind, err)
		}
		removed++
	}
	return removed, nil
}
