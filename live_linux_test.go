package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/testenv"
)

// BenchmarkLivePages measures what live pages cost a server in a process of its own while nothing happens but the
// replacement of their QR codes, each page of a recovery of its own:
//
//	go test -run - -bench LivePages/memory/1000 -benchtime 1x .
func BenchmarkLivePages(b *testing.B) {
	for name, o := range map[string]testenv.Options{
		"memory": {Store: "memory"}, "file": {Store: "file"}, "tls": {Store: "memory", TLS: true}, // where the server ends TLS itself
	} {
		for _, pages := range []int{0, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", name, pages), func(b *testing.B) { livePages(b, o, pages) })
		}
	}
}

// waits is how long the pages wait: for the next QR code, and not for the end of their connections.
const waits = 60 * time.Second

func livePages(b *testing.B, o testenv.Options, pages int) {
	wide := filepath.Join(b.TempDir(), "wide.yaml")
	// As many connections as pages, which a process may have half as many as files; loopback is two networks here.
	most := max(pages, 16)
	connections := fmt.Sprintf("connections: {max: %d, per_network: %d, live_pages: %d, live_pages_per_network: %d}\n", most, most-1, most, most-1)
	if err := os.WriteFile(wide, []byte(connections), 0o600); err != nil {
		b.Fatal(err)
	}
	o.Configuration = wide
	p, env := start(b, o)
	requests := make([]*http.Request, pages)
	var wg sync.WaitGroup
	const workers = 4
	for first := range workers {
		wg.Go(func() {
			for i := first; i < pages; i += workers {
				requests[i] = liveRequest(b, env)
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
	env.Client.CloseIdleConnections()
	var trusted *x509.CertPool
	if o.TLS {
		trusted = x509.NewCertPool()
		ca, err := os.ReadFile(env.CAFile())
		if err != nil || !trusted.AppendCertsFromPEM(ca) {
			b.Fatalf("the environment's CA: %v", err)
		}
	}
	before := memory(b, p.cmd.Process.Pid, "VmRSS")
	for i, r := range requests {
		openPage(b, dialer(p.address, net.IPv4(127, 0, 0, byte(1+i%2)), trusted), r)
	}
	var used time.Duration
	for b.Loop() {
		began := cpu(b, p.cmd.Process.Pid)
		time.Sleep(waits)
		used += cpu(b, p.cmd.Process.Pid) - began
	}
	seconds := waits.Seconds() * float64(b.N)
	b.ReportMetric(float64(used.Microseconds())/seconds/float64(max(pages, 1)), "µs/page/s")
	b.ReportMetric(before, "MB-before")
	b.ReportMetric(memory(b, p.cmd.Process.Pid, "VmRSS"), "MB")
	b.ReportMetric(memory(b, p.cmd.Process.Pid, "VmHWM"), "MB-peak")
}

// dialer connects to an address from one of loopback, by TLS and HTTP/1.1 if there is a CA.
func dialer(address string, from net.IP, trusted *x509.CertPool) func(ctx context.Context, host string) (net.Conn, error) {
	plain := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	return func(ctx context.Context, host string) (net.Conn, error) {
		if trusted == nil {
			return plain.DialContext(ctx, "tcp", address)
		}
		encrypted := tls.Dialer{NetDialer: &plain, Config: &tls.Config{RootCAs: trusted, ServerName: host, NextProtos: []string{"http/1.1"}}}
		return encrypted.DialContext(ctx, "tcp", address)
	}
}

// openPage opens a live page and reads its first event. The connection ends with the benchmark.
func openPage(b *testing.B, dial func(ctx context.Context, host string) (net.Conn, error), r *http.Request) {
	b.Helper()
	conn, err := dial(b.Context(), r.URL.Hostname())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	if err := r.Write(conn); err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: ") {
			return
		}
	}
	b.Fatal("a live page says nothing")
}

// cpu is the CPU time of a process, of all its threads.
func cpu(b *testing.B, pid int) (used time.Duration) {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatalf("no threads: %v", err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			b.Fatal(err)
		}
		nanoseconds, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		used += time.Duration(nanoseconds)
	}
	return used
}

// memory is what a process holds, or has held at most, in megabytes.
func memory(b *testing.B, pid int, name string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	b.Fatalf("no %s", name)
	return 0
}
