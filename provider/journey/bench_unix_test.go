//go:build unix

package journey_test

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/provider/journey"
)

// BenchmarkLivePagesThatWait measures what a thousand live pages cost while nothing happens at all: not even a QR code is
// replaced, since the environment's clock stands.
//
//	go test -run - -bench LivePagesThatWait -benchtime 1x ./provider/journey
func BenchmarkLivePagesThatWait(b *testing.B) {
	const pages, waits = 1000, 20 * time.Second
	l := newLive(b, journey.Limits{Total: 2 * pages, PerNetwork: pages})
	for range pages {
		s := l.env.Start(b).Ask(b)
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, l.server.URL+s.Path("/events"), nil)
		if err != nil {
			b.Fatal(err)
		}
		r.AddCookie(s.Cookie)
		conn, err := net.Dial("tcp", r.URL.Host)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		if err := r.Write(conn); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(conn)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		}
	}
	var used time.Duration
	for b.Loop() {
		began := cpuTime(b)
		time.Sleep(waits)
		used += cpuTime(b) - began
	}
	b.ReportMetric(float64(used.Nanoseconds())/1e3/waits.Seconds()/float64(b.N)/pages, "µs/page/s")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
