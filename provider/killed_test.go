package provider_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// killedStore stops the node within one operation of its store: the request in progress goes no further, before the
// operation or after it, as if the process had been killed there. The file is what the operation left.
type killedStore struct {
	mu     sync.Mutex
	count  int
	at     int // 0: none
	after  bool
	killed chan struct{} // closed when operation number at is reached
	ended  chan struct{} // closed at the end of the test, for the requests that hang
}

// arm has operation number at kill the node, counted from now. It returns how many there were since the last time.
func (s *killedStore) arm(at int, after bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.count
	s.count, s.at, s.after, s.killed = 0, at, after, make(chan struct{})
	return count
}

func (s *killedStore) do(work func() error) error {
	s.mu.Lock()
	s.count++
	here, after, killed := s.count == s.at, s.after, s.killed
	s.mu.Unlock()
	var err error
	if !here || after {
		err = work()
	}
	if here {
		close(killed)
		<-s.ended
	}
	return err
}

// mortal is a test environment whose Regain is a node on the file store that can be killed and started again.
type mortal struct {
	*fixture
	cfg   config.Config
	store *killedStore

	mu   sync.Mutex
	node *node.Node
}

func setUpMortal(t *testing.T) *mortal {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &mortal{cfg: config.Defaults(), store: &killedStore{ended: make(chan struct{})}}
	t.Cleanup(func() { close(m.store.ended) })
	m.fixture = setUpEnv(t, testenv.Options{Namesakes: 128, Store: "file", Elsewhere: func(path string, l *net.TCPListener) (io.Closer, error) {
		if err := config.Load(config.Source{File: path}, &m.cfg); err != nil {
			return nil, err
		}
		m.cfg.Clients = append(m.cfg.Clients, screenClient(secret))
		if err := m.start(); err != nil {
			return nil, err
		}
		server := node.NewServer(m, slog.New(slog.DiscardHandler))
		go func() { _ = server.Serve(l) }() // until it is closed
		return closers{server, m}, nil
	}})
	return m
}

type closers []io.Closer

func (all closers) Close() error {
	var problems []error
	for _, c := range all {
		problems = append(problems, c.Close())
	}
	return errors.Join(problems...)
}

func (m *mortal) start() error {
	n, err := node.New(m.cfg, node.Deps{
		Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader,
		Wrap: func(s storage.Store) storage.Store { return around(s, m.store.do) },
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.node = n
	return err
}

func (m *mortal) current() *node.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.node
}

func (m *mortal) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.current().ServeHTTP(w, r) }

func (m *mortal) Close() error { return m.current().Close() }

// killed does work, which is cut off when the node is killed in it, and starts the node again. It reports whether it was.
func (m *mortal) killed(t *testing.T, at int, after bool, work func(ctx context.Context)) bool {
	t.Helper()
	m.store.arm(at, after)
	ctx, cut := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(ctx)
	}()
	was := false
	select {
	case <-m.store.killed:
		was = true
	case <-done:
	}
	cut()
	<-done
	m.store.arm(0, false)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.start(); err != nil {
		t.Fatal(err)
	}
	return was
}

// recovered visits the page after the restart, presses its one button twice, and reports whether the client got a pass by
// the last of the two.
func (m *mortal) recovered(t *testing.T, page string) (passes int) {
	t.Helper()
	for range 2 {
		shown, err := m.browser.Open(t.Context(), page)
		if err != nil || shown.Status != http.StatusOK {
			t.Fatalf("the page: %d, %v", shown.Status, err)
		}
		button := "finish"
		if shown.Has("start-again") {
			button = "start-again"
		}
		back := m.press(t, shown, button)
		if back.URL.Host != "program.localhost" {
			t.Fatalf("%s led to %d %s", button, back.Status, back.Text())
		}
		code, err := m.RP.Code(m.attempt, back.URL.String())
		if (err == nil) != (button == "finish") {
			t.Fatalf("%s: %v", button, err)
		}
		if err != nil {
			if !strings.Contains(shown.Text(), "tart a new recovery") && !strings.Contains(shown.Text(), "start again there") {
				t.Fatalf("the page does not say what to do: %s", shown.Text())
			}
			continue
		}
		if !strings.Contains(shown.Text(), "Continue") {
			t.Fatalf("the page does not say what to do: %s", shown.Text())
		}
		if passes == 1 {
			t.Fatal("there is a code after the pass")
		}
		if tokens, err := m.RP.Redeem(t.Context(), m.attempt, code); err != nil || tokens.RecoveryToken == "" {
			t.Fatalf("the code of the page that was there after the restart: %v", err)
		}
		passes++
	}
	return passes
}

