package crash

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"regain/conformance/mongoserver"
)

// database is the database of a run, and what stands before it.
type database struct {
	*mongoserver.Database
	restart string // command line; "" for none
	proxy   *proxy
	storage map[string]any // of the nodes' configuration
}

// openDatabase starts the test server, or takes the one that the options name, and a database of its own there.
func openDatabase(o Options, place string) (*database, error) {
	own, err := mongoserver.Open(o.MongoURI)
	if err != nil {
		return nil, err
	}
	d := &database{Database: own, restart: o.MongoRestart}
	u, err := url.Parse(own.URI)
	if err != nil {
		return nil, errors.Join(errors.New("crash: --mongo-uri: it is no URI"), own.Close())
	}
	server := u.Host
	if u.Port() == "" {
		server = net.JoinHostPort(u.Hostname(), "27017")
	}
	if d.proxy, err = newProxy(server); err != nil {
		return nil, errors.Join(err, own.Close())
	}
	// One connection to one address: the driver must not learn of the server's own, and go past the proxy.
	query := u.Query()
	query.Set("directConnection", "true")
	u.Host, u.RawQuery = d.proxy.address(), query.Encode()
	if u.Path == "" {
		u.Path = "/"
	}
	file := filepath.Join(place, "mongo.uri")
	if err := os.WriteFile(file, []byte(u.String()), 0o600); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.storage = map[string]any{"backend": storeMongo, "mongo": map[string]any{"uri": map[string]any{"file": file}, "database": own.Name, "timeout": callTimeout.String()}}
	return d, nil
}

func (d *database) close() error { return errors.Join(d.proxy.close(), d.Close()) }

// fail has the faults come, in their order, until ctx ends.
func (r *run) fail(ctx context.Context) error {
	for _, f := range r.schedule.faults {
		for r.progress() < f.at {
			if !sleep(ctx, look) {
				return nil
			}
		}
		if err := r.cluster.database.do(ctx, f); err != nil {
			return err
		}
		r.tally.fault(f.kind)
		ended := time.Now()
		if r.anyHealthy(ctx) {
			r.tally.recovered(&r.tally.worstDatabase, time.Since(ended))
		}
	}
	return nil
}

// anyHealthy waits until a node says that the store can be written, and reports whether one did.
func (r *run) anyHealthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		for _, n := range r.cluster.nodes {
			if healthy(ctx, client, n.base) {
				return true
			}
		}
		_ = sleep(ctx, look) // the loop sees it
	}
	return false
}

// sleep reports whether it was not cut short.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// do has one fault come, and go.
func (d *database) do(ctx context.Context, f fault) error {
	milliseconds := f.lasts.Milliseconds()
	switch f.kind {
	case FaultCut:
		d.proxy.cut(true)
		sleep(ctx, f.lasts)
		d.proxy.cut(false)
	case FaultReset:
		const between = 100
		for range 1 + milliseconds/between {
			d.proxy.reset()
			sleep(ctx, between*time.Millisecond)
		}
	case FaultSlow:
		d.during(ctx, f, &toxics.LatencyToxic{Latency: f.amount, Jitter: f.amount / 2}, true)
	case FaultSliced:
		const microseconds = 1000
		d.during(ctx, f, &toxics.SlicerToxic{AverageSize: int(f.amount), SizeVariation: int(f.amount / 2), Delay: microseconds}, true)
	case FaultTorn:
		d.during(ctx, f, &toxics.LimitDataToxic{Bytes: f.amount}, false)
	case FaultRestart:
		return d.startAgain(ctx, f.lasts)
	}
	return nil
}

// during has all that passes go through a toxic for a while.
func (d *database) during(ctx context.Context, f fault, toxic toxics.Toxic, both bool) {
	d.proxy.poison(toxic, both)
	sleep(ctx, f.lasts)
	d.proxy.poison(nil, false)
}

// startAgain restarts the database, or does what comes nearest.
func (d *database) startAgain(ctx context.Context, lasts time.Duration) error {
	switch {
	case d.InMemory():
		if err := d.Pause(); err != nil {
			return err
		}
		sleep(ctx, lasts)
		d.proxy.cut(true)
		err := d.Resume()
		d.proxy.cut(false)
		return err
	case d.restart == "":
		d.proxy.cut(true)
		sleep(ctx, lasts)
		d.proxy.cut(false)
		return nil
	}
	if out, err := exec.CommandContext(ctx, "sh", "-c", d.restart).CombinedOutput(); err != nil && ctx.Err() == nil { //nolint:gosec // whoever runs this chose the command
		return fmt.Errorf("--mongo-restart: %w: %s", err, out)
	}
	return nil
}
