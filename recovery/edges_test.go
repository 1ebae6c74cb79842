package recovery_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"regain/recovery"
)

func mustSay(t *testing.T, what string, err error, says string) {
	t.Helper()
	if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
		t.Errorf("%s: %v, want %q", what, err, says)
	}
}

// What is authenticated, byte for byte: the kind, and each field with its length in decimal before it. So one kind never
// stands for another, and no two lists of fields are the same bytes.
func TestWhatAMACCovers(t *testing.T) {
	want := func(text string) string {
		h := hmac.New(sha256.New, bytes.Repeat([]byte{1}, 32))
		h.Write([]byte(text))
		return hex.EncodeToString(h.Sum(nil))
	}
	key := chainKey(t, 1)
	mac := strings.Repeat("ab", 32)
	head := key.EncodeHead(recovery.Head{Segment: 1234, Seq: 56789, MAC: mac})
	if got := strings.Fields(head)[4]; got != want("regain-audit-v2 head\n4:12345:5678964:"+mac) {
		t.Errorf("a head: %s", got)
	}
	link, err := key.Next(recovery.Head{Segment: 1, Seq: 41, MAC: mac}, recovery.Event{Time: noon})
	if err != nil || link.MAC != want(fmt.Sprintf("regain-audit-v2 record\n2:4264:%s%d:%s", mac, len(link.Event), link.Event)) {
		t.Errorf("a record: %s, %v", link.MAC, err)
	}
	segment := key.Begin(recovery.Head{Segment: 22, Seq: 41, MAC: mac}, noon, true)
	started := noon.UTC().Format(time.RFC3339Nano)
	if segment.MAC != want(fmt.Sprintf("regain-audit-v2 segment\n2:232:4164:%s%d:%s4:true", mac, len(started), started)) {
		t.Errorf("a segment: %s", segment.MAC)
	}
	if got := fmt.Sprintf("%v %x %#v", key, key, key); got != "[redacted] [redacted] [redacted]" {
		t.Errorf("the key shows itself: %s", got)
	}
}

// Each row is a first line that is none of this key's, as Encode writes it.
func TestFirstLinesThatAreNone(t *testing.T) {
	key := chainKey(t, 1)
	good := key.Begin(recovery.Head{}, noon, false)
	if s, err := key.ParseSegment(good.Encode()); err != nil || s != good {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, row := range map[string]struct {
		line []byte
		says string
	}{
		"no JSON":         {[]byte("x\n"), "not the first line of a segment"},
		"a space":         {bytes.Replace(good.Encode(), []byte(`:`), []byte(`: `), 1), "not the first line of a segment"},
		"no line end":     {bytes.TrimSuffix(good.Encode(), []byte("\n")), "not the first line of a segment"},
		"another number":  {bytes.Replace(good.Encode(), []byte(`"segment":1`), []byte(`"segment":2`), 1), "the first line of segment 2 was not made with this key"},
		"another key":     {chainKey(t, 2).Begin(recovery.Head{}, noon, false).Encode(), "the first line of segment 1 was not made with this key"},
		"the number zero": {key.Begin(recovery.Head{Segment: ^uint64(0)}, noon, false).Encode(), "not the first line of a segment"},
	} {
		s, err := key.ParseSegment(row.line)
		mustSay(t, name, err, row.says)
		if !errors.Is(err, recovery.ErrChain) || s != (recovery.Segment{}) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		// So it is of a segment that has no record at all.
		_, _, err = key.VerifySegment(bytes.NewReader(row.line), ignore)
		if name != "no line end" {
			mustSay(t, name, err, "line 1: "+row.says)
		}
	}
	late := recovery.Segment{Number: 1, Started: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)} // RFC 3339 has four digits
	if line := late.Encode(); line != nil {
		t.Errorf("a time that cannot be written: %q", line)
	}
}