// approvedNamesake is the page of an approved recovery of another account.
func (m *mortal) approvedNamesake(t *testing.T, n int) *browser.Page {
	t.Helper()
	page := m.press(t, m.fixture.start(t, testenv.Namesake(n)), "have-verified-id")
	next, err := m.browser.Open(t.Context(), m.share(t, m.review(t, page)))
	return m.must(t, next, err)
}

// The node is killed within every operation of the store that the token endpoint or the step before it does, and started
// again: the page that the person finds says what happened, its button works, and there is one pass at most.
func TestKilledAndRestarted(t *testing.T) {
	m := setUpMortal(t)
	for name, step := range map[string]func(ctx context.Context, page *browser.Page, code string){
		"token endpoint": func(ctx context.Context, _ *browser.Page, code string) {
			_, _ = m.RP.Redeem(ctx, m.attempt, code)
		},
		"back to the client": func(ctx context.Context, page *browser.Page, _ string) {
			form, _ := page.Form("finish")
			_, _ = m.browser.Submit(ctx, form, nil)
		},
	} {
		killed, gone := 0, 0
		for _, after := range []bool{false, true} {
			for at := 1; ; at++ {
				account := len(name)%2*64 + killed // names of their own
				page := m.approvedNamesake(t, account)
				code := ""
				if name == "token endpoint" {
					back := m.press(t, page, "finish")
					var err error
					if code, err = m.RP.Code(m.attempt, back.URL.String()); err != nil {
						t.Fatal(err)
					}
				}
				if !m.killed(t, at, after, func(ctx context.Context) { step(ctx, page, code) }) {
					break
				}
				killed++
				passes := m.recovered(t, page.URL.String())
				if passes == 0 {
					gone++
				}
				log, err := os.ReadFile(m.AuditLog())
				if err != nil {
					t.Fatal(err)
				}
				transaction := strings.TrimPrefix(page.URL.Path, "/recover/")
				if n := issuings(string(log), transaction); n > 1 || n < passes {
					t.Errorf("%s, operation %d, after it %t: %d passes were begun, the client has %d", name, at, after, n, passes)
				}
			}
		}
		t.Logf("%s: killed %d times; %d recoveries had to start anew", name, killed, gone)
		if killed < 8 || gone == killed {
			t.Errorf("%s: killed %d times, of which %d start anew", name, killed, gone)
		}
	}
}

// issuings counts the audit records of a pass that is about to be issued.
func issuings(log, transaction string) int {
	n := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"pass_issuing"`) && strings.Contains(line, transaction) {
			n++
		}
	}
	return n
}

// The same where the person sees the pass: the page never shows it twice, and leads on.
func TestKilledAtTheScreen(t *testing.T) {
	m := setUpMortal(t)
	killed := 0
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			address := m.Regain + "/authorize?" + url.Values{
				"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}, "login_hint": {testenv.Namesake(killed)},
			}.Encode()
			first, err := m.browser.Open(t.Context(), address)
			page := m.press(t, m.must(t, first, err), "have-verified-id")
			next, err := m.browser.Open(t.Context(), m.share(t, m.review(t, page)))
			page = m.must(t, next, err)
			form, ok := page.Form("show-pass")
			if !ok {
				t.Fatal(page.Text())
			}
			if !m.killed(t, at, after, func(ctx context.Context) { _, _ = m.browser.Submit(ctx, form, nil) }) {
				break
			}
			killed++
			shown, err := m.browser.Open(t.Context(), page.URL.String())
			m.must(t, shown, err)
			switch {
			case shown.Has("show-pass"):
				if pass := m.press(t, shown, "show-pass"); !pass.Has("pass") {
					t.Errorf("operation %d, after it %t: %d %s", at, after, pass.Status, pass.Text())
				}
			case shown.Has("finish"), shown.Has("start-again"):
				button := "finish"
				if shown.Has("start-again") {
					button = "start-again"
				}
				if back := m.press(t, shown, button); back.URL.Host != "program.localhost" || !strings.Contains(shown.Text(), "tart a new recovery") {
					t.Errorf("operation %d, after it %t: %s led to %d %s, from %s", at, after, button, back.Status, back.Text(), shown.Text())
				}
			default:
				t.Errorf("operation %d, after it %t: no way on: %s", at, after, shown.Text())
			}
		}
	}
	if t.Logf("killed %d times", killed); killed < 8 {
		t.Errorf("killed %d times", killed)
	}
}
