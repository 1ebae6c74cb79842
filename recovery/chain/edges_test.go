package chain_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"regain/recovery"
	"regain/recovery/chain"
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
	key := keyOf(t, 1)
	mac := strings.Repeat("ab", 32)
	head := key.EncodeHead(chain.Head{Segment: 1234, Seq: 56789, MAC: mac})
	if got := strings.Fields(head)[4]; got != want("regain-audit-v2 head\n4:12345:5678964:"+mac) {
		t.Errorf("a head: %s", got)
	}
	link, err := key.Next(chain.Head{Segment: 1, Seq: 41, MAC: mac}, recovery.Event{Time: noon})
	if err != nil || link.MAC != want(fmt.Sprintf("regain-audit-v2 record\n2:4264:%s%d:%s", mac, len(link.Event), link.Event)) {
		t.Errorf("a record: %s, %v", link.MAC, err)
	}
	segment := key.Begin(chain.Head{Segment: 22, Seq: 41, MAC: mac}, noon, true)
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
	key := keyOf(t, 1)
	good := key.Begin(chain.Head{}, noon, false)
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
		"another key":     {keyOf(t, 2).Begin(chain.Head{}, noon, false).Encode(), "the first line of segment 1 was not made with this key"},
		"the number zero": {key.Begin(chain.Head{Segment: ^uint64(0)}, noon, false).Encode(), "not the first line of a segment"},
	} {
		s, err := key.ParseSegment(row.line)
		mustSay(t, name, err, row.says)
		if !errors.Is(err, chain.ErrBroken) || s != (chain.Segment{}) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		// So it is of a segment that has no record at all.
		_, _, err = key.VerifySegment(bytes.NewReader(row.line), ignore)
		if name != "no line end" {
			mustSay(t, name, err, "line 1: "+row.says)
		}
	}
	late := chain.Segment{Number: 1, Started: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)} // RFC 3339 has four digits
	if line := late.Encode(); line != nil {
		t.Errorf("a time that cannot be written: %q", line)
	}
}

// A second spelling of a record, whose MAC would be right, is none; nor is a line of anything else.
func TestRecordsInAnotherSpelling(t *testing.T) {
	key := keyOf(t, 1)
	link, err := key.Next(chain.Head{Segment: 1, MAC: strings.Repeat("ab", 32)}, recovery.Event{Time: noon})
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
		"no members": "{}\n", "a first line": string(key.Begin(chain.Head{}, noon, false).Encode()), "nothing": "",
	} {
		got, err := key.ParseLink([]byte(spelt))
		mustSay(t, name, err, "not a record as this program writes it")
		if !errors.Is(err, chain.ErrBroken) || got.Event != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := key.Next(chain.Head{}, recovery.Event{Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil || !strings.Contains(err.Error(), "encode audit event") {
		t.Errorf("an event that cannot be encoded: %v", err)
	}
}

// A log that cannot be read to its end is not one that ends there, and the place is told.
func TestALogThatCannotBeRead(t *testing.T) {
	log, _ := records(t, keyOf(t, 1), 3, awkward)
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
		_, _, err := keyOf(t, 1).VerifySegment(row.log, ignore)
		mustSay(t, name, err, row.says)
	}
}

// A head of another length is none, however short.
func TestHeadsOfAnotherLength(t *testing.T) {
	key := keyOf(t, 1)
	line := key.EncodeHead(chain.Head{Segment: 1, Seq: 2, MAC: strings.Repeat("ab", 32)})
	for _, text := range []string{"", "\n", "x", "regain-audit-head", line[:len(line)-1], line + "\n", line[1:]} {
		if head, err := key.ParseHead(text); !errors.Is(err, chain.ErrBroken) || head != (chain.Head{}) || !strings.Contains(err.Error(), "not a head of an audit log") {
			t.Errorf("%q: %+v, %v", text, head, err)
		}
	}
}
