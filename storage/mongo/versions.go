package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/storage"
)

var _ storage.Shared = (*Store)(nil)

// Versions implements storage.Shared.
func (s *Store) Versions(ctx context.Context, kind storage.Kind, ids []string) (map[string]int64, error) {
	if len(ids) == 0 {
		return map[string]int64{}, nil
	}
	asked := make(map[string]string, len(ids)) // key → id
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		k := key(kind, id)
		asked[k], keys = id, append(keys, k)
	}
	var versions map[string]int64
	err := s.settle(ctx, "versions", func(ctx context.Context, _ bool) error {
		versions = make(map[string]int64, len(ids))
		cursor, err := s.records.Find(ctx, bson.D{
			{Key: fieldKey, Value: bson.D{{Key: "$in", Value: keys}}},
			{Key: fieldEnds, Value: bson.D{{Key: "$gt", Value: s.clock().UnixNano()}}},
		}, options.Find().SetProjection(bson.D{{Key: fieldKey, Value: 1}, {Key: fieldVersion, Value: 1}}))
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		for cursor.Next(ctx) {
			d, err := decode[document](cursor.Current, nil)
			if err != nil {
				return err
			}
			versions[asked[d.Key]] = d.Version
		}
		return cursor.Err()
	})
	return versions, err
}
