package keep

import (
	"context"
	"errors"
	"time"

	"regain/internal/config"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/mongo"
)

// shortestTimeout is what an election of a replica set can still fit in, with a repetition.
const shortestTimeout = time.Second

// MongoConfig reads where the database is, and tells every mistake in that.
func MongoConfig(cfg config.MongoConfig) (mongo.Config, error) {
	const key = "storage.mongo.uri"
	uri, err := cfg.URI.Read(key)
	if err == nil {
		err = config.Keyed(key, mongo.URI(uri).Check())
	}
	problems := []error{err}
	if cfg.Database == "" {
		problems = append(problems, errors.New("storage.mongo.database: name the database"))
	}
	if cfg.Timeout < shortestTimeout {
		problems = append(problems, errors.New("storage.mongo.timeout: 1s or more"))
	}
	if cfg.MaxConnections < 1 {
		problems = append(problems, errors.New("storage.mongo.max_connections: 1 or more"))
	}
	if err := errors.Join(problems...); err != nil {
		return mongo.Config{}, err
	}
	connections := uint64(cfg.MaxConnections) //nolint:gosec // not negative
	return mongo.Config{URI: mongo.URI(uri), Database: cfg.Database, Timeout: cfg.Timeout, MaxConnections: connections}, nil
}

// openMongo opens the store on MongoDB, or looks whether it could be opened.
func openMongo(cfg config.MongoConfig, deps Deps) (storage.Store, error) {
	database, err := MongoConfig(cfg)
	if err != nil {
		return nil, err
	}
	if !deps.ReadOnly {
		return mongo.Open(context.Background(), database, deps.Clock)
	}
	if err := mongo.Inspect(context.Background(), database); err != nil {
		return nil, err
	}
	return memory.New(deps.Clock)
}
