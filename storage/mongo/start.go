package mongo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"

	"regain/storage"
)

// away is an error that waiting may cure: errors.Is says that it is storage.ErrUnavailable. What it says is the cause alone.
type away struct{ error }

func (away) Is(target error) bool { return target == storage.ErrUnavailable } //nolint:errorlint // the sentinel itself

// mistake is an error that no waiting cures: it says what to do.
type mistake struct{ error }

// report is what Open and Inspect return for an error: without the secrets of the URI, and marked where waiting may cure it.
func (s *Store) report(err error) error {
	told := fmt.Errorf("mongo store: %w", s.scrub(err))
	if stays(err) {
		return told
	}
	return away{told}
}

// stays reports whether an error at the start has a cause that stays until somebody does something. A disk that is full may
// be empty again, unlike what else is hopeless for a call.
func stays(err error) bool {
	var m mistake
	return errors.As(err, &m) || hopeless(err) && !has(err, codeNoDiskSpace)
}

const checkUser = "check user, password and authSource of the URI"

// reach waits until a primary answers, or all hosts said why none ever will.
func (s *Store) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.ping(ctx, cancel)
	switch {
	case err == nil:
		return nil
	case has(err, codeAuthFailed, codeUnauthorized, codeAtlas):
		return fmt.Errorf("%w: %s", err, checkUser)
	}
	// The driver tells of its hosts after it has told whoever waits: on a busy machine long after, if it told before the time
	// was over.
	const tries, often = 10, 20 * time.Millisecond
	for n := 0; n < tries || ctx.Err() == nil; n++ {
		if wrong := s.hosts.mistaken(); wrong != nil {
			return mistake{wrong}
		}
		time.Sleep(often)
	}
	return fmt.Errorf("no primary answers: %w%s: check the hosts, replicaSet and tls of the URI, and whether the database runs", err, s.hosts.unusable())
}

// ping asks the primary, and gives up once the hosts have said enough: the driver goes on asking them until the time is over.
func (s *Store) ping(ctx context.Context, giveUp context.CancelFunc) error {
	const often = 50 * time.Millisecond
	answered := make(chan error, 1)
	go func() { answered <- s.client.Ping(ctx, readpref.Primary()) }()
	for ticker := time.NewTicker(often); ; {
		select {
		case err := <-answered:
			ticker.Stop()
			return err
		case <-ticker.C:
			if s.hosts.mistaken() != nil {
				giveUp()
			}
		}
	}
}

// unresolved reports whether a name could not be looked up, which the driver does for mongodb+srv:// when it reads the URI.
// Whoever starts at the same time as the database's name service looks it up again.
func unresolved(err error) bool {
	var lookup *net.DNSError
	return errors.As(err, &lookup)
}

// hosts remembers what each host of the database said last. The driver forgets a host that is of another replica set, and says
// of the time that is over only that it is.
type hosts struct {
	set   string // replicaSet of the URI
	seeds int    // hosts of the URI

	mu           sync.Mutex
	last         map[string]host
	refused      error // credentials
	incompatible error
	writable     bool // there is a server that takes writes, as far as the driver knows
}

type host struct {
	said *event.ServerDescription // nil if it never answered
	err  error                    // nil after an answer
}

