package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/people"
	"regain/conformance/testenv"
)

// program is `regain serve` in a process of its own, with its log.
type program struct {
	cmd     *exec.Cmd
	address string

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// awaits waits until the log has a text.
func (p *program) awaits(t testing.TB, text string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(p.said(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log never says %s: %s", text, p.said())
}

// Close kills the program, if it still runs.
func (p *program) Close() error {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
	return nil
}

// start starts the program in a test environment.
func start(t testing.TB, o testenv.Options) (*program, *testenv.Env) {
	t.Helper()
	p := &program{}
	o.Logger = slog.New(slog.DiscardHandler)
	o.Elsewhere = func(config string, l *net.TCPListener) (io.Closer, error) {
		p.address = l.Addr().String()
		if err := l.Close(); err != nil {
			return nil, err
		}
		p.cmd = exec.CommandContext(t.Context(), "regain", "serve", "--config", config, "--listen", p.address)
		p.cmd.Stderr = p
		return p, p.cmd.Start()
	}
	env, err := testenv.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Close(); err != nil {
			t.Error(err)
		}
	})
	p.awaits(t, `"msg":"serving"`)
	return p, env
}

// livePage opens a recovery up to its live page, and reads what that says first.
func livePage(t *testing.T, env *testenv.Env) io.ReadCloser {
	t.Helper()
	resp, err := env.Client.Do(liveRequest(t, env))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || line != "event: progress\n" {
		t.Fatalf("the live page says %q, %v", line, err)
	}
	return resp.Body
}

// liveRequest opens a recovery, and returns the request that its page makes for its events.
func liveRequest(t testing.TB, env *testenv.Env) *http.Request {
	t.Helper()
	attempt, err := env.RP.Start(t.Context(), people.Samples()[0].Account, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := browser.New(browser.Config{HTTPClient: env.Client})
	page, err := b.Open(t.Context(), attempt.AuthorizeURL)
	if err != nil {
		t.Fatal(err)
	}
	form, ok := page.Form("have-verified-id")
	if !ok {
		t.Fatalf("no button: %s", page.Text())
	}
	if page, err = b.Submit(t.Context(), form, url.Values{}); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page.URL.String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Cookies(page.URL.String()) {
		r.AddCookie(c)
	}
	return r
}

// A node that is told to stop ends its live pages, finishes the requests under way, says so, and is content, whatever
// strangers hold open.
func TestStop(t *testing.T) {
	p, env := start(t, testenv.Options{Store: "file"})
	live := livePage(t, env)
	defer live.Close()

	dialer := net.Dialer{Timeout: time.Second}
	connect := func() net.Conn {
		conn, err := dialer.DialContext(context.Background(), "tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	const head, rest = "grant_type=authoriza", "tion_code&code=x"
	underWay, silent := connect(), connect()
	fmt.Fprintf(underWay, "POST /token HTTP/1.1\r\nHost: regain\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(head+rest), head)
	_, _ = silent.Write([]byte("GET / HT"))
	time.Sleep(100 * time.Millisecond) // for the server to begin to read

	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.awaits(t, `"msg":"stopping"`)
	if _, err := io.Copy(io.Discard, live); err != nil {
		t.Errorf("the live page ends with %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the live page went on for %s", took)
	}
	if _, err := underWay.Write([]byte(rest)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(underWay), nil)
	if err != nil {
		t.Fatalf("the request under way: %v", err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(answer), `"error":"invalid_client"`) {
		t.Errorf("the request under way: %d %s, %v", resp.StatusCode, answer, err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ends with %v: %s", err, p.said())
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("it took %s", took)
	}
	if !strings.Contains(p.said(), `"msg":"stopped"`) {
		t.Error("it does not say that it stopped")
	}
}
