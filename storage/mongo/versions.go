package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

var _ storage.Shared = (*Store)(nil)

// Versions implements storage.Shared: other nodes write to the database. It reads keys and versions, and no data.
func (s *Store) Versions(ctx context.Context, kind storage.Kind, ids []string) (map[string]int64, error) {
	if len(ids) == 0 {
		return map[string]int64{}, nil
	}
	prefix := key(kind, "")
	keys := make(bson.A, len(ids))
	for i, id := range ids {
		keys[i] = prefix + id
	}
	var versions map[string]int64
	err := s.settle(ctx, "versions", func(ctx context.Context, _ bool) error {
		versions = make(map[string]int64, len(ids))
		cursor, err := s.records.Find(ctx, bson.D{
			{Key: fieldKey, Value: bson.D{{Key: "$in", Value: keys}}},
			{Key: fieldEnds, Value: bson.D{{Key: "$gt", Value: s.clock().UnixNano()}}},
		}, options.Find().SetProjection(bson.D{{Key: fieldVersion, Value: 1}}).SetBatchSize(storage.MaxVersions))
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		for cursor.Next(ctx) { // a thousand, twice a second: decoding them into a struct would be most of what it costs
			id, ok := cursor.Current.Lookup(fieldKey).StringValueOK()
			version, is := cursor.Current.Lookup(fieldVersion).AsInt64OK()
			if !ok || !is || len(id) < len(prefix) {
				return errDamaged
			}
			versions[id[len(prefix):]] = version
		}
		return cursor.Err()
	})
	if err != nil {
		return nil, err
	}
	return versions, nil
}
