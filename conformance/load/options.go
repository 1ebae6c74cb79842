package load

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Defaults and bounds of a run.
const (
	DefaultDuration = 10 * time.Second
	DefaultWorkers  = 4

	maxDuration = time.Minute      // of one configuration
	maxTotal    = 10 * time.Minute // of all together
	maxWorkers  = 64
	maxWaiting  = 10_000
	// A process serves as many live pages as a quarter of the files that it may have open (internal/node, connections.go),
	// and both processes have the same limit.
	filesPerPage = 4
)

// Options say how to run: each store with each number of workers, in turn.
type Options struct {
	Duration time.Duration // of each configuration
	Workers  []int         // recoveries at the same time
	Stores   []string
	MongoURI string // server of the store mongo, in a database of its own; "" starts one for each configuration
	TLS      bool
	Waiting  int    // live pages that are open all the time
	Profile  string // file for a CPU profile of the server; "" for none
	Compare  string // file with the lines of an earlier run; "" for none
}

// Setup is one configuration of the server, and what it is measured with.
type Setup struct {
	Store   string `json:"store"`
	Workers int    `json:"workers"`
	TLS     bool   `json:"tls"`
	Waiting int    `json:"waiting"`
}

// setups returns the configurations in the order in which they run.
func (o Options) setups() (all []Setup) {
	for _, store := range o.Stores {
		for _, workers := range o.Workers {
			all = append(all, Setup{Store: store, Workers: workers, TLS: o.TLS, Waiting: o.Waiting})
		}
	}
	return all
}

// validate reports what cannot be run, and what can.
func (o Options) validate() error {
	all := o.setups()
	switch {
	case len(o.Stores) == 0:
		return fmt.Errorf("load: --store: use %s, or several with a comma between them", oneOf(Stores()))
	case o.MongoURI != "" && !slices.Contains(o.Stores, onServer):
		return fmt.Errorf("load: --mongo-uri is the server of --store %s, which is missing", onServer)
	case len(o.Workers) == 0:
		return fmt.Errorf("load: --workers: give a number from 1 to %d, or several with a comma between them", maxWorkers)
	case o.Duration <= 0 || o.Duration > maxDuration:
		return fmt.Errorf("load: --duration %s: use a duration up to %s, which each configuration takes", o.Duration, maxDuration)
	case o.Duration*time.Duration(len(all)) > maxTotal:
		return fmt.Errorf("load: %d configurations of %s each: use a shorter --duration, or fewer --workers or --store: %s at most altogether", len(all), o.Duration, maxTotal)
	case o.Profile != "" && len(all) > 1:
		return fmt.Errorf("load: --profile: a profile is of one configuration, and these are %d: give one --store and one number of --workers", len(all))
	}
	for i, s := range all {
		if err := s.validate(); err != nil {
			return err
		}
		if slices.Contains(all[:i], s) {
			return fmt.Errorf("load: store %s with %d workers is there twice: name each once", s.Store, s.Workers)
		}
	}
	return o.validateWaiting()
}

func (s Setup) validate() error {
	if s.Workers < 1 || s.Workers > maxWorkers {
		return fmt.Errorf("load: --workers %d: use 1 to %d workers", s.Workers, maxWorkers)
	}
	if _, err := storeNamed(s.Store); err != nil {
		return err
	}
	return nil
}

func (o Options) validateWaiting() error {
	if o.Waiting < 0 || o.Waiting > maxWaiting {
		return fmt.Errorf("load: --waiting %d: use 0 to %d pages", o.Waiting, maxWaiting)
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("load: ask how many files may be open: %w", err)
	}
	if most := files.Cur / filesPerPage; uint64(o.Waiting) > most { //nolint:gosec // it is not negative
		return fmt.Errorf("load: --waiting %d: this process may have %d files open, which is enough for %d pages: raise the limit (`ulimit -n`), or use fewer pages", o.Waiting, files.Cur, most)
	}
	return nil
}

// String names a configuration as the flags do.
func (s Setup) String() string {
	text := fmt.Sprintf("--store %s --workers %d", s.Store, s.Workers)
	if s.TLS {
		text += " --tls"
	}
	if s.Waiting > 0 {
		text += fmt.Sprintf(" --waiting %d", s.Waiting)
	}
	return text
}

// oneOf lists a choice: "a or b", "a, b or c".
func oneOf(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
