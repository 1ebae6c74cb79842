package load

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// Usage is what the server's process has used up since it started.
type Usage struct {
	CPU         time.Duration `json:"cpu"`
	Mallocs     uint64        `json:"mallocs"`
	RSS         int64         `json:"rss"` // bytes, the most there ever were
	StoreWrites int64         `json:"store_writes"`
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
		Sealed: Traffic{u.Sealed.Records - earlier.Sealed.Records, u.Sealed.Bytes - earlier.Sealed.Bytes},
		Opened: Traffic{u.Opened.Records - earlier.Opened.Records, u.Opened.Bytes - earlier.Opened.Bytes},
	}
}

// plus adds what was used up later.
func (u Usage) plus(later Usage) Usage {
	return Usage{
		CPU: u.CPU + later.CPU, Mallocs: u.Mallocs + later.Mallocs, RSS: later.RSS, StoreWrites: u.StoreWrites + later.StoreWrites,
		Sealed: Traffic{u.Sealed.Records + later.Sealed.Records, u.Sealed.Bytes + later.Sealed.Bytes},
		Opened: Traffic{u.Opened.Records + later.Opened.Records, u.Opened.Bytes + later.Opened.Bytes},
	}
}

// each is the store's share of one among n recoveries.
func (u Usage) each(n int64) Usage {
	return Usage{Sealed: Traffic{u.Sealed.Records / n, u.Sealed.Bytes / n}, Opened: Traffic{u.Opened.Records / n, u.Opened.Bytes / n}}
}

// ServeNode is the server's process: it serves the configured node on the listener that it was handed as its fourth
// file, on one core, and answers the words of child on in and out until in ends.
//
// With a profile, a CPU profile of all that it did is written there, for `go tool pprof`.
func ServeNode(path, profile string, in io.Reader, out io.Writer) error {
	stop, err := startProfile(profile)
	if err != nil {
		return err
	}
	return errors.Join(serveNode(path, in, out), stop())
}

func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("write profile: %w", err), file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

func serveNode(path string, in io.Reader, out io.Writer) error {
	if err := pin(); err != nil {
		return err
	}
	node.Tune()
	cfg := node.Defaults()
	if err := config.Load(config.Source{File: path}, &cfg); err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	counted := &countingStore{}
	n, err := node.New(cfg, node.Deps{Logger: logger, Clock: time.Now, Random: rand.Reader, Wrap: counted.around})
	if err != nil {
		return err
	}
	const listenerFile = 3
	listener, err := net.FileListener(os.NewFile(listenerFile, "listener"))
	if err != nil {
		return errors.Join(fmt.Errorf("take over the listener: %w", err), n.Close())
	}
	server := node.NewServer(n, logger)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	err = answer(in, out, counted)
	if stop := server.Close(); stop != nil || !errors.Is(<-failed, http.ErrServerClosed) {
		err = errors.Join(err, stop, errors.New("the server stopped by itself"))
	}
	return errors.Join(err, n.Close())
}

func answer(in io.Reader, out io.Writer, counted *countingStore) error {
	words := bufio.NewScanner(in)
	for words.Scan() {
		word, rest, _ := strings.Cut(words.Text(), " ")
		var reply any
		switch word {
		case "usage":
			reply = usage(counted)
		case "floor":
			var each Usage // of one recovery
			if err := json.Unmarshal([]byte(rest), &each); err != nil {
				return fmt.Errorf("floor of what: %w", err)
			}
			floor, err := cryptoFloor(each)
			if err != nil {
				return err
			}
			reply = floor
		default:
			return fmt.Errorf("unknown word %q", word)
		}
		if err := json.NewEncoder(out).Encode(reply); err != nil {
			return err
		}
	}
	return words.Err()
}

func usage(counted *countingStore) Usage {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return Usage{}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	const kilobyte = 1024
	return Usage{
		CPU:     time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		Mallocs: m.Mallocs, RSS: r.Maxrss * kilobyte, StoreWrites: counted.writes.Load(),
		Sealed: counted.sealed.total(), Opened: counted.opened.total(),
	}
}

// countingStore counts what changes the store, and what is encrypted for it and decrypted from it.
type countingStore struct {
	storage.Store
	writes         atomic.Int64
	sealed, opened counter
}

type counter struct{ records, bytes atomic.Int64 }

func (c *counter) add(r storage.Record) {
	c.records.Add(1)
	c.bytes.Add(int64(len(r.Data)))
}

func (c *counter) total() Traffic { return Traffic{Records: c.records.Load(), Bytes: c.bytes.Load()} }

func (s *countingStore) around(backend storage.Store) storage.Store {
	s.Store = backend
	return s
}

// Create implements storage.Store.
func (s *countingStore) Create(ctx context.Context, r storage.Record) error {
	s.writes.Add(1)
	s.sealed.add(r)
	return s.Store.Create(ctx, r)
}

// Update implements storage.Store.
func (s *countingStore) Update(ctx context.Context, r storage.Record) error {
	s.writes.Add(1)
	s.sealed.add(r)
	return s.Store.Update(ctx, r)
}

// Consume implements storage.Store.
func (s *countingStore) Consume(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	s.writes.Add(1)
	return s.read(s.Store.Consume(ctx, kind, id))
}

// Get implements storage.Store.
func (s *countingStore) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	return s.read(s.Store.Get(ctx, kind, id))
}

func (s *countingStore) read(r storage.Record, err error) (storage.Record, error) {
	if err == nil {
		s.opened.add(r)
	}
	return r, err
}

// Delete implements storage.Store.
func (s *countingStore) Delete(ctx context.Context, kind storage.Kind, id string) error {
	s.writes.Add(1)
	return s.Store.Delete(ctx, kind, id)
}

// Increment implements storage.Store.
func (s *countingStore) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	s.writes.Add(1)
	return s.Store.Increment(ctx, kind, id, window)
}
