package load

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"regain/conformance/testenv"
)

// idleFor is how long the pages are left alone before recoveries begin, to see what they cost.
const idleFor = 2 * time.Second

// reconnect is how long a page waits before it opens a stream again that ended.
const reconnect = time.Second

// waiting are live pages: people who look at the code on the page and do nothing.
type waiting struct {
	n      int
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	failed error // the first page that did not stay open
}

// openWaiting walks so many recoveries to the page that waits for the wallet, and keeps its events open as the page's
// script does: a stream that ends is opened again.
func openWaiting(ctx context.Context, w *testenv.Env, s Setup) (*waiting, error) {
	k, err := newWorker(w, nil, s.Workers, s.TLS)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &waiting{n: s.Waiting, cancel: cancel}
	for i := range s.Waiting {
		if err := p.open(ctx, k); err != nil {
			p.close()
			return nil, fmt.Errorf("open live page %d of %d: %w", i+1, s.Waiting, err)
		}
	}
	return p, nil
}

func (p *waiting) open(ctx context.Context, k *worker) error {
	attempt, err := k.env.RP.Start(ctx, k.account, nil)
	if err != nil {
		return err
	}
	client, done := k.visitor()
	b := &tab{ctx: ctx, client: client, base: k.env.Regain}
	page, err := b.open(attempt.AuthorizeURL)
	if err == nil {
		page, err = b.press(page, "/ask")
	}
	if err != nil {
		done()
		return err
	}
	address := b.base + html.UnescapeString(between(page, `data-events="`, `"`))
	opened := make(chan error, 1)
	p.all.Go(func() {
		defer done()
		err := b.listen(address, opened)
		for err == nil {
			select {
			case <-ctx.Done():
			case <-time.After(reconnect):
			}
			err = b.listen(address, nil)
		}
		if ctx.Err() == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.failed = errors.Join(p.failed, err)
		}
	})
	return <-opened
}

// listen reads the events of a page until the server ends the stream. It tells opened when the first of them is there.
func (b *tab) listen(address string, opened chan<- error) error {
	tell := func(err error) error {
		if opened != nil {
			opened <- err
		}
		opened = nil
		return err
	}
	resp, err := b.send(http.MethodGet, address, "")
	if err != nil {
		return tell(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // to say more than the status
		return tell(fmt.Errorf("live page: status %d: %s", resp.StatusCode, text))
	}
	var event [1 << 10]byte
	for {
		_, err := resp.Body.Read(event[:])
		if errors.Is(err, io.EOF) {
			return tell(nil)
		}
		if tell(err) != nil {
			return err
		}
	}
}

// idle measures what a page costs in a second while nothing happens, in CPU time of the server.
func (p *waiting) idle(ctx context.Context, server *child) (time.Duration, error) {
	if p.n == 0 {
		return 0, nil
	}
	before, err := server.usage()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(idleFor):
	}
	passed := time.Since(start)
	after, err := server.usage()
	if err != nil {
		return 0, err
	}
	return time.Duration(float64(after.since(before).CPU) / passed.Seconds() / float64(p.n)), nil
}

// check returns why a page did not stay open.
func (p *waiting) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

func (p *waiting) close() {
	p.cancel()
	p.all.Wait()
}

// room is a file with what the server's configuration needs beside the test environment's, so that the pages that wait
// are within its bounds.
type room struct{ path string }

func roomFor(s Setup) (room, error) {
	if s.Waiting == 0 {
		return room{}, nil
	}
	directory, err := os.MkdirTemp("", "regain-load-")
	if err != nil {
		return room{}, fmt.Errorf("configure the server: %w", err)
	}
	r := room{filepath.Join(directory, "connections.yaml")}
	// All pages come from one address, which has half of the places at most. Connections are not bounded here, but with
	// more of them than the process may have files there are fewer places for pages.
	text := fmt.Sprintf("connections: {max: %[1]d, per_network: %[2]d, live_pages: %[1]d, live_pages_per_network: %[3]d}\n",
		2*s.Waiting, 2*s.Waiting-1, s.Waiting)
	if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
		return room{}, errors.Join(fmt.Errorf("configure the server: %w", err), os.RemoveAll(directory))
	}
	return r, nil
}

func (r room) remove() {
	if r.path != "" {
		_ = os.RemoveAll(filepath.Dir(r.path)) // it holds no secret
	}
}
