package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"regain/storage"
)

// Usage is what the server's process has used up since it started.
type Usage struct {
	CPU         time.Duration `json:"cpu"`
	Mallocs     uint64        `json:"mallocs"`
	RSS         int64         `json:"rss"` // bytes, the most there ever were
	StoreWrites int64         `json:"store_writes"`
	Commits     int64         `json:"commits"`
	Requests    int64         `json:"requests"`
	Handshakes  int64         `json:"handshakes"`
	Sealed      Traffic       `json:"sealed"` // records that were encrypted for the store
	Opened      Traffic       `json:"opened"` // and decrypted from it
}

// Traffic is how many records went one way, and how large they were together.
type Traffic struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// since is what was used up after an earlier moment. The most memory is the most there ever was.
func (u Usage) since(earlier Usage) Usage {
	return Usage{
		CPU: u.CPU - earlier.CPU, Mallocs: u.Mallocs - earlier.Mallocs, RSS: u.RSS, StoreWrites: u.StoreWrites - earlier.StoreWrites,
		Commits: u.Commits - earlier.Commits, Requests: u.Requests - earlier.Requests, Handshakes: u.Handshakes - earlier.Handshakes,
		Sealed: Traffic{u.Sealed.Records - earlier.Sealed.Records, u.Sealed.Bytes - earlier.Sealed.Bytes},
		Opened: Traffic{u.Opened.Records - earlier.Opened.Records, u.Opened.Bytes - earlier.Opened.Bytes},
	}
}

// plus adds what was used up later.
func (u Usage) plus(later Usage) Usage {
	return Usage{
		CPU: u.CPU + later.CPU, Mallocs: u.Mallocs + later.Mallocs, RSS: later.RSS, StoreWrites: u.StoreWrites + later.StoreWrites,
		Commits: u.Commits + later.Commits, Requests: u.Requests + later.Requests, Handshakes: u.Handshakes + later.Handshakes,
		Sealed: Traffic{u.Sealed.Records + later.Sealed.Records, u.Sealed.Bytes + later.Sealed.Bytes},
		Opened: Traffic{u.Opened.Records + later.Opened.Records, u.Opened.Bytes + later.Opened.Bytes},
	}
}

// each is the store's share of one among n recoveries.
func (u Usage) each(n int64) Usage {
	return Usage{Sealed: Traffic{u.Sealed.Records / n, u.Sealed.Bytes / n}, Opened: Traffic{u.Opened.Records / n, u.Opened.Bytes / n}}
}

// usage is what was used up until now.
func (s *counting) usage() (Usage, error) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return Usage{}, fmt.Errorf("ask for the CPU time: %w", err)
	}
	commits := s.writes.Load() - s.together.Load()
	if s.commits != nil {
		var err error
		if commits, err = s.commits(); err != nil {
			return Usage{}, err
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	const kilobyte = 1024
	return Usage{
		CPU:     time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		Mallocs: m.Mallocs, RSS: r.Maxrss * kilobyte, StoreWrites: s.writes.Load(), Commits: commits, Requests: s.requests.Load(),
		Handshakes: s.handshakes.Load(), Sealed: s.sealed.total(), Opened: s.opened.total(),
	}, nil
}

// counting counts the requests to a server, what changes its store, and what is encrypted for it and decrypted from it.
type counting struct {
	storage.Around
	commits        func() (int64, error) // of the store; nil where each list of changes is one
	handler        http.Handler
	requests       atomic.Int64
	handshakes     atomic.Int64
	writes         atomic.Int64
	together       atomic.Int64 // the writes that were not the first of their commit
	sealed, opened counter
}

// handshake counts one of TLS (tls.Config.VerifyConnection).
func (s *counting) handshake(tls.ConnectionState) error {
	s.handshakes.Add(1)
	return nil
}

// ServeHTTP implements http.Handler: the server itself, and beside it the path nothing.
func (s *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == nothing {
		answerNothing(w, r)
		return
	}
	s.requests.Add(1)
	s.handler.ServeHTTP(w, r)
}

type counter struct{ records, bytes atomic.Int64 }

func (c *counter) add(r storage.Record) {
	c.records.Add(1)
	c.bytes.Add(int64(len(r.Data)))
}

func (c *counter) total() Traffic { return Traffic{Records: c.records.Load(), Bytes: c.bytes.Load()} }

func (s *counting) around(backend storage.Store) storage.Store {
	s.Around = storage.Around{Store: backend, Pass: s.change}
	return s
}

// change counts one commit, of one change or several.
func (s *counting) change(_ context.Context, changes []storage.Change, do func() ([]storage.Result, error)) ([]storage.Result, error) {
	s.writes.Add(int64(len(changes)))
	s.together.Add(int64(len(changes) - 1))
	for _, c := range changes {
		if c.Operation == storage.OpCreate || c.Operation == storage.OpUpdate {
			s.sealed.add(c.Record)
		}
	}
	results, err := do()
	if err != nil {
		return results, err
	}
	for i, c := range changes {
		if c.Operation == storage.OpConsume {
			s.opened.add(results[i].Record)
		}
	}
	return results, nil
}

// Get implements storage.Store.
func (s *counting) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, kind, id)
	if err == nil {
		s.opened.add(r)
	}
	return r, err
}
