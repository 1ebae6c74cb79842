package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/people"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/storage/mongo/mongotest"
)

// site is two nodes in processes of their own, over one database, behind a balancer that gives each request to the next node
// that says it is ready. The balancer repeats nothing: what a node loses is lost.
type site struct {
	t       *testing.T
	config  string
	nodes   [2]atomic.Pointer[program]
	ready   [2]atomic.Bool
	counts  [2]atomic.Int64
	turn    atomic.Int64
	server  *http.Server
	ended   context.CancelFunc
	probing sync.WaitGroup
}

// run starts a node, and replaces the one that was in its place.
func (s *site) run(i int) {
	s.t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	p := &program{address: free.Addr().String()}
	if err := free.Close(); err != nil {
		s.t.Fatal(err)
	}
	name := fmt.Sprintf("node-%d", i)
	p.cmd = exec.CommandContext(s.t.Context(), "regain", "serve", "--config", s.config, "--listen", p.address)
	p.cmd.Env = append(os.Environ(), "REGAIN_AUDIT__NODE="+name, "REGAIN_AUDIT__FILE="+filepath.Join(filepath.Dir(s.config), name+".jsonl"))
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.nodes[i].Store(p)
}

// probe asks a node whether it is ready, as a balancer does, until the end.
func (s *site) probe(ctx context.Context, i int) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	for ctx.Err() == nil {
		ready := false
		if p := s.nodes[i].Load(); p != nil {
			if answer, err := client.Get("http://" + p.address + "/readyz"); err == nil { //nolint:noctx // bounded by the client's own time-out
				_ = answer.Body.Close()
				ready = answer.StatusCode == http.StatusOK
			}
		}
		s.ready[i].Store(ready)
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *site) awaitReady(i int) {
	s.t.Helper()
	for range 1000 {
		if s.ready[i].Load() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("node %d never becomes ready: %s", i, s.nodes[i].Load().said())
}

// ServeHTTP passes a request on.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first := int(s.turn.Add(1))
	for n := range s.nodes {
		i := (first + n) % len(s.nodes)
		if !s.ready[i].Load() {
			continue
		}
		s.counts[i].Add(1)
		to := &url.URL{Scheme: "http", Host: s.nodes[i].Load().address}
		(&httputil.ReverseProxy{FlushInterval: -1, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		}}).ServeHTTP(w, r)
		return
	}
	http.Error(w, "no node is ready", http.StatusBadGateway)
}

