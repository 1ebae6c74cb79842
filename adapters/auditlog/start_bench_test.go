package auditlog_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

// BenchmarkStart measures how long a node waits for its audit log, whatever the length of the log. The log lies in the
// temporary directory, 0.5 GB for a million events; the two kinds differ in how many of its segments are of the last two
// hours, of which a start wants the passes.
//
//	go test -run - -bench Start/1000000/ -benchtime 5x ./adapters/auditlog
//	go test -run - -bench Start/10000000/ -benchtime 5x -timeout 30m ./adapters/auditlog
func BenchmarkStart(b *testing.B) {
	for _, events := range []int{1_000_000, 10_000_000} {
		for name, between := range map[string]time.Duration{"a quiet node": time.Second, "a busy node": 3 * time.Millisecond} {
			b.Run(fmt.Sprintf("%d/%s", events, name), func(b *testing.B) { benchmarkStart(b, events, between) })
		}
	}
}

func benchmarkStart(b *testing.B, events int, between time.Duration) {
	path := fresh(b)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	writeLog(b, path, events, now.Add(-time.Duration(events)*between), between)
	options := at(b, path)
	options.Clock = func() time.Time { return now }
	for b.Loop() {
		log := open(b, options)
		b.StopTimer()
		if err := log.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	active, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(active.Size())/(1<<20), "MiB/last-segment")
	if err := os.RemoveAll(filepath.Dir(path)); err != nil { // before the next one is written
		b.Fatal(err)
	}
}

// writeLog writes what a node would have, without making each record durable. Its last segment is nearly full, which is the
// worst that a start can meet.
func writeLog(b *testing.B, path string, events int, from time.Time, between time.Duration) {
	b.Helper()
	const size = auditlog.DefaultSegmentSize
	k := key(b, 1)
	var last chain.Head
	var file *os.File
	var out *bufio.Writer
	begin := func(started time.Time) int {
		if file != nil {
			flush(b, out, file)
			if err := os.Rename(path, segments.Aside(path, last.Segment)); err != nil {
				b.Fatal(err)
			}
		}
		var err error
		if file, err = os.Create(path); err != nil { //nolint:gosec // a test's directory
			b.Fatal(err)
		}
		out = bufio.NewWriterSize(file, 1<<20)
		segment := k.Begin(last, started, false)
		last = segment.Head()
		n, err := out.Write(segment.Encode())
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	written := begin(from)
	for n := 0; n < events || written < size*9/10; n++ {
		at := from.Add(time.Duration(n) * between)
		if written >= size {
			written = begin(at)
		}
		link, err := k.Next(last, typical(n, at))
		if err != nil {
			b.Fatal(err)
		}
		last.Seq, last.MAC = link.Seq, link.MAC
		octets, err := out.Write(link.Encode())
		if err != nil {
			b.Fatal(err)
		}
		written += octets
	}
	flush(b, out, file)
	if err := os.WriteFile(segments.HeadPath(path), []byte(k.EncodeHead(last)), 0o600); err != nil {
		b.Fatal(err)
	}
}

func flush(b *testing.B, out *bufio.Writer, file *os.File) {
	b.Helper()
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
}

// typical is the nth event of a log of recoveries, each of which succeeds.
func typical(n int, at time.Time) recovery.Event {
	kinds := []recovery.EventType{
		recovery.EventRecoveryStarted, recovery.EventPresentationRequested, recovery.EventPresentationRetrieved,
		recovery.EventPresentationCompleted, recovery.EventAccountMatched, recovery.EventPassIssuing, recovery.EventPassIssued,
	}
	e := recovery.Event{
		Time: at, Type: kinds[n%len(kinds)], Success: true, Transaction: recovery.TransactionID(fmt.Sprintf("%022d", n/len(kinds))), Client: "main-idp",
		Requested: "ada.lindqvist@example.org", Account: recovery.AccountID("1978e91f-65d7-4cbf-b14c-" + strconv.Itoa(100_000_000_000+n/len(kinds))),
		AccountName: "ada.lindqvist@example.org", Profile: "employees",
	}
	if e.Type == recovery.EventAccountMatched {
		for _, rule := range []string{"account", "credential:trusted", "face_check", "match:given_name", "match:family_name"} {
			e.Results = append(e.Results, recovery.RuleResult{Rule: rule, Pass: true})
		}
	}
	return e
}
