package node_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/internal/node"
)

const manySockets = 50

// A socket that sends too little, or reads nothing of what it asked for, is closed, and nobody waits for it meanwhile.
func TestSocketsThatHoldOn(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: regain\r\n\r\n"
	for name, sends := range map[string]string{
		"pipelines and reads nothing": strings.Repeat(request, 1000),
		"asks once and reads nothing": "GET /endless HTTP/1.1\r\nHost: regain\r\n\r\n",
		"is silent":                   "",
		"sends half a header":         request[:20],
		"sends half a body":           "POST / HTTP/1.1\r\nHost: regain\r\nContent-Length: 9\r\n\r\nhalf",
		"stays after an answer":       request,
		"sends a large header":        "GET / HTTP/1.1\r\nHost: regain\r\nX: " + strings.Repeat("x", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := node.NewServer(http.HandlerFunc(answer), slog.New(slog.DiscardHandler))
			for limit, d := range map[string]*time.Duration{
				"ReadHeaderTimeout": &server.ReadHeaderTimeout, "ReadTimeout": &server.ReadTimeout, "WriteTimeout": &server.WriteTimeout, "IdleTimeout": &server.IdleTimeout,
			} {
				if *d <= 0 || *d > 2*time.Minute {
					t.Errorf("%s is %s", limit, *d)
				}
				*d = 500 * time.Millisecond // for the test
			}
			ends := make(chan net.Conn, 2*manySockets)
			server.ConnState = func(conn net.Conn, state http.ConnState) {
				if state == http.StateClosed {
					ends <- conn
				}
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = server.Serve(l) }()
			t.Cleanup(func() { _ = server.Close() })
			for range manySockets {
				socket := dial(t, l.Addr().String(), "127.0.0.1")
				go func() { _, _ = io.WriteString(socket, sends) }() // it blocks when the server reads no more
			}
			if resp, err := http.Get("http://" + l.Addr().String()); err != nil || resp.Body.Close() != nil { //nolint:noctx // a test, on loopback
				t.Errorf("somebody else: %v", err)
			}
			enough := time.After(20 * time.Second)
			for open := manySockets; open > 0; open-- {
				select {
				case <-ends:
				case <-enough:
					t.Fatalf("%d of %d are open", open, manySockets)
				}
			}
		})
	}
}

// answer reads what is sent, and answers with 64 KiB, or without end.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	for range 16 {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
	for r.URL.Path == "/endless" {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// dial connects from an address of loopback.
func dial(t *testing.T, address, from string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// isOpen reports whether the server has not closed a connection.
func isOpen(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	timeout, ok := err.(net.Error) //nolint:errorlint // of a bare connection
	return ok && timeout.Timeout()
}

// One network has its share of the connections, and others are answered; a proxy, through which all people come, has as
// many as there are.
func TestConnectionsOfOneNetwork(t *testing.T) {
	const share = 5
	cfg := valid(t)
	cfg.Connections.PerNetwork, cfg.TrustedProxies = share, []string{"127.0.0.3", "127.0.0.4/30"}
	cfg.Listen = freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	said := make(records, 16)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(said)) }()
	elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.9")}} // whose place may come back late
	get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: elsewhere.DialContext}}, "http://"+cfg.Listen+"/healthz")
	for from, want := range map[string]int{"127.0.0.1": share, "127.0.0.2": share, "127.0.0.3": manySockets, "127.0.0.5": manySockets} {
		var sockets []net.Conn
		for range manySockets {
			sockets = append(sockets, dial(t, cfg.Listen, from))
		}
		time.Sleep(200 * time.Millisecond) // for the server to accept them all
		open := 0
		for _, socket := range sockets {
			if isOpen(socket) {
				open++
			}
			_ = socket.Close()
		}
		if open != want {
			t.Errorf("%d of %d connections from %s are open, want %d", open, manySockets, from, want)
		}
	}
	said.await(t, slog.LevelWarn)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
