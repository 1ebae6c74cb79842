package mongo

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

// counter is a stored counter. An update by an aggregation pipeline could begin a window and count in it by one command;
// two commands, each with its condition, run on servers that have none.
type counter struct {
	Key       string    `bson:"_id"`
	Count     int64     `bson:"count"`
	Ends      int64     `bson:"ends"` // of the window
	CountedBy []int64   `bson:"counted_by"`
	Sweep     time.Time `bson:"sweep"`

	most int64 // the limit of this count; not stored
}

// by returns the count that an operation made, if it is among the last ones.
func (c counter) by(operation int64) (int64, bool) {
	at := slices.Index(c.CountedBy, operation)
	return c.Count - int64(len(c.CountedBy)-1-at), at >= 0
}

func (s *Store) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	return s.count(ctx, storage.Counting(kind, id, window, 0))
}

// count increments a counter, unless its count would be beyond the limit of the change.
func (s *Store) count(ctx context.Context, c storage.Change) (int64, error) {
	operation, err := newOperation()
	if err != nil {
		return 0, err
	}
	var count int64
	err = s.settle(ctx, "increment", func(ctx context.Context, maybe bool) error {
		now := s.steady.Now()
		next := counter{Key: key(c.Record.Kind, c.Record.ID), Count: 1, Ends: now.Add(c.Window).UnixNano(), CountedBy: []int64{operation}, Sweep: s.sweepIn(c.Window), most: c.Max}
		var err error
		if !maybe {
			if count, err = s.countOn(ctx, next, now); !errors.Is(err, mongo.ErrNoDocuments) {
				return err
			}
		}
		count, err = s.countFrom(ctx, next, now, maybe)
		return err
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// countOn counts in a window that is open and within the limit, or returns mongo.ErrNoDocuments.
func (s *Store) countOn(ctx context.Context, next counter, now time.Time) (int64, error) {
	operation := next.CountedBy[0]
	open := bson.D{
		{Key: fieldKey, Value: next.Key},
		{Key: fieldEnds, Value: bson.D{{Key: "$gt", Value: now.UnixNano()}}},
		{Key: fieldCountedBy, Value: bson.D{{Key: "$ne", Value: operation}}},
	}
	if next.most != 0 {
		open = append(open, bson.E{Key: fieldCount, Value: bson.D{{Key: "$lt", Value: next.most}}})
	}
	c, err := decode[counter](s.counters.FindOneAndUpdate(ctx, open, bson.D{
		{Key: "$inc", Value: bson.D{{Key: fieldCount, Value: int64(1)}}},
		{Key: "$push", Value: bson.D{{Key: fieldCountedBy, Value: bson.D{{Key: "$each", Value: bson.A{operation}}, {Key: "$slice", Value: -countsKept}}}}},
	}, options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw())
	return c.Count, err
}

// countFrom looks at the counter: whether it has this operation already, and whether a new window begins with it.
func (s *Store) countFrom(ctx context.Context, next counter, now time.Time, maybe bool) (int64, error) {
	operation := next.CountedBy[0]
	there, err := decode[counter](s.counters.FindOne(ctx, bson.D{{Key: fieldKey, Value: next.Key}}).Raw())
	if errors.Is(err, mongo.ErrNoDocuments) {
		_, err := s.counters.InsertOne(ctx, next)
		if mongo.IsDuplicateKeyError(err) {
			return 0, errAgain
		}
		return 1, err
	}
	if err != nil {
		return 0, err
	}
	if count, mine := there.by(operation); mine {
		return count, nil
	}
	if there.Ends <= now.UnixNano() {
		return 1, matched(s.counters.ReplaceOne(ctx, bson.D{{Key: fieldKey, Value: next.Key}, {Key: fieldEnds, Value: there.Ends}}, next))
	}
	switch {
	case maybe && len(there.CountedBy) >= countsKept:
		return 0, errForgotten
	case next.most != 0 && there.Count >= next.most:
		return 0, storage.ErrOver
	case !maybe:
		return 0, errAgain // somebody else began the window
	}
	count, err := s.countOn(ctx, next, now)
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = errAgain
	}
	return count, err
}
