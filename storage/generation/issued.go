package generation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"regain/recovery"
	"regain/storage"
)

// keptFor is how long nodes tell each other of a pass: twice as long as a transaction can live, since clocks differ.
const keptFor = 2 * recovery.MaxLifetime

const (
	issuedGroup = "issued"
	// most is how many transactions one record names: some 100 KB.
	most = 4096
)

// issuings are the transactions that have their pass, as nodes tell each other.
type issuings struct {
	mu        sync.Mutex
	untold    []recovery.TransactionID // by this node, in order
	elsewhere map[recovery.TransactionID]time.Time
	swept     time.Time

	// Of Guard.mu.
	name string // of this node's records
	upTo uint64 // the number up to which all records were read
	last string // where in the order of the records that is
}

// Issuing notes that this node is about to issue the pass of a transaction, to tell other nodes.
func (g *Guard) Issuing(id recovery.TransactionID) {
	if !g.cfg.Shared {
		return
	}
	g.issuings.mu.Lock()
	g.issuings.untold = append(g.issuings.untold, id)
	g.issuings.mu.Unlock()
	g.Changed()
}

// IssuedElsewhere reports whether a node said that the transaction has its pass.
func (g *Guard) IssuedElsewhere(id recovery.TransactionID) bool {
	g.issuings.mu.Lock()
	defer g.issuings.mu.Unlock()
	_, found := g.issuings.elsewhere[id]
	return found
}

// told forgets the first n transactions that were to be told.
func (i *issuings) told(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.untold = i.untold[n:]
}

func (i *issuings) toTell() []recovery.TransactionID {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.untold[:min(len(i.untold), most)]
}

// publish tells other nodes which passes were issued, and returns how many it told. Its record is there before the number is
// raised to that of the record: whoever reads the number finds it. The caller holds mu.
func (g *Guard) publish(ctx context.Context, number uint64) (int, error) {
	ids := g.issuings.toTell()
	if len(ids) == 0 {
		return 0, nil
	}
	if g.issuings.name == "" {
		g.issuings.name = rand.Text()
	}
	data, err := storage.Encode(ids)
	if err != nil {
		return 0, err
	}
	err = g.cfg.Store.Create(ctx, storage.Record{
		Kind: storage.KindIssued, ID: fmt.Sprintf("%020d-%s", number, g.issuings.name), Group: issuedGroup,
		Data: data, ExpiresAt: g.cfg.Clock().Add(keptFor),
	})
	switch {
	case errors.Is(err, storage.ErrExists): // of an attempt before this one, which told fewer: the next number tells all
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("tell other nodes which passes were issued: %w", err)
	}
	return len(ids), nil
}

// collect reads what other nodes told up to a number. The caller holds mu.
func (g *Guard) collect(ctx context.Context, number uint64) error {
	const page = 100
	i := &g.issuings
	if !g.cfg.Shared || number == i.upTo {
		return nil
	}
	for after := i.last; ; {
		records, err := g.cfg.Store.List(ctx, storage.KindIssued, issuedGroup, after, page)
		if err != nil {
			return fmt.Errorf("read which passes other nodes issued: %w", err)
		}
		for _, r := range records {
			var ids []recovery.TransactionID
			if err := storage.Decode(r.Data, &ids); err != nil {
				return err
			}
			i.note(ids, r.ExpiresAt)
			after = r.ID
		}
		if len(records) < page {
			break
		}
	}
	// Records of higher numbers may be read once more: there may be others of the same number.
	i.upTo, i.last = number, fmt.Sprintf("%020d.", number) // the dot comes after the hyphen
	i.sweep(g.cfg.Clock())
	return nil
}

func (i *issuings) note(ids []recovery.TransactionID, until time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.elsewhere == nil {
		i.elsewhere = make(map[recovery.TransactionID]time.Time)
	}
	for _, id := range ids {
		i.elsewhere[id] = until
	}
}

// sweep forgets what can be redeemed by nobody any more.
func (i *issuings) sweep(now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now.Sub(i.swept) < time.Minute {
		return
	}
	i.swept = now
	for id, until := range i.elsewhere {
		if now.After(until) {
			delete(i.elsewhere, id)
		}
	}
}
