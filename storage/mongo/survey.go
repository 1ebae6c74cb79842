package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

var _ storage.Surveyed = (*Store)(nil)

// Survey implements storage.Surveyed. It reads no data: which key sealed a document is in a field of its own, since the server
// cannot cut the beginning out of binary data. The field has no index, which every write would have to keep: a survey reads
// the whole collection, and is bounded by ctx alone.
func (s *Store) Survey(ctx context.Context, but []storage.KeyID, see func(storage.Trace) error) error {
	known := bson.A{""} // of data that nothing sealed
	for _, id := range but {
		known = append(known, id.String())
	}
	var seen error // of the caller's own
	err := all(ctx, s.records, bson.D{
		{Key: fieldSealedBy, Value: bson.D{{Key: "$exists", Value: true}, {Key: "$nin", Value: known}}}, // a tombstone has none
		{Key: fieldEnds, Value: bson.D{{Key: "$gt", Value: s.clock().UnixNano()}}},
	}, func(d document) error {
		trace, err := d.trace()
		if err != nil {
			return err
		}
		seen = see(trace)
		return seen
	}, options.Find().SetProjection(bson.D{{Key: fieldSealedBy, Value: 1}, {Key: fieldEnds, Value: 1}}))
	_, bounded := ctx.Deadline()
	switch {
	case err == nil, seen != nil, errors.Is(err, errDamaged):
		return err
	case bounded && mongo.IsTimeout(err): // which no time-out of the store's own replaces
		return fmt.Errorf("survey: %w: %w", context.DeadlineExceeded, s.scrub(err))
	}
	return fmt.Errorf("survey: %w", s.scrub(err))
}

// trace is what a survey tells of a document.
func (d document) trace() (t storage.Trace, err error) {
	kind, id, err := named(d.Key)
	if err != nil {
		return t, err
	}
	t = storage.Trace{Kind: kind, ID: id, ExpiresAt: d.record(kind, id).ExpiresAt}
	if t.Key, err = storage.ParseKeyID(d.SealedBy); err != nil {
		return t, fmt.Errorf("%w: _id %s", errDamaged, d.Key)
	}
	return t, nil
}

// sealedBy is the value of the field, "" for data that nothing sealed.
func sealedBy(data []byte) string {
	id, sealed := storage.SealedBy(data)
	if !sealed {
		return ""
	}
	return id.String()
}

// Look opens the database without changing anything, and shows it to look.
func Look(ctx context.Context, cfg Config, now func() time.Time, look func(storage.Surveyed) error) error {
	s, err := open(ctx, cfg, now, func(ctx context.Context, s *Store) error { return s.checkVersion(ctx, len(migrations())) })
	if err != nil {
		return err
	}
	return errors.Join(look(s), s.Close())
}
