package journey_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"

	"testing"
	"time"

	"regain/provider/facetest"
	"regain/provider/journey"
	"regain/recovery"
)

// fromHeader is in these tests the other end of a connection, from which loopback has no route.
const fromHeader = "Test-Remote-Address"

// live are the live pages of one server.
type live struct {
	env    *facetest.Env
	pages  *journey.Pages
	server *httptest.Server
}

func newLive(t testing.TB, limits journey.Limits) *live {
	t.Helper()
	e := facetest.New(t, nil)
	p, err := journey.New(journey.Deps{
		Issuer: facetest.Issuer, Web: e.Web, Binding: e.Binding, Recovery: e.Recovery, Changes: e.Transactions, Wallets: facetest.Wallets{}, Clock: e.Clock, LivePages: limits,
		Client: func(context.Context, recovery.Transaction) (journey.Client, error) { return idp(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Mount(e.Txn)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from := r.Header.Get(fromHeader); from != "" {
			r.RemoteAddr = from
		}
		e.Router.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &live{e, p, server}
}

// open opens a live page from an address of loopback or an IPv6 one, and waits for its first event.
func (l *live) open(t *testing.T, s *facetest.Started, from string) (status int, stream io.ReadCloser) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	if ip := net.ParseIP(from); ip.To4() != nil {
		transport.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}).DialContext
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+s.Path("/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(s.Cookie)
	if transport.DialContext == nil {
		r.Header.Set(fromHeader, net.JoinHostPort(from, "1"))
	}
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

// Whoever has a /48 has 65,536 networks, and four times as many live pages as one of them has; nobody else has fewer.
func TestLivePagesOfASite(t *testing.T) {
	const total, share = 40, 3
	l := newLive(t, journey.Limits{Total: total, PerNetwork: share})
	opened := func(format string, n int) (open int) {
		t.Helper()
		for i := range n {
			if status, _ := l.open(t, l.env.Start(t).Ask(t), fmt.Sprintf(format, (0x800+rand.IntN(0x800))<<4|i)); status == http.StatusOK {
				open++
			}
		}
		return open
	}
	for _, row := range []struct {
		name, format string
		n, want      int
	}{
		{"one subscriber", "2001:db8:1:2::%x", 6, share},
		{"the subscribers of one site", "2001:db8:2:%x::1", 16, 4 * share},
		{"one more of them", "2001:db8:2:ffff::%x", 1, 0},
		{"sites", "2001:db8:%x::1", 10, 10},
		{"a subscriber of another site", "2001:db8:f:1::%x", 1, 1},
	} {
		if got := opened(row.format, row.n); got != row.want {
			t.Errorf("%s: %d of %d live pages are open, want %d", row.name, got, row.n, row.want)
		}
	}
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