// watchHosts has the driver tell of its hosts.
func watchHosts(settings *options.ClientOptions) *hosts {
	h := &hosts{last: map[string]host{}, seeds: len(settings.Hosts)}
	if settings.ReplicaSet != nil {
		h.set = *settings.ReplicaSet
	}
	// What a host said of itself outlives that it went away, or that the driver broke off its next question to a host that it
	// takes out.
	note := func(connection string, now host) {
		address, _, _ := strings.Cut(connection, "[") // the driver numbers its connections
		h.mu.Lock()
		defer h.mu.Unlock()
		if now.said == nil {
			now.said = h.last[address].said
		}
		h.last[address] = now
	}
	settings.SetServerMonitor(&event.ServerMonitor{
		ServerHeartbeatSucceeded: func(e *event.ServerHeartbeatSucceededEvent) { note(e.ConnectionID, host{said: &e.Reply}) },
		ServerHeartbeatFailed:    func(e *event.ServerHeartbeatFailedEvent) { note(e.ConnectionID, host{err: e.Failure}) },
		TopologyDescriptionChanged: func(e *event.TopologyDescriptionChangedEvent) {
			h.mu.Lock()
			defer h.mu.Unlock()
			known := slices.ContainsFunc(e.NewDescription.Servers, func(s event.ServerDescription) bool { return s.Kind != "Unknown" })
			if problem := e.NewDescription.CompatibilityErr; problem != nil || known { // what a server said outlives that it went away
				h.incompatible = problem
			}
			h.writable = slices.ContainsFunc(e.NewDescription.Servers, func(s event.ServerDescription) bool {
				// A server that the URI connects to directly is what it says that it is, and not asked for another.
				return slices.Contains([]string{"RSPrimary", "Standalone", "Mongos", "LoadBalancer"}, s.Kind) || e.NewDescription.Kind == "Single" && s.Kind != "Unknown"
			})
		},
	})
	// Who asks for a connection may be told that other connections failed, without a code.
	settings.SetPoolMonitor(&event.PoolMonitor{Event: func(e *event.PoolEvent) {
		var answer driver.Error
		if !errors.As(e.Error, &answer) || !slices.Contains([]int32{codeAuthFailed, codeUnauthorized, codeAtlas}, answer.Code) {
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.refused = fmt.Errorf("%s: %w", e.Address, e.Error)
	}})
	return h
}

// mistaken returns what is wrong with the hosts where nothing else is: while one of them is merely away it may turn out to be
// the one that is right.
func (h *hosts) mistaken() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.incompatible != nil:
		return fmt.Errorf("%w: Regain needs MongoDB 4.4 or later", h.incompatible)
	case h.refused != nil:
		return fmt.Errorf("%w: %s", h.refused, checkUser)
	}
	var found []error
	if len(h.last) < h.seeds { // nothing was heard of one of them yet
		return nil
	}
	for _, address := range slices.Sorted(maps.Keys(h.last)) {
		wrong := h.wrong(address)
		if wrong == nil {
			return nil
		}
		found = append(found, wrong)
	}
	return errors.Join(found...)
}

// Reachable reports whether there is a server that takes writes, by what the driver heard of its hosts last: it asks each of
// them every ten seconds, and sends nothing here.
func (s *Store) Reachable() error {
	s.hosts.mu.Lock()
	defer s.hosts.mu.Unlock()
	if s.hosts.writable {
		return nil
	}
	return away{errors.New("mongo store: no server takes writes")}
}

// unusable is what mistaken found where other hosts are away.
func (h *hosts) unusable() (text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, address := range slices.Sorted(maps.Keys(h.last)) {
		if wrong := h.wrong(address); wrong != nil {
			text += "; " + wrong.Error()
		}
	}
	return text
}

// wrong returns why a host cannot be used, and never will be as it is; nil if it can, or is away.
func (h *hosts) wrong(address string) error {
	said := h.last[address].said
	if said == nil {
		return untrusted(address, h.last[address].err)
	}
	switch {
	case h.set == "" || said.SetName == h.set:
		return nil
	case said.SetName != "":
		return fmt.Errorf("%s belongs to the replica set %q, and the URI says replicaSet=%s: correct the name, or the host", address, said.SetName, h.set)
	case said.Kind == "Standalone":
		return fmt.Errorf("%s belongs to no replica set, and the URI says replicaSet=%s: leave replicaSet out, or start the server with --replSet %s", address, h.set, h.set)
	case said.Kind == "Mongos":
		return fmt.Errorf("%s is a router of a sharded cluster: leave replicaSet out of the URI", address)
	}
	return nil // a member of a set that is yet to be initiated
}

// untrusted returns why TLS with a host cannot succeed. A certificate that has expired, or is not valid yet, is not among the
// causes: it is replaced, or the clock is set, without a change here.
func untrusted(address string, err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s: %w: name the CA that issued the server's certificate with tlsCAFile", address, err)
	case errors.As(err, &name):
		return fmt.Errorf("%s: %w: use the host's name as in its certificate", address, err)
	}
	return nil
}
