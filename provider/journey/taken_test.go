package journey_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regain/provider/facetest"
	"regain/provider/journey"
	"regain/recovery"
	"regain/storage"
)

// request is what a browser asks of a live page, on a connection of its own.
func (l *live) request(t *testing.T, s *facetest.Started) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+s.Path("/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(s.Cookie)
	return r
}

// Over HTTP/1.1, with TLS and without, a live page has its connection for itself, and says so: content that ends with the
// connection has neither a length nor chunks (RFC 9112 §6.3). Over HTTP/2 it is a stream of a connection that others use.
func TestHowLivePagesAreAnswered(t *testing.T) {
	l := newLive(t, journey.Limits{})
	encrypted := httptest.NewUnstartedServer(l.server.Config.Handler)
	encrypted.EnableHTTP2 = true
	encrypted.StartTLS()
	defer encrypted.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(encrypted.Certificate())
	for name, row := range map[string]struct {
		server *httptest.Server
		http2  bool
		proto  string
	}{
		"plain":           {l.server, false, "HTTP/1.1"},
		"TLS, HTTP/1.1":   {encrypted, false, "HTTP/1.1"},
		"TLS, and HTTP/2": {encrypted, true, "HTTP/2.0"},
	} {
		r := l.request(t, l.env.Start(t).Ask(t))
		r.URL.Scheme, r.URL.Host, _ = strings.Cut(row.server.URL, "://")
		transport := &http.Transport{ForceAttemptHTTP2: row.http2, TLSClientConfig: &tls.Config{RootCAs: authorities, ServerName: "example.com"}}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		closes := resp.ProtoMajor == 1
		if resp.Proto != row.proto || resp.Close != closes || resp.ContentLength != -1 || len(resp.TransferEncoding) != 0 {
			t.Errorf("%s: %s, closes %t, length %d, %q", name, resp.Proto, resp.Close, resp.ContentLength, resp.TransferEncoding)
		}
		for header, want := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"} {
			if got := resp.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		if resp.Header.Get("Correlation-Id") == "" || resp.Header.Get("Date") == "" {
			t.Errorf("%s: the headers are %v", name, resp.Header)
		}
		if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || line != "event: progress\n" {
			t.Errorf("%s: begins with %q, %v", name, line, err)
		}
		_ = resp.Body.Close()
		transport.CloseIdleConnections()
	}
}

// counting counts the connections of a listener that are open.
type counting struct {
	net.Listener
	open atomic.Int64
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (c *counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	var once atomic.Bool
	return &countedConn{conn, func() {
		if once.CompareAndSwap(false, true) {
			c.open.Add(-1)
		}
	}}, nil
}

// A connection that was taken over is open for whoever counts connections until its page is over: by the browser, which may
// leave or send what nobody asked for, or by the node, which stops.
func TestAConnectionThatWasTakenOverIsClosed(t *testing.T) {
	l := newLive(t, journey.Limits{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &counting{Listener: listener}
	server := &http.Server{Handler: l.server.Config.Handler, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(counted) }()
	defer server.Close()
	for _, row := range []struct {
		name string
		end  func(net.Conn)
	}{
		{"the browser leaves", func(c net.Conn) { _ = c.Close() }},
		{"it sends another request", func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }},
		{"the node stops", func(net.Conn) { l.pages.EndLivePages() }},
	} {
		name, end := row.name, row.end
		conn, err := net.Dial("tcp", counted.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := l.request(t, l.env.Start(t).Ask(t)).Write(conn); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(conn)
		for line := ""; line != "event: progress\n"; {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if n := counted.open.Load(); n != 1 {
			t.Errorf("%s: %d connections while the page is open", name, n)
		}
		end(conn)
		for range 500 {
			if counted.open.Load() == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := counted.open.Load(); n != 0 {
			t.Errorf("%s: %d connections are still open", name, n)
		}
		if rest, _ := io.ReadAll(lines); name != "the browser leaves" && strings.Contains(string(rest), "HTTP/1.1") {
			t.Errorf("%s: it was answered with %q", name, rest)
		}
	}
}

// hijackable is a response on one end of a pipe.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// A browser that reads nothing keeps its place for as long as one event may take, and one that reads for as long as a
// connection lasts.
func TestDeadlinesOfAConnectionThatWasTakenOver(t *testing.T) {
	for name, row := range map[string]struct {
		reads bool
		ends  time.Duration
	}{"it reads": {true, 2 * time.Minute}, "it does not": {false, 10 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, sameDevice(), nil)
			s := w.Start(t).Ask(t)
			server, browser := net.Pipe()
			defer browser.Close()
			began := time.Now()
			over := make(chan time.Duration, 1)
			if row.reads {
				go func() {
					_, _ = io.Copy(io.Discard, browser)
					over <- time.Since(began)
				}()
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.Path("/events"), nil)
			r.AddCookie(s.Cookie)
			w.Router.ServeHTTP(&hijackable{httptest.NewRecorder(), server}, r)
			if !row.reads { // the handler waited for the first event to be read
				over <- time.Since(began)
			}
			if took := <-over; took < row.ends || took > row.ends+time.Second {
				t.Errorf("%s: it was over after %s, want %s", name, took, row.ends)
			}
			synctest.Wait()
			if _, err := server.Write([]byte("x")); err == nil {
				t.Errorf("%s: its connection is open", name)
			}
		})
	}
}

// held is a store whose reads wait until it is closed.
type held struct {
	storage.Store
	reads chan struct{}
}

func (h *held) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	<-h.reads
	return h.Store.Get(ctx, kind, id)
}

// broken is a store that panics at every second read: the one of a page that has its place.
type broken struct {
	storage.Store
	reads int
}

func (b *broken) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if b.reads++; b.reads%2 == 0 {
		panic("out of order")
	}
	return b.Store.Get(ctx, kind, id)
}

// A page that fails as nobody expected gives its place back.
func TestAPanicKeepsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiting(t, sameDevice(), nil)
		s := w.Start(t).Ask(t)
		good := w.store.Store
		w.store.Store = &broken{Store: good}
		for range 20 { // a transaction has eight places
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.Path("/events"), nil)
			r.AddCookie(s.Cookie)
			page := httptest.NewRecorder()
			if w.Router.ServeHTTP(page, r); page.Code != http.StatusInternalServerError {
				t.Fatalf("a panic is answered with %d: %s", page.Code, page.Body)
			}
		}
		w.store.Store = good
		w.open(t, s)
		w.pages.EndLivePages()
	})
}

