package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"regain/internal/clock"
)

// Elapsed sets what the time that passes is measured by.
func (s *Store) Elapsed(elapsed func() time.Duration) { s.steady = clock.NewSteady(s.clock, elapsed) }

// SweepAfter sets how long what is over is kept.
func (s *Store) SweepAfter(d time.Duration) { s.sweepAfter = d }

// Migrate runs migrations that a test names.
func (s *Store) Migrate(ctx context.Context, all ...func(ctx context.Context) error) error {
	var named []migration
	for _, run := range all {
		named = append(named, migration{run: func(ctx context.Context, _ *Store) error { return run(ctx) }})
	}
	return s.migrate(ctx, named)
}

// Collection returns a collection of the database, or its schema.
func (s *Store) Collection(name string) *mongo.Collection { return s.database.Collection(name) }

// Scrub removes the secrets of a URI from an error.
func (u URI) Scrub(err error) error { return u.scrub(err) }
