package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"regain/internal/clock"
)

// Config says where the database is.
type Config struct {
	URI      URI
	Database string
	// Timeout bounds one call, with all that it repeats; default 5 seconds.
	Timeout time.Duration
	// MaxConnections bounds the connections to each server; default 64. A few are kept open.
	MaxConnections uint64
}

const (
	defaultTimeout        = 5 * time.Second
	defaultMaxConnections = 64
	warmConnections       = 4
	startTimeout          = 90 * time.Second // of Open, with its migrations: longer than the lease of one
)

// Store implements storage.Store.
type Store struct {
	client                    *mongo.Client
	database                  *mongo.Database
	records, counters, schema *mongo.Collection
	hosts                     *hosts
	scrub                     func(error) error
	timeout                   time.Duration
	sweepAfter                time.Duration
	clock                     func() time.Time
	// steady is what counters go by: a clock that is put forward must not make them forget what was used.
	steady *clock.Steady
}

// Open connects to the database, brings its schema to this version, and creates the indexes and checks them. An error
// says what to do; it is storage.ErrUnavailable where waiting may cure it.
func Open(ctx context.Context, cfg Config, now func() time.Time) (*Store, error) {
	return open(ctx, cfg, now, func(ctx context.Context, s *Store) error {
		if err := s.migrate(ctx, migrations()); err != nil {
			return err
		}
		return errors.Join(s.checkWhole(ctx), s.ensureIndexes(ctx))
	})
}

// Inspect reports whether a store could be opened, within twice the time of a call. It changes nothing.
func Inspect(ctx context.Context, cfg Config) error {
	s, err := open(ctx, cfg, time.Now, func(ctx context.Context, s *Store) error {
		ctx, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		return errors.Join(s.checkVersion(ctx, len(migrations())), s.checkRole(ctx), s.checkWhole(ctx))
	})
	if err != nil {
		return err
	}
	return s.Close()
}

func open(ctx context.Context, cfg Config, now func() time.Time, prepare func(ctx context.Context, s *Store) error) (*Store, error) {
	if now == nil || cfg.Database == "" {
		return nil, errors.New("mongo store: clock and database are required")
	}
	s := &Store{scrub: cfg.URI.scrub, timeout: cfg.Timeout, clock: now, steady: clock.NewSteady(now, nil), sweepAfter: sweepAfter}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	settings, err := cfg.settings()
	if err != nil {
		return nil, err
	}
	s.hosts = watchHosts(settings)
	switch s.client, err = mongo.Connect(settings); {
	case unresolved(err):
		return nil, s.report(fmt.Errorf("look up the hosts: %w: check the host of the URI, and the name service", err))
	case err != nil:
		return nil, fmt.Errorf("mongo store: %w", s.scrub(err))
	}
	s.database = s.client.Database(cfg.Database)
	s.records, s.counters, s.schema = s.database.Collection("records"), s.database.Collection("counters"), s.database.Collection("schema")
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err = s.reach(ctx); err == nil {
		err = prepare(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(s.report(err), s.Close())
	}
	return s, nil
}

// settings are those of the driver. What the store's rules depend on is not left to the URI.
func (cfg Config) settings() (*options.ClientOptions, error) {
	if err := cfg.URI.Check(); err != nil {
		return nil, fmt.Errorf("mongo store: %w", err)
	}
	connections := cfg.MaxConnections
	if connections == 0 {
		connections = defaultMaxConnections
	}
	journal := true
	return options.Client().ApplyURI(string(cfg.URI)).SetAppName("regain").
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}).
		SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary()).
		SetRetryWrites(true).SetRetryReads(true).
		SetMaxPoolSize(connections).SetMinPoolSize(min(warmConnections, connections)).SetMonitor(monitor()), nil
}

// Close implements storage.Store.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil {
		return fmt.Errorf("mongo store: close: %w", s.scrub(err))
	}
	return nil
}