// A node that stops closes its store when no live page reads from it any more, though those that took their connections over
// are no requests that the server knows of. For a page that hangs it waits so long and no longer.
func TestClosingWaitsForPagesThatLook(t *testing.T) {
	for name, row := range map[string]struct {
		takes, closed time.Duration
	}{"a slow store": {3 * time.Second, 3 * time.Second}, "one that hangs": {time.Minute, 5 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, []recovery.Channel{{Wallet: "any", Flow: recovery.FlowCrossDevice}}, nil)
			s := w.Start(t).Ask(t)
			server, browser := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, browser) }()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.Path("/events"), nil)
			r.AddCookie(s.Cookie)
			w.Router.ServeHTTP(&hijackable{httptest.NewRecorder(), server}, r)
			synctest.Wait()
			slow := &held{w.store.Store, make(chan struct{})}
			w.store.Store = slow
			time.Sleep(time.Minute + time.Second) // the QR code is replaced, and the page looks
			synctest.Wait()
			go func() {
				time.Sleep(row.takes)
				close(slow.reads)
			}()
			began := time.Now()
			if err := w.pages.Close(); err != nil || time.Since(began) != row.closed {
				t.Errorf("%s: closed after %s, %v; want %s", name, time.Since(began), err, row.closed)
			}
			time.Sleep(2 * time.Minute)
		})
	}
}

// What a stranger writes on the connection of a live page, in one piece with its request: one answer comes, whose end is that of
// the connection, and nothing of what follows is served.
func TestOneAnswerOnAConnectionThatWasTakenOver(t *testing.T) {
	l := newLive(t, journey.Limits{})
	const another = "GET /static/regain.css HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, row := range map[string]struct {
		proto, headers, behind string
	}{
		"a pipelined request":         {"1.1", "Host: x\r\n", another},
		"many of them":                {"1.1", "Host: x\r\n", strings.Repeat(another, 1000)},
		"kept alive":                  {"1.1", "Host: x\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n", another},
		"HTTP/1.0":                    {"1.0", "", another},
		"HTTP/1.0, kept alive":        {"1.0", "Connection: keep-alive\r\n", another},
		"content that is a request":   {"1.1", fmt.Sprintf("Host: x\r\nContent-Length: %d\r\n", len(another)), another + another},
		"chunks with a request":       {"1.1", "Host: x\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + another},
		"content that is waited for":  {"1.1", "Host: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n", ""},
		"an upgrade":                  {"1.1", "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", another},
		"an upgrade to HTTP/2":        {"1.1", "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		"half a request behind it":    {"1.1", "Host: x\r\n", another[:20]},
		"a null octet and a line end": {"1.1", "Host: x\r\n", "\x00\r\n\r\n"},
	} {
		s := l.env.Start(t).Ask(t)
		conn, err := net.Dial("tcp", strings.TrimPrefix(l.server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/%s\r\n%sCookie: %s=%s\r\n\r\n%s", s.Path("/events"), row.proto, row.headers, s.Cookie.Name, s.Cookie.Value, row.behind)
		answered := bufio.NewReader(conn)
		resp, err := http.ReadResponse(answered, nil)
		if err != nil || resp.StatusCode != http.StatusOK || !resp.Close || resp.ContentLength != -1 || len(resp.TransferEncoding) != 0 || resp.Header.Get("Upgrade") != "" {
			t.Fatalf("%s: %+v, %v", name, resp, err)
		}
		_ = conn.(*net.TCPConn).CloseWrite() // the page is over for whoever sends nothing more
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		rest, err := io.ReadAll(resp.Body)
		if strings.Count(string(rest), "event: progress") > 1 || strings.Contains(string(rest), "HTTP/1") || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: it is answered with %q, %v", name, rest, err)
		}
		_ = conn.Close()
	}
}
