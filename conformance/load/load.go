// Package load measures what a whole recovery costs the server: from the pushed request to the pass that was used.
//
// The server runs in a process of its own, pinned to one core, and reports its own CPU time, allocations, memory and
// store writes. This process plays everybody else: the relying party, the browser, the wallet. Every second of the run,
// on the same core, the server's process measures the bare cryptography of one recovery with the standard library and
// nothing around it. What is reported is the ratio of the two: machines differ, and are shared; the ratio hardly moves.
package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"regain/conformance/mongoserver"
	"regain/conformance/testenv"
)

// Run measures each configuration in turn and prints a line of JSON for it, and with Options.Compare one for its ratios to
// an earlier run.
func Run(ctx context.Context, o Options, out io.Writer) error {
	if err := o.validate(); err != nil {
		return err
	}
	var past *earlier
	if o.Compare != "" {
		var err error
		if past, err = readEarlier(o.Compare, o.setups()); err != nil {
			return err
		}
	}
	if slices.Contains(o.Stores, onServer) && o.MongoURI == "" {
		fmt.Fprintln(os.Stderr, "mongo: "+mongoserver.NotModelled+". Counts and the node's own CPU time are fair figures; times and throughput are not: give --mongo-uri for those.")
	}
	lines := json.NewEncoder(out)
	for _, s := range o.setups() {
		report, err := measure(ctx, o, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		if err := lines.Encode(report); err != nil {
			return err
		}
		if past == nil {
			continue
		}
		comparison, err := past.compare(report)
		if err != nil {
			return err
		}
		if err := lines.Encode(comparison); err != nil {
			return err
		}
	}
	return nil
}

// measure starts a server and everybody else, and drives recoveries for a while.
func measure(ctx context.Context, o Options, s Setup) (Report, error) {
	room, err := roomFor(s)
	if err != nil {
		return Report{}, err
	}
	defer room.remove()
	var server *child
	w, err := testenv.Start(testenv.Options{
		Logger: slog.New(slog.DiscardHandler), Namesakes: s.Workers + 1, Store: s.Store, MongoURI: o.MongoURI, TLS: s.TLS, Configuration: room.path,
		Elsewhere: spawn(ctx, o.Profile, &server),
	})
	if err != nil {
		return Report{}, err
	}
	report, err := drive(ctx, o, s, w, server)
	return report, errors.Join(err, w.Close())
}

// warmUp returns how many recoveries each worker does before anything is counted.
func warmUp(workers int) int {
	const most, least, all = 20, 3, 80
	return min(most, max(least, all/workers))
}

// slice is how long recoveries run before the floor is measured again: a neighbour who takes a part of the machine takes
// it from both.
const slice = time.Second

func drive(ctx context.Context, o Options, s Setup, w *testenv.Env, server *child) (Report, error) {
	if err := leave(); err != nil {
		return Report{}, err
	}
	holder, err := newHolder(ctx, w)
	if err != nil {
		return Report{}, err
	}
	workers := make([]*worker, s.Workers)
	for i := range workers {
		if workers[i], err = newWorker(w, holder, i, s.TLS); err != nil {
			return Report{}, err
		}
		defer workers[i].client.CloseIdleConnections()
	}
	if _, err := together(workers, func(k *worker) error { return k.repeat(ctx, func(n int) bool { return n < warmUp(s.Workers) }) }); err != nil {
		return Report{}, err
	}
	pages, err := openWaiting(ctx, w, s)
	if err != nil {
		return Report{}, err
	}
	defer pages.close()
	run := measured{setup: s}
	if run.waiting, err = pages.idle(ctx, server); err != nil {
		return Report{}, err
	}
	for left := o.Duration; left > 0; left -= slice {
		if err := run.add(ctx, workers, server, min(left, slice)); err != nil {
			return Report{}, err
		}
	}
	return run.report(), pages.check()
}

// measured is what a run came to.
type measured struct {
	setup   Setup
	times   []time.Duration
	used    Usage
	crypto  []time.Duration // of one recovery, each slice
	http    []time.Duration
	waiting time.Duration // CPU time of one live page in one second
}

// add runs one slice: recoveries for a while, and the cryptography of as many records as they had.
func (m *measured) add(ctx context.Context, workers []*worker, server *child, d time.Duration) error {
	before, err := server.usage()
	if err != nil {
		return err
	}
	end := time.Now().Add(d)
	times, err := together(workers, func(k *worker) error {
		return k.repeat(ctx, func(n int) bool { return n == 0 || time.Now().Before(end) })
	})
	if err != nil {
		return err
	}
	after, err := server.usage()
	if err != nil {
		return err
	}
	used := after.since(before)
	floor, err := server.floor(used.each(int64(len(times))))
	if err != nil {
		return err
	}
	bare, err := bareHTTP(ctx, workers, server, used.Requests/int64(len(times)))
	if err != nil {
		return err
	}
	m.times, m.used = append(m.times, times...), m.used.plus(used)
	m.crypto, m.http = append(m.crypto, floor), append(m.http, bare)
	return nil
}

// bareHTTP measures what the requests of one recovery cost without what they ask for.
func bareHTTP(ctx context.Context, workers []*worker, server *child, requests int64) (time.Duration, error) {
	const all = 200 // recoveries' worth, shared among the workers
	recoveries := max(1, all/len(workers))
	before, err := server.usage()
	if err != nil {
		return 0, err
	}
	if _, err := together(workers, func(k *worker) error { return k.knock(ctx, requests*int64(recoveries)) }); err != nil {
		return 0, err
	}
	after, err := server.usage()
	if err != nil {
		return 0, err
	}
	return after.since(before).CPU / time.Duration(recoveries*len(workers)), nil
}

// together runs the workers at once and returns how long each of their recoveries took.
func together(workers []*worker, work func(*worker) error) ([]time.Duration, error) {
	var wg sync.WaitGroup
	errs := make([]error, len(workers))
	for i, k := range workers {
		k.times = nil
		wg.Go(func() { errs[i] = work(k) })
	}
	wg.Wait()
	var times []time.Duration
	for _, k := range workers {
		times = append(times, k.times...)
	}
	return times, errors.Join(errs...)
}