// A second spelling of a record, whose MAC would be right, is none; nor is a line of anything else.
func TestRecordsInAnotherSpelling(t *testing.T) {
	key := chainKey(t, 1)
	link, err := key.Next(recovery.Head{Segment: 1, MAC: strings.Repeat("ab", 32)}, recovery.Event{Time: noon})
	if err != nil {
		t.Fatal(err)
	}
	line := string(link.Encode())
	if got, err := key.ParseLink([]byte(line)); err != nil || got.Seq != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, spelt := range map[string]string{
		"a zero before the number": strings.Replace(line, `:1,`, `:01,`, 1), "a sign": strings.Replace(line, `:1,`, `:+1,`, 1),
		"no start": line[1:], "no end of line": line[:len(line)-1], "a space at the end": strings.TrimSuffix(line, "\n") + " \n",
		"no members": "{}\n", "a first line": string(key.Begin(recovery.Head{}, noon, false).Encode()), "nothing": "",
	} {
		got, err := key.ParseLink([]byte(spelt))
		mustSay(t, name, err, "not a record as this program writes it")
		if !errors.Is(err, recovery.ErrChain) || got.Event != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := key.Next(recovery.Head{}, recovery.Event{Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil || !strings.Contains(err.Error(), "encode audit event") {
		t.Errorf("an event that cannot be encoded: %v", err)
	}
}

// A log that cannot be read to its end is not one that ends there, and the place is told.
func TestALogThatCannotBeRead(t *testing.T) {
	log, _ := chain(t, chainKey(t, 1), 3, awkward)
	for name, row := range map[string]struct {
		log  io.Reader
		says string
	}{
		"after the last record": {io.MultiReader(bytes.NewReader(log), iotest.ErrReader(errDisk)), "line 5: read audit log: " + errDisk.Error()},
		"within a record":       {io.MultiReader(bytes.NewReader(log[:len(log)-9]), iotest.ErrReader(errDisk)), "line 4: read audit log: " + errDisk.Error()},
		"a line that is too long": {io.MultiReader(bytes.NewReader(log), strings.NewReader(strings.Repeat("x", 1<<20+1)+"\n")),
			"line 5: has more than 1048576 octets"},
		"the first record": {strings.NewReader(strings.SplitAfter(string(log), "\n")[0] + "{}\n"), "line 2: "},
	} {
		_, _, err := chainKey(t, 1).VerifySegment(row.log, ignore)
		mustSay(t, name, err, row.says)
	}
}

// The limits of a deployment that configures none.
func TestDefaultLimits(t *testing.T) {
	want := recovery.Limits{
		{Name: "account-network", Per: recovery.PerAccountNetwork, Max: 5, Window: time.Hour},
		{Name: "network", Per: recovery.PerNetwork, Max: 100, Window: time.Hour},
		{Name: "client", Per: recovery.PerClient, Max: 10_000, Window: time.Hour},
	}
	if got := recovery.DefaultLimits(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	for window, ok := range map[time.Duration]bool{time.Minute - 1: false, time.Minute: true, 24 * time.Hour: true, 24*time.Hour + 1: false} {
		err := recovery.Limits{{Name: "l", Per: recovery.PerClient, Max: 1, Window: window}}.Validate()
		if (err == nil) != ok {
			t.Errorf("%s: %v", window, err)
		}
	}
}

// A limit counts by what it is for, and by nothing else: an attacker who changes the rest is counted on.
func TestLimitsCountByTheirSubject(t *testing.T) {
	networks := []string{"2001:db8:1:1::/64", "2001:db8:1:2::/64", "192.0.2.1"}
	for _, per := range []recovery.LimitPer{recovery.PerAccount, recovery.PerClient} {
		b := setUp(t, limited(recovery.Limit{Name: "l", Per: per, Max: 2, Window: time.Hour}))
		for i, network := range networks {
			if tx := b.attempt(t, "ada@example.org", network); (tx.State == recovery.StateDenied) != (i == 2) {
				t.Errorf("%s: attempt %d is %s", per, i+1, tx.State)
			}
		}
	}
	// Nobody's accounts are counted apart: one name's attempts are not another's.
	b := setUp(t, limited(recovery.Limit{Name: "l", Per: recovery.PerAccount, Max: 2, Window: time.Hour}))
	b.attempt(t, "nobody@example.org", "192.0.2.1")
	b.attempt(t, "noone@example.org", "192.0.2.1")
	if len(b.hits) != 4 {
		t.Errorf("%d counters for two names that nobody has", len(b.hits))
	}
}

// windows notes for how long counters live.
type windows struct {
	*outside
	seen map[time.Duration]int
}

func (w windows) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	w.seen[window]++
	return w.outside.Increment(ctx, key, window)
}

// Beyond a limit four openings from a network are stored and recorded in an hour, with their reason, and the fifth is not
// opened at all.
func TestWhatIsBarredHasAnEnd(t *testing.T) {
	b := setUp(t, limited(recovery.Limit{Name: "l", Per: recovery.PerNetwork, Max: 1, Window: 7 * time.Minute}))
	counter := windows{b.outside, map[time.Duration]int{}}
	s, err := recovery.NewService(recovery.Ports{
		Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: counter, Clock: b.clock, Random: ones{},
	}, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		clear(b.transactions) // the randomness repeats itself
		tx, _, err := s.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: "192.0.2.1"})
		switch {
		case i == 0:
			if err != nil || tx.State != recovery.StateStarted || tx.Decision != nil || b.last().Type != recovery.EventRecoveryStarted || !b.last().Success || b.last().Reason != recovery.ReasonNone {
				t.Errorf("the first: %s, recorded as %+v, %v", tx.State, b.last(), err)
			}
		case i <= 4:
			if err != nil || tx.State != recovery.StateDenied || tx.Decision == nil || tx.Decision.Outcome != recovery.OutcomeDenied || tx.Decision.Reason != recovery.ReasonTooManyAttempts ||
				b.last().Type != recovery.EventRecoveryDenied || b.last().Success || b.last().Reason != recovery.ReasonTooManyAttempts {
				t.Errorf("%d: %s, recorded as %+v, %v", i, tx.State, b.last(), err)
			}
		default:
			wantErr(t, err, recovery.ErrTooManyAttempts)
		}
	}
	if len(b.events) != 5 || len(counter.seen) != 2 || counter.seen[7*time.Minute] != 8 || counter.seen[time.Hour] == 0 {
		t.Errorf("%d records, counted for %v", len(b.events), counter.seen)
	}
}

// ones is no randomness.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 1
	}
	return len(p), nil
}
