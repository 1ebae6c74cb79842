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
	"slices"
	"sync"
	"time"

	"regain/conformance/testenv"
)

// Defaults and bounds of a run.
const (
	DefaultDuration = 10 * time.Second
	DefaultWorkers  = 4

	maxDuration = time.Minute
	maxWorkers  = 64
)

// Options say how to run.
type Options struct {
	Duration time.Duration
	Workers  int    // recoveries at the same time
	Store    string // memory or file
	Profile  string // file for a CPU profile of the server; "" for none
}

// Report is the line that Run prints.
type Report struct {
	Recoveries             int     `json:"recoveries"`
	Store                  string  `json:"store"`
	RecoveriesPerCPUSecond float64 `json:"recoveries_per_cpu_second"`
	CPUMillis              float64 `json:"cpu_ms_per_recovery"`
	CryptoFloorMillis      float64 `json:"crypto_floor_ms"`
	HTTPFloorMillis        float64 `json:"http_floor_ms"` // as many requests, and nothing done with them
	Ratio                  float64 `json:"ratio"`         // of CPU time to the cryptography
	P50Millis              float64 `json:"p50_ms"`
	P99Millis              float64 `json:"p99_ms"`
	Allocs                 float64 `json:"allocs_per_recovery"`
	RSSMegabytes           float64 `json:"rss_mb"`
	StoreWrites            float64 `json:"store_writes_per_recovery"`
	Requests               float64 `json:"http_requests_per_recovery"`
}

// Run drives recoveries for a while and prints one line of JSON.
func Run(ctx context.Context, o Options, out io.Writer) error {
	report, err := Measure(ctx, o)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(report)
}

// Measure drives recoveries for a while.
func Measure(ctx context.Context, o Options) (Report, error) {
	if o.Duration <= 0 || o.Duration > maxDuration || o.Workers < 1 || o.Workers > maxWorkers {
		return Report{}, fmt.Errorf("load: duration up to %s and 1 to %d workers", maxDuration, maxWorkers)
	}
	if o.Store != "memory" && o.Store != "file" {
		return Report{}, fmt.Errorf("load: store %q: use memory or file", o.Store)
	}
	var server *child
	w, err := testenv.Start(testenv.Options{
		Logger: slog.New(slog.DiscardHandler), Namesakes: o.Workers, Store: o.Store, Elsewhere: spawn(ctx, o.Profile, &server),
	})
	if err != nil {
		return Report{}, err
	}
	report, err := drive(ctx, o, w, server)
	return report, errors.Join(err, w.Close())
}

// warmUp is how many recoveries each worker does before anything is counted.
const warmUp = 20

// slice is how long recoveries run before the floor is measured again: a neighbour who takes a part of the machine takes
// it from both.
const slice = time.Second

func drive(ctx context.Context, o Options, w *testenv.Env, server *child) (Report, error) {
	if err := leave(); err != nil {
		return Report{}, err
	}
	holder, err := newHolder(ctx, w)
	if err != nil {
		return Report{}, err
	}
	workers := make([]*worker, o.Workers)
	for i := range workers {
		workers[i] = &worker{env: w, holder: holder, account: testenv.Namesake(i)}
	}
	if _, err := together(workers, func(k *worker) error { return k.repeat(ctx, func(n int) bool { return n < warmUp }) }); err != nil {
		return Report{}, err
	}
	var run measured
	for left := o.Duration; left > 0; left -= slice {
		if err := run.add(ctx, workers, server, min(left, slice)); err != nil {
			return Report{}, err
		}
	}
	return run.report(o), nil
}

// measured is what a run came to.
type measured struct {
	times  []time.Duration
	used   Usage
	crypto []time.Duration // of one recovery, each slice
	http   []time.Duration
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
	const recoveries = 50
	before, err := server.usage()
	if err != nil {
		return 0, err
	}
	if _, err := together(workers, func(k *worker) error { return k.knock(ctx, requests*recoveries) }); err != nil {
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

func (m *measured) report(o Options) Report {
	slices.Sort(m.times)
	n := float64(len(m.times))
	cpu := float64(m.used.CPU) / n
	floor := mean(m.crypto)
	const percent = 100
	return Report{
		Recoveries: len(m.times), Store: o.Store,
		RecoveriesPerCPUSecond: round(float64(time.Second) / cpu), CPUMillis: millis(cpu), CryptoFloorMillis: millis(floor),
		HTTPFloorMillis: millis(mean(m.http)), Ratio: round(cpu / floor),
		P50Millis: millis(float64(m.times[len(m.times)/2])), P99Millis: millis(float64(m.times[len(m.times)*99/percent])),
		Allocs: round(float64(m.used.Mallocs) / n), RSSMegabytes: round(float64(m.used.RSS) / (1 << 20)),
		StoreWrites: round(float64(m.used.StoreWrites) / n), Requests: round(float64(m.used.Requests) / n),
	}
}

func mean(times []time.Duration) float64 {
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return float64(sum) / float64(len(times))
}

func millis(nanoseconds float64) float64 { return round(nanoseconds / 1e6) }

func round(x float64) float64 {
	const thousandth = 1000
	return float64(int64(x*thousandth+0.5)) / thousandth
}
