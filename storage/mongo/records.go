package mongo

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

func (s *Store) Create(ctx context.Context, r storage.Record) error {
	operation, err := newOperation()
	if err != nil {
		return err
	}
	r.Version = 1
	return s.settle(ctx, "create", func(ctx context.Context, _ bool) error {
		d := s.encode(r, operation)
		_, err := s.records.InsertOne(ctx, d)
		if !mongo.IsDuplicateKeyError(err) {
			return err
		}
		there, err := s.read(ctx, d.Key)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return errAgain // swept meanwhile, or not yet on a majority
		case err != nil:
			return err
		case there.CreatedBy == operation:
			return nil
		case !there.over(s.clock()):
			return storage.ErrExists
		}
		return matched(s.records.ReplaceOne(ctx, there.unchanged(), d))
	})
}

// unchanged is the condition that a document is still as it was read. A tombstone has the version of its record.
func (d document) unchanged() bson.D {
	return bson.D{{Key: fieldKey, Value: d.Key}, {Key: fieldCreatedBy, Value: d.CreatedBy}, {Key: fieldVersion, Value: d.Version}, {Key: fieldEnds, Value: d.Ends}}
}

// matched is errAgain where the condition of a write did not hold.
func matched(result *mongo.UpdateResult, err error) error {
	if err == nil && result.MatchedCount == 0 {
		return errAgain
	}
	return err
}

// read returns a document, over or not, or ErrNotFound.
func (s *Store) read(ctx context.Context, key string) (document, error) {
	d, err := decode[document](s.records.FindOne(ctx, bson.D{{Key: fieldKey, Value: key}}).Raw())
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = storage.ErrNotFound
	}
	return d, err
}

func (s *Store) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	var d document
	err := s.settle(ctx, "get", func(ctx context.Context, _ bool) error {
		var err error
		if d, err = s.read(ctx, key(kind, id)); err == nil && d.over(s.clock()) {
			return storage.ErrNotFound
		}
		return err
	})
	if err != nil {
		return storage.Record{}, err
	}
	return d.record(kind, id), nil
}

func (s *Store) Update(ctx context.Context, r storage.Record) error {
	operation, err := newOperation()
	if err != nil {
		return err
	}
	k := key(r.Kind, r.ID)
	return s.settle(ctx, "update", func(ctx context.Context, maybe bool) error {
		current := bson.D{
			{Key: fieldKey, Value: k}, {Key: fieldVersion, Value: r.Version},
			{Key: fieldEnds, Value: bson.D{{Key: "$gt", Value: s.clock().UnixNano()}}},
		}
		if err := matched(s.records.UpdateOne(ctx, current, s.change(r, operation))); !errors.Is(err, errAgain) {
			return err
		}
		there, err := s.read(ctx, k)
		if err != nil {
			return err
		}
		return s.whoseUpdate(there, r.Version, operation, maybe)
	})
}

// whoseUpdate tells what became of an update of a version whose condition does not hold.
func (s *Store) whoseUpdate(there document, version, operation int64, maybe bool) error {
	over := there.over(s.clock())
	switch {
	case there.UpdatedBy[place(version+1)] == operation:
		return nil
	case maybe && (there.Version < version || there.Version > version+updatesKept):
		return errForgotten // another record of this id, or too many updates since
	case maybe && over && there.UsedUpBy == 0 && there.Version == version:
		return errForgotten // and an update that is yet to come would make its life longer
	case over:
		return storage.ErrNotFound
	case there.Version == version:
		return errAgain // not yet on a majority
	}
	return storage.ErrConflict
}

func (s *Store) Consume(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	operation, err := newOperation()
	if err != nil {
		return storage.Record{}, err
	}
	var d document
	err = s.settle(ctx, "consume", func(ctx context.Context, _ bool) error {
		there, err := s.read(ctx, key(kind, id))
		switch {
		case err != nil:
			return err
		case there.UsedUpBy == operation:
			return nil // and d is what it was
		case there.over(s.clock()):
			return storage.ErrNotFound
		}
		d = there
		return matched(s.records.UpdateOne(ctx, there.unchanged(), s.bury(operation)))
	})
	if err != nil {
		return storage.Record{}, err
	}
	return d.record(kind, id), nil
}

func (s *Store) Delete(ctx context.Context, kind storage.Kind, id string) error {
	operation, err := newOperation()
	if err != nil {
		return err
	}
	var first *int64 // the record that is deleted, which is not another one that takes its place
	return s.settle(ctx, "delete", func(ctx context.Context, _ bool) error {
		there, err := s.read(ctx, key(kind, id))
		switch {
		case errors.Is(err, storage.ErrNotFound) || there.UsedUpBy != 0 || err == nil && first != nil && *first != there.CreatedBy:
			return nil
		case err != nil:
			return err
		}
		first = &there.CreatedBy
		return matched(s.records.UpdateOne(ctx, bson.D{{Key: fieldKey, Value: there.Key}, {Key: fieldCreatedBy, Value: there.CreatedBy}}, s.bury(operation)))
	})
}

func (s *Store) List(ctx context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	if limit <= 0 || group == "" { // to the server, no limit is 0
		return nil, nil
	}
	var found []document
	err := s.settle(ctx, "list", func(ctx context.Context, _ bool) error {
		found = nil
		cursor, err := s.records.Find(ctx, bson.D{
			{Key: fieldGroup, Value: key(kind, group)},
			{Key: fieldID, Value: bson.D{{Key: "$gt", Value: after}}},
			{Key: fieldEnds, Value: bson.D{{Key: "$gt", Value: s.clock().UnixNano()}}},
		}, options.Find().SetSort(bson.D{{Key: fieldID, Value: 1}}).SetLimit(int64(limit)))
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		for cursor.Next(ctx) {
			d, err := decode[document](cursor.Current, nil)
			if err != nil {
				return err
			}
			found = append(found, d)
		}
		return cursor.Err()
	})
	if err != nil {
		return nil, err
	}
	var records []storage.Record
	for _, d := range found {
		records = append(records, d.record(kind, d.ID))
	}
	return records, nil
}
