package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds and defaults of a run.
const (
	DefaultJourneys = 300
	DefaultKills    = 15
	DefaultWorkers  = 8
	DefaultDuration = 10 * time.Minute
	DefaultLifetime = time.Minute

	maxJourneys = 1_000_000
	maxKills    = 100_000
	maxWorkers  = 64 // each comes from an address of its own
	maxDuration = 12 * time.Hour
	maxLifetime = 15 * time.Minute
	minLifetime = 5 * time.Second
)

// Options say what to run.
type Options struct {
	Store    string // one of Stores
	Journeys int    // people who want back into their account
	Kills    int    // of nodes
	Faults   int    // of the connection to the database; negative: as many as kills
	Workers  int    // people at the same time
	Duration time.Duration
	Lifetime time.Duration // of a transaction
	Seed     uint64        // of the faults; 0: chosen, and printed
	// MongoURI is a MongoDB to use in place of the test server that is started; "" starts one.
	MongoURI string
	// MongoRestart is a command line that restarts the database at MongoURI; "" for none.
	MongoRestart string
	// Keep is a directory for the nodes' logs and audit logs; "" removes them unless a check fails.
	Keep string
}

// Stores returns the names of the backends that a run is possible on.
func Stores() []string { return []string{storeMemory, "file", storeMongo} }

const (
	storeMemory = "memory"
	storeMongo  = "mongo"
)

// nodes returns how many nodes share the store: one, where it is in the process or a file that one process has.
func (o Options) nodes() int {
	const shared = 3
	if o.Store == storeMongo {
		return shared
	}
	return 1
}

// complete fills in what was left open.
func (o Options) complete() Options {
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(1 << 32) //nolint:gosec // which faults come is no secret
	}
	if o.Faults < 0 {
		o.Faults = o.Kills
	}
	if o.Store != storeMongo {
		o.Faults = 0
	}
	return o
}

// validate reports what cannot be run, and what can.
func (o Options) validate() error {
	switch {
	case !slices.Contains(Stores(), o.Store):
		return fmt.Errorf("crash: --store %s: use %s", o.Store, strings.Join(Stores(), ", "))
	case o.Journeys < 1 || o.Journeys > maxJourneys:
		return fmt.Errorf("crash: --journeys %d: use 1 to %d", o.Journeys, maxJourneys)
	case o.Kills < 0 || o.Kills > maxKills:
		return fmt.Errorf("crash: --kills %d: use 0 to %d", o.Kills, maxKills)
	case o.Faults > maxKills:
		return fmt.Errorf("crash: --faults %d: use 0 to %d", o.Faults, maxKills)
	case o.Workers < 1 || o.Workers > maxWorkers:
		return fmt.Errorf("crash: --workers %d: use 1 to %d", o.Workers, maxWorkers)
	case o.Duration <= 0 || o.Duration > maxDuration:
		return fmt.Errorf("crash: --duration %s: use a duration up to %s", o.Duration, maxDuration)
	case o.Lifetime < minLifetime || o.Lifetime > maxLifetime:
		return fmt.Errorf("crash: --lifetime %s: use %s to %s", o.Lifetime, minLifetime, maxLifetime)
	}
	return o.validateMongo()
}

func (o Options) validateMongo() error {
	if o.MongoURI == "" {
		if o.MongoRestart != "" {
			return errors.New("crash: --mongo-restart: say with --mongo-uri which database the command restarts")
		}
		return nil
	}
	if o.Store != storeMongo {
		return fmt.Errorf("crash: --mongo-uri: it is of --store %s", storeMongo)
	}
	u, err := url.Parse(o.MongoURI)
	if err != nil || u.Scheme != "mongodb" || u.Host == "" || strings.Contains(u.Host, ",") {
		// What url says would repeat the URI, and the password in it.
		return errors.New("crash: --mongo-uri: use mongodb://host:port of one server: the run stands between the nodes and it, and a driver that learned of other servers would go past")
	}
	return nil
}
