package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/node"
	"regain/storage/mongo/mongotest"
)

// journal is a log that a test reads while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// awaits waits until the log has a text.
func (j *journal) awaits(t *testing.T, text string) {
	t.Helper()
	for range 2000 {
		if strings.Contains(j.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log never says %q: %s", text, j)
}

// running is a node that serves.
type running struct {
	address string
	log     *journal
	stop    context.CancelFunc
	ended   chan error
}

func serve(t *testing.T, cfg config.Config) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{address: "http://" + cfg.Listen, log: &journal{}, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- node.Serve(ctx, cfg, slog.New(slog.NewJSONHandler(r.log, nil))) }()
	return r
}

// ask sends one request on a connection of its own.
func (r *running) ask(t *testing.T, method, path, accept string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	client := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	for deadline := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(deadline); resp, err = client.Do(req) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// status wants a status, and what the answer has to say.
func (r *running) status(t *testing.T, path string, want int, says string) {
	t.Helper()
	if resp, body := r.ask(t, http.MethodGet, path, "*/*"); resp.StatusCode != want || !strings.Contains(body, says) {
		t.Errorf("%s: %d %q, want %d and %q", path, resp.StatusCode, body, want, says)
	}
}

// A database that is away when a node starts: the log says which host, why, and when it is tried again; the node lives, is not
// ready, and tells people and programs to come again. When the database comes, the node is ready by itself.
func TestADatabaseThatIsAwayAtTheStart(t *testing.T) {
	server, err := mongotest.StartOwn()
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := mongotest.NewProxy(server.Address())
	if err != nil {
		t.Fatal(err)
	}
	proxy.Away(true)
	cfg := onMongo(t, strings.Replace(proxy.URI, "mongodb://", "mongodb://regain:hunter2@", 1)+"&authMechanism=PLAIN&authSource=$external")
	cfg.Listen = freeAddress(t)
	t.Cleanup(func() {
		if err := errors.Join(proxy.Close(), server.Stop()); err != nil {
			t.Error(err)
		}
	})
	// No model of a server here has users: the node takes a URI without any in the end, and this one only for the log.
	told := serve(t, cfg)
	told.log.awaits(t, "the store is away")
	told.stop()
	if err := <-told.ended; err != nil {
		t.Errorf("told to stop while it waits, it ends with %v", err)
	}
	if log := told.log.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, `"in":`) || !strings.Contains(log, strings.TrimPrefix(proxy.URI[:strings.Index(proxy.URI, "/?")], "mongodb://")) {
		t.Errorf("the log has %s", log)
	}

	uri := cfg.Storage.Mongo
	cfg = onMongo(t, proxy.URI)
	cfg.Storage.Mongo.Database, cfg.Listen = uri.Database, freeAddress(t)
	n := serve(t, cfg)
	n.status(t, "/livez", http.StatusOK, "ok")
	for _, path := range []string{"/readyz", "/healthz"} {
		n.status(t, path, http.StatusServiceUnavailable, `{"status":"starting"}`)
	}
	awaySays(t, n)
	n.log.awaits(t, "the store is away")
	proxy.Away(false)
	n.log.awaits(t, `"msg":"serving"`)
	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		n.status(t, path, http.StatusOK, "ok")
	}
	n.stop()
	if err := errors.Join(<-n.ended, server.Drop(context.Background(), cfg.Storage.Mongo.Database)); err != nil {
		t.Error(err)
	}
}

// awaySays holds what a node that waits answers to those who come all the same.
func awaySays(t *testing.T, n *running) {
	t.Helper()
	for path, button := range map[string]string{
		"/authorize?request_uri=urn:x&client_id=y": `href="/authorize?request_uri=urn:x&amp;client_id=y"`,
		"/recover/T1":           `href="/recover/T1"`,
		"/recover/T1/ask":       `href="/recover/T1"`,
		"/recover/T1/events":    `href="/recover/T1"`,
		"//evil.example/x":      `href="/"`,
		"/logout":               `href="/"`,
		"/openid4vp/request/h1": "",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			resp, body := n.ask(t, method, path, "text/html")
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "5" || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d %v", method, path, resp.StatusCode, resp.Header)
			}
			if method == http.MethodGet && button != "" && (!strings.Contains(body, button) || !strings.Contains(body, "Not available just now")) {
				t.Errorf("%s: the page has no %s: %s", path, button, body)
			}
			if strings.Contains(body, "127.0.0.1:") || strings.Contains(body, "mongo") {
				t.Errorf("%s: the outside is told: %s", path, body)
			}
		}
	}
	for _, path := range []string{"/token", "/par", "/jwks", "/.well-known/openid-configuration", "/openid4vp/response/h1"} {
		resp, body := n.ask(t, http.MethodPost, path, "*/*")
		var answer struct {
			Error string `json:"error"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || resp.StatusCode != http.StatusServiceUnavailable || answer.Error != "temporarily_unavailable" || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	n.status(t, "/", http.StatusOK, "recovery")
	n.status(t, "/static/regain.css", http.StatusOK, "")
}

// A database that takes commands and says nothing keeps nobody from stopping the node.
func TestStoppedWhileItStarts(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // and never accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cfg := onMongo(t, "mongodb://"+silent.Addr().String()+"/?directConnection=true")
	cfg.Storage.Mongo.Timeout, cfg.Listen = time.Minute, freeAddress(t)
	n := serve(t, cfg)
	n.status(t, "/livez", http.StatusOK, "ok")
	began := time.Now()
	n.stop()
	if err := <-n.ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A mistake that waiting does not cure ends the process.
func TestAMistakeEndsTheStart(t *testing.T) {
	server, err := mongotest.StartOwn("8")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop() //nolint:errcheck // it has said what it had to
	cfg := onMongo(t, server.URI)
	cfg.Listen = freeAddress(t)
	if err := <-serve(t, cfg).ended; err == nil || !strings.Contains(err.Error(), "needs MongoDB 4.4") {
		t.Errorf("an old server: %v", err)
	}
	free, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		t.Fatalf("it still listens: %v", err)
	}
	_ = free.Close()
}

// A node that is told to stop says first that it is not ready, and answers all the same, closing each connection, until those
// who send people here have seen it.
func TestReadinessTurnsBeforeTheEnd(t *testing.T) {
	cfg := valid(t)
	cfg.Listen, cfg.ShutdownDelay = freeAddress(t), time.Second
	n := serve(t, cfg)
	n.log.awaits(t, `"msg":"serving"`)
	n.status(t, "/readyz", http.StatusOK, "ok")
	began := time.Now()
	n.stop()
	n.log.awaits(t, "not ready any more")
	for _, path := range []string{"/readyz", "/healthz"} {
		n.status(t, path, http.StatusServiceUnavailable, `{"status":"stopping"}`)
	}
	resp, _ := n.ask(t, http.MethodGet, "/livez", "*/*")
	if resp.StatusCode != http.StatusOK || !resp.Close {
		t.Errorf("alive: %d, and the connection closes: %t", resp.StatusCode, resp.Close)
	}
	n.status(t, "/.well-known/openid-configuration", http.StatusOK, "issuer")
	if err := <-n.ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < time.Second || took > 5*time.Second {
		t.Errorf("it stops after %s", took)
	}
	if log := n.log.String(); strings.Index(log, "not ready any more") > strings.Index(log, `"msg":"stopping"`) {
		t.Errorf("the log has %s", log)
	}
}
