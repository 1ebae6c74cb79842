package journey_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	"testing"
	"time"

	"regain/provider/facetest"
	"regain/provider/journey"
	"regain/recovery"
)

// live are the live pages of one server.
type live struct {
	env    *facetest.Env
	pages  *journey.Pages
	server *httptest.Server
}

func newLive(t *testing.T, limits journey.Limits) *live {
	t.Helper()
	e := facetest.New(t, nil)
	p, err := journey.New(journey.Deps{
		Issuer: facetest.Issuer, Web: e.Web, Binding: e.Binding, Recovery: e.Recovery, Wallets: facetest.Wallets{}, Clock: e.Clock, LivePages: limits,
		Client: func(context.Context, recovery.Transaction) (journey.Client, error) { return idp(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Mount(e.Txn)
	server := httptest.NewServer(e.Router)
	t.Cleanup(server.Close)
	return &live{e, p, server}
}

// open opens a live page from an address of loopback, and waits for its first event.
func (l *live) open(t *testing.T, s *facetest.Started, from string) (status int, stream io.ReadCloser) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+s.Path("/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(s.Cookie)
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if _, err := bufio.NewReaderSize(resp.Body, 16).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Body
}

// A flood of live pages takes its network's places, or all, and no more; a place that is left is free.
func TestLivePagesAreBounded(t *testing.T) {
	l := newLive(t, journey.Limits{Total: 5, PerNetwork: 3})
	first, second := l.env.Start(t).Ask(t), l.env.Start(t).Ask(t) // of one network: a recovery more gains nothing
	var streams []io.ReadCloser
	for i, row := range []struct {
		of   *facetest.Started
		from string
		want int
	}{
		{first, "127.0.0.1", 200}, {first, "127.0.0.1", 200}, {second, "127.0.0.1", 200}, {second, "127.0.0.1", 429},
		{second, "127.0.0.2", 200}, {second, "127.0.0.3", 200}, {second, "127.0.0.4", 429},
	} {
		status, stream := l.open(t, row.of, row.from)
		if status != row.want {
			t.Errorf("page %d, from %s: %d, want %d", i, row.from, status, row.want)
		}
		streams = append(streams, stream)
	}
	if err := streams[0].Close(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if status, _ := l.open(t, second, "127.0.0.1"); status == http.StatusOK {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the place that was left is not free")
}

func TestLivePagesOfOneRecoveryAreBounded(t *testing.T) {
	l := newLive(t, journey.Limits{})
	s := l.env.Start(t).Ask(t)
	for i := range 9 {
		want := http.StatusOK
		if i == 8 {
			want = http.StatusTooManyRequests
		}
		if status, _ := l.open(t, s, "127.0.0.1"); status != want {
			t.Errorf("page %d: %d", i, status)
		}
	}
}

// A server that stops does not wait for live pages: not for those that are open, nor for those that browsers open again.
func TestEndLivePages(t *testing.T) {
	l := newLive(t, journey.Limits{})
	_, before := l.open(t, l.env.Start(t).Ask(t), "127.0.0.1")
	l.pages.EndLivePages()
	l.pages.EndLivePages() // twice is once
	_, after := l.open(t, l.env.Start(t).Ask(t), "127.0.0.1")
	began := time.Now()
	for _, stream := range []io.Reader{before, after} {
		if _, err := io.Copy(io.Discard, stream); err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("they went on for %s", took)
	}
}

// deadlines is a response that notes the deadlines which its connection had when something was written.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
	writes      []time.Time
	stuck       bool
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.read = at
	return nil
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.write = at
	return nil
}

func (d *deadlines) Write(b []byte) (int, error) { return d.WriteString(string(b)) }

func (d *deadlines) WriteString(s string) (int, error) {
	d.writes = append(d.writes, d.write)
	if d.stuck {
		return 0, context.DeadlineExceeded // what a connection says whose deadline passes
	}
	return d.ResponseRecorder.WriteString(s)
}

// A live page has deadlines of its own, longer than the server's, and no browser that reads nothing keeps one open.
func TestDeadlinesOfALivePage(t *testing.T) {
	for name, stuck := range map[string]bool{"a browser that reads": false, "one that does not": true} {
		l := newLive(t, journey.Limits{})
		s := l.env.Start(t).Ask(t)
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, s.Path("/events"), nil)
		r.AddCookie(s.Cookie)
		w := &deadlines{ResponseRecorder: httptest.NewRecorder(), stuck: stuck}
		began := time.Now()
		l.env.Router.ServeHTTP(w, r)
		if ended := ctx.Err() == nil; ended != stuck {
			t.Errorf("%s: it ended by itself: %t", name, ended)
		}
		leave()
		if len(w.writes) != 1 {
			t.Fatalf("%s: %d writes", name, len(w.writes))
		}
		if left := w.writes[0].Sub(began); left <= 0 || left > 15*time.Second {
			t.Errorf("%s: an event may take %s to be read", name, left)
		}
		if stays := w.read.Sub(began); stays < 2*time.Minute || stays > 3*time.Minute {
			t.Errorf("%s: the connection may stay %s", name, stays)
		}
	}
}