// Close implements io.Closer.
func (s *site) Close() error {
	s.ended()
	err := s.server.Close()
	for i := range s.nodes {
		if p := s.nodes[i].Load(); p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	s.probing.Wait()
	return err
}

func startSite(t *testing.T) (*site, *testenv.Env) {
	t.Helper()
	database, err := mongotest.StartOwn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	directory := t.TempDir()
	uri, shared := filepath.Join(directory, "mongo.uri"), filepath.Join(directory, "shared.yaml")
	config := fmt.Sprintf("shutdown_delay: 500ms\nstorage: {backend: mongo, mongo: {uri: {file: %s}, database: regain-test-%s}}\n", uri, rand.Text())
	if err := errors.Join(os.WriteFile(uri, []byte(database.URI), 0o600), os.WriteFile(shared, []byte(config), 0o600)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &site{t: t, ended: stop}
	env, err := testenv.Start(testenv.Options{
		Namesakes: 8, Configuration: shared, Logger: slog.New(slog.DiscardHandler), Studio: &people.Studio{},
		Elsewhere: func(config string, l *net.TCPListener) (io.Closer, error) {
			s.config = config
			for i := range s.nodes {
				s.run(i)
				s.probing.Go(func() { s.probe(ctx, i) })
			}
			s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
			go s.server.Serve(l) //nolint:errcheck // it ends with the site
			return s, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, env
}

// traveller recovers one account again and again, and takes no failure.
type traveller struct {
	env     *testenv.Env
	account string
	wallet  *wallet.Wallet
}

type sampleCamera struct{ studio *people.Studio }

// Selfie implements wallet.Camera.
func (c sampleCamera) Selfie(context.Context) ([]byte, error) {
	person := people.Samples()[0]
	return c.studio.Selfie(person, people.Conditions{Light: person.Light, Seed: 1})
}

func newTraveller(t *testing.T, env *testenv.Env, n int) *traveller {
	t.Helper()
	w, err := env.NewWallet(sampleCamera{&people.Studio{}}, env.Clock)
	if err != nil {
		t.Fatal(err)
	}
	offer, err := env.Issuer.Offer(people.Samples()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Accept(t.Context(), env.Wallet+"/offer?"+url.Values{"credential_offer_uri": {offer}}.Encode()); err != nil {
		t.Fatal(err)
	}
	return &traveller{env, testenv.Namesake(n), w}
}

// recovers goes from the pushed request to the pass.
func (k *traveller) recovers(ctx context.Context) error {
	attempt, err := k.env.RP.Start(ctx, k.account, nil)
	if err != nil {
		return err
	}
	b := browser.New(browser.Config{HTTPClient: k.env.Client, StopAt: func(u *url.URL) bool { return u.Host == "program.localhost" }})
	press := func(page *browser.Page, id string) (*browser.Page, error) {
		form, ok := page.Form(id)
		if !ok {
			return nil, fmt.Errorf("no %s: %d %s", id, page.Status, page.Text())
		}
		return b.Submit(ctx, form, nil)
	}
	page, err := b.Open(ctx, attempt.AuthorizeURL)
	if err != nil {
		return err
	}
	if page, err = press(page, "have-verified-id"); err != nil {
		return err
	}
	link, _ := page.Link("open-wallet")
	request, err := k.wallet.Review(ctx, link)
	if err != nil {
		return err
	}
	if err := k.wallet.FaceCheck(ctx, request.FaceCheckFor()); err != nil {
		return err
	}
	next, err := k.wallet.Share(ctx, request, wallet.ShareOptions{})
	if err != nil {
		return err
	}
	if page, err = b.Open(ctx, next); err != nil {
		return err
	}
	if page, err = press(page, "finish"); err != nil {
		return err
	}
	code, err := k.env.RP.Code(attempt, page.URL.String())
	if err != nil {
		return err
	}
	tokens, err := k.env.RP.Redeem(ctx, attempt, code)
	if err != nil {
		return err
	}
	recovered, err := k.env.RP.Check(ctx, attempt, k.account, tokens)
	if err == nil && recovered.Recovery.Pass.Value == "" {
		err = errors.New("no pass")
	}
	return err
}

// Each node of a site is restarted while people recover: every recovery ends with its pass, none of their requests fails, and
// each of them is answered by both nodes. A page that waits is told to connect again, and goes on at the other node.
func TestRollingRestart(t *testing.T) {
	s, env := startSite(t)
	for i := range s.nodes {
		s.awaitReady(i)
	}
	waiting := liveRequest(t, env)
	streamClient := &http.Client{Transport: env.Client.Transport}
	live := func() *http.Response {
		t.Helper()
		answer, err := streamClient.Do(waiting.Clone(t.Context()))
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("the live page: %v, %v", answer, err)
		}
		return answer
	}
	page := live()
	over := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, page.Body)
		over <- err
	}()

	ctx, stop := context.WithCancel(t.Context())
	var done atomic.Int64
	var walking atomic.Bool
	walking.Store(true)
	var people sync.WaitGroup
	for n := range 2 {
		k := newTraveller(t, env, n)
		people.Go(func() {
			for walking.Load() {
				if err := k.recovers(ctx); err != nil {
					t.Errorf("recovery of %s: %v", k.account, err)
					return
				}
				done.Add(1)
			}
		})
	}
	progress := func() {
		t.Helper()
		for enough, n := done.Load()+4, 0; done.Load() < enough && !t.Failed(); n++ {
			if time.Sleep(20 * time.Millisecond); n > 1000 {
				t.Fatal("no recovery gets on")
			}
		}
	}
	for i := range s.nodes {
		progress()
		p := s.nodes[i].Load()
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("node %d ends with %v: %s", i, err, p.said())
		}
		progress() // by the other one
		s.run(i)
		s.awaitReady(i)
	}
	progress()
	walking.Store(false)
	people.Wait()
	stop()
	select {
	case err := <-over:
		if err != nil {
			t.Errorf("the live page ends with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the live page outlived its node")
	}
	again := live()
	defer again.Body.Close()
	if text, err := io.ReadAll(io.LimitReader(again.Body, int64(len("event: progress")))); err != nil || string(text) != "event: progress" {
		t.Errorf("connected again, it says %q, %v", text, err)
	}
	t.Logf("%d recoveries; the nodes answered %d and %d requests", done.Load(), s.counts[0].Load(), s.counts[1].Load())
	if s.counts[0].Load() < 20 || s.counts[1].Load() < 20 {
		t.Errorf("the nodes answered %d and %d requests", s.counts[0].Load(), s.counts[1].Load())
	}
}
