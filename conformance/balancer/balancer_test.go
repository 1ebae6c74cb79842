package balancer_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/balancer"
)

const probe = "/ready"

// node is an upstream that counts what it is sent beside probes.
type node struct {
	*httptest.Server
	asked   atomic.Int64
	unready atomic.Bool
}

func startNode(t *testing.T, answer http.HandlerFunc) *node {
	t.Helper()
	n := &node{}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != probe:
			n.asked.Add(1)
			answer(w, r)
		case n.unready.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(n.Close)
	return n
}

// refusing is the base URL of a node that is not running.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func start(t *testing.T, c balancer.Config) (*balancer.Balancer, *httptest.Server) {
	t.Helper()
	c.Probe = probe
	b, err := balancer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b)
	t.Cleanup(func() {
		server.Close()
		b.Close()
	})
	return b, server
}

// send posts a body and returns the answer's status and body.
func send(t *testing.T, address, body string) (status int, answer string) {
	t.Helper()
	resp, err := http.Post(address, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func echo(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }

func TestRequestsAreSpread(t *testing.T) {
	one, other := startNode(t, echo), startNode(t, echo)
	b, front := start(t, balancer.Config{Upstreams: []string{one.URL, other.URL}})
	const all = 100
	for i := range all {
		if status, answer := send(t, front.URL, fmt.Sprint(i)); status != http.StatusOK || answer != fmt.Sprint(i) {
			t.Fatalf("request %d: %d %q", i, status, answer)
		}
	}
	served := b.Served()
	if served[0] != one.asked.Load() || served[1] != other.asked.Load() || served[0]+served[1] != all {
		t.Errorf("served = %v, asked = %d and %d", served, one.asked.Load(), other.asked.Load())
	}
	if min(served[0], served[1]) < all/5 {
		t.Errorf("served = %v, want both to have a share", served)
	}
}

// The body was not sent to the node that refused the connection, and is whole at the other.
func TestWhatWasNeverSentGoesToAnotherNode(t *testing.T) {
	up := startNode(t, echo)
	for range 20 { // a new balancer each time: it forgets a node that refused once
		_, front := start(t, balancer.Config{Upstreams: []string{refusing(t), up.URL}, Every: time.Hour})
		if status, answer := send(t, front.URL, "once"); status != http.StatusOK || answer != "once" {
			t.Fatalf("answer: %d %q", status, answer)
		}
	}
}

func TestWhatWasSentIsNotSentAgain(t *testing.T) {
	broken := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	one, other := startNode(t, broken), startNode(t, broken)
	_, front := start(t, balancer.Config{Upstreams: []string{one.URL, other.URL}})
	if status, _ := send(t, front.URL, "once"); status != http.StatusBadGateway {
		t.Errorf("status = %d, want 502", status)
	}
	if asked := one.asked.Load() + other.asked.Load(); asked != 1 {
		t.Errorf("sent %d times, want once", asked)
	}
}

func TestNobodyThere(t *testing.T) {
	_, front := start(t, balancer.Config{Upstreams: []string{refusing(t), refusing(t)}})
	if status, _ := send(t, front.URL, ""); status != http.StatusBadGateway {
		t.Errorf("status = %d, want 502", status)
	}
}

func TestAnswerThatDoesNotBegin(t *testing.T) {
	release := make(chan struct{})
	slow := startNode(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	_, front := start(t, balancer.Config{Upstreams: []string{slow.URL}, Timeout: 50 * time.Millisecond})
	if status, _ := send(t, front.URL, ""); status != http.StatusGatewayTimeout {
		t.Errorf("status = %d, want 504", status)
	}
}

func TestUnreadyNodesAreLeftOut(t *testing.T) {
	one, other := startNode(t, echo), startNode(t, echo)
	one.unready.Store(true)
	_, front := start(t, balancer.Config{Upstreams: []string{one.URL, other.URL}, Every: 5 * time.Millisecond})
	reaches := func(n *node) {
		t.Helper()
		for range 500 {
			before := n.asked.Load()
			send(t, front.URL, "")
			if n.asked.Load() > before {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Error("the node got no request")
	}
	reaches(other)
	time.Sleep(50 * time.Millisecond) // the first probe
	unready := one.asked.Load()
	for range 30 {
		send(t, front.URL, "")
	}
	if one.asked.Load() != unready {
		t.Error("an unready node got a request")
	}
	one.unready.Store(false)
	reaches(one)

	// An unready node's own answer says more than a 502 of the balancer.
	one.unready.Store(true)
	other.unready.Store(true)
	time.Sleep(50 * time.Millisecond)
	if status, _ := send(t, front.URL, "x"); status != http.StatusOK {
		t.Errorf("no node ready: status = %d, want the node's own 200", status)
	}
}

func TestForwardedHeaders(t *testing.T) {
	heads := make(chan *http.Request, 1)
	n := startNode(t, func(_ http.ResponseWriter, r *http.Request) { heads <- r })
	_, front := start(t, balancer.Config{Upstreams: []string{n.URL}})
	r, err := http.NewRequest(http.MethodGet, front.URL+"/a?b=c;d", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "recover.example.org"
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
		r.Header.Set(name, "forged")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := <-heads
	if got.Host != "recover.example.org" || got.RequestURI != "/a?b=c;d" {
		t.Errorf("host %q, target %q", got.Host, got.RequestURI)
	}
	for name, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "recover.example.org", "Forwarded": "",
	} {
		if lines := strings.Join(got.Header[name], "|"); lines != want {
			t.Errorf("%s = %q, want %q", name, lines, want)
		}
	}
}

// A server-sent event arrives while the answer goes on.
func TestEventsAreNotBuffered(t *testing.T) {
	release := make(chan struct{})
	n := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		http.NewResponseController(w).Flush()
		<-release
	})
	defer close(release)
	_, front := start(t, balancer.Config{Upstreams: []string{n.URL}})
	resp, err := http.Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "data: 1\n" {
		t.Errorf("read %q, %v", line, err)
	}
}

// A server around the balancer, whose deadlines are for short requests, does not end a live page.
func TestLongAnswers(t *testing.T) {
	n := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 4 {
			fmt.Fprint(w, "data: 1\n\n")
			http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	})
	b, err := balancer.New(balancer.Config{Upstreams: []string{n.URL}, Probe: probe, From: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	front := httptest.NewUnstartedServer(b)
	front.Config.ReadTimeout, front.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	front.Start()
	defer front.Close()
	resp, err := http.Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || strings.Count(string(text), "data") != 4 {
		t.Errorf("read %q, %v", text, err)
	}
}

// An answer that breaks off is not made to look whole.
func TestAnswerThatBreaksOff(t *testing.T) {
	n := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, front := start(t, balancer.Config{Upstreams: []string{n.URL}})
	resp, err := http.Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("read %q without an error", text)
	}
}

func TestMissingParts(t *testing.T) {
	for name, c := range map[string]balancer.Config{
		"no nodes": {Probe: probe}, "no probe": {Upstreams: []string{"http://127.0.0.1:1"}}, "no URL": {Upstreams: []string{"127.0.0.1:1"}, Probe: probe},
		"no address": {Upstreams: []string{"http://127.0.0.1:1"}, Probe: probe, From: "localhost"},
	} {
		if b, err := balancer.New(c); err == nil {
			t.Errorf("%s: taken", name)
			b.Close()
		}
	}
}
