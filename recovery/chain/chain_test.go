package chain_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"regain/recovery"
	"regain/recovery/chain"
)

var (
	noon    = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	errDisk = errors.New("disk on fire")
)

// keyOf returns a key that is all one octet.
func keyOf(t testing.TB, octet byte) chain.Key {
	t.Helper()
	key, err := chain.NewKey(bytes.Repeat([]byte{octet}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// records returns the first segment of a log with n records, and its head.
func records(t testing.TB, key chain.Key, n int, account recovery.AccountID) ([]byte, chain.Head) {
	t.Helper()
	segment := key.Begin(chain.Head{}, noon, false)
	var log bytes.Buffer
	log.Write(segment.Encode())
	last := segment.Head()
	for range n {
		link, err := key.Next(last, recovery.Event{Time: noon, Type: recovery.EventRecoveryStarted, Account: account})
		if err != nil {
			t.Fatal(err)
		}
		log.Write(link.Encode())
		last.Seq, last.MAC = link.Seq, link.MAC
	}
	return log.Bytes(), last
}

func ignore(chain.Link) {}

func verify(t testing.TB, log []byte) error {
	t.Helper()
	_, _, err := keyOf(t, 1).VerifySegment(bytes.NewReader(log), ignore)
	return err
}

const awkward = "a<b>&@example.org"

func TestVerifySegment(t *testing.T) {
	log, head := records(t, keyOf(t, 1), 20, awkward)
	var seen int
	segment, last, err := keyOf(t, 1).VerifySegment(bytes.NewReader(log), func(chain.Link) { seen++ })
	if err != nil || last != head || last.Seq != 20 || seen != 20 || segment.Number != 1 {
		t.Errorf("%d links, %d seen: %v", last.Seq, seen, err)
	}
	if err := verify(t, nil); !errors.Is(err, io.EOF) {
		t.Errorf("a log without a line: %v", err)
	}
	if err := verify(t, bytes.Repeat([]byte("x"), 2<<20)); err == nil || !strings.Contains(err.Error(), "octets") {
		t.Errorf("an endless line: %v", err)
	}
}

// No single changed byte goes unnoticed.
func TestEveryChangedByteShows(t *testing.T) {
	log, _ := records(t, keyOf(t, 1), 2, awkward)
	for i := range log {
		changed := bytes.Clone(log)
		changed[i] ^= 1
		if err := verify(t, changed); err == nil {
			t.Fatalf("byte %d was changed and nobody noticed", i)
		}
	}
}

func TestCutInTheMiddle(t *testing.T) {
	log, _ := records(t, keyOf(t, 1), 2, awkward)
	if err := verify(t, log[:len(log)-3]); !errors.Is(err, chain.ErrUnfinished) {
		t.Errorf("got %v", err)
	}
}

// Every record here is genuine, made with the key: what is wrong is where it stands. An administrator's log of one
// server is no place for records of another's, and one without its neighbours is a hole.
func TestGenuineRecordsInTheWrongPlace(t *testing.T) {
	key := keyOf(t, 1)
	one, _ := records(t, key, 4, "ada@example.org")
	two, _ := records(t, key, 4, "bob@example.org")
	a, b := bytes.SplitAfter(one, []byte("\n")), bytes.SplitAfter(two, []byte("\n"))
	foreign, _ := records(t, keyOf(t, 2), 4, "ada@example.org")
	segment := key.Begin(chain.Head{Segment: 1, Seq: 2, MAC: strings.Repeat("0", 64)}, noon, false)
	skipped, err := key.Next(chain.Head{Segment: 1, Seq: 7, MAC: key.Begin(chain.Head{}, noon, false).MAC}, recovery.Event{Time: noon})
	if err != nil {
		t.Fatal(err)
	}
	for name, log := range map[string][]byte{
		"a number that is not the next":           bytes.Join([][]byte{a[0], skipped.Encode()}, nil),
		"a record of another log":                 bytes.Join([][]byte{a[0], a[1], b[2]}, nil),
		"the rest of another log":                 bytes.Join([][]byte{a[0], a[1], b[2], b[3], b[4]}, nil),
		"one record missing":                      bytes.Join([][]byte{a[0], a[1], a[3]}, nil),
		"two exchanged":                           bytes.Join([][]byte{a[0], a[2], a[1]}, nil),
		"one twice":                               bytes.Join([][]byte{a[0], a[1], a[1]}, nil),
		"the first line twice":                    bytes.Join([][]byte{a[0], a[0]}, nil),
		"no first line":                           bytes.Join([][]byte{a[1], a[2]}, nil),
		"the first line of another segment":       bytes.Join([][]byte{segment.Encode(), a[3], a[4]}, nil),
		"the whole log chained anew, another key": foreign,
	} {
		if err := verify(t, log); !errors.Is(err, chain.ErrBroken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A segment follows the head of the one before it, and no other.
func TestFollows(t *testing.T) {
	key := keyOf(t, 1)
	_, head := records(t, key, 4, "ada@example.org")
	if err := key.Begin(head, noon, false).Follows(head); err != nil {
		t.Fatal(err)
	}
	_, other := records(t, key, 4, "bob@example.org")
	for says, last := range map[string]chain.Head{
		"does not follow segment 0":                {},
		"does not follow segment 2":                {Segment: 2, Seq: head.Seq, MAC: head.MAC},
		"records 4 to 4 are missing at the end":    {Segment: 1, Seq: 3, MAC: head.MAC},
		"carries on at another record 4 than":      {Segment: 1, Seq: 5, MAC: head.MAC},
		"another record 4 than segment 1 ends":     other,
		"carries on at another record 4 than segm": {Segment: 1, Seq: 4, MAC: "00"},
	} {
		if err := key.Begin(head, noon, false).Follows(last); !errors.Is(err, chain.ErrBroken) || !strings.Contains(err.Error(), says) {
			t.Errorf("after %+v: got %v, want it to say %q", last, err, says)
		}
	}
}

// A head says where a log ends, under the key: the MAC of a record is in the log for everybody to copy.
func TestHeads(t *testing.T) {
	key := keyOf(t, 1)
	_, head := records(t, key, 4, "ada@example.org")
	line := key.EncodeHead(head)
	if got, err := key.ParseHead(line); err != nil || got != head || len(line) != chain.HeadSize {
		t.Fatalf("%+v, %v", got, err)
	}
	far := chain.Head{Segment: 1234567890, Seq: 9876543210, MAC: head.MAC}
	if got, err := key.ParseHead(key.EncodeHead(far)); err != nil || got != far {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range line {
		changed := []byte(line)
		changed[i] ^= 1
		if _, err := key.ParseHead(string(changed)); !errors.Is(err, chain.ErrBroken) {
			t.Errorf("octet %d was changed: %v", i, err)
		}
	}
	made := fmt.Sprintf("regain-audit-head %020d %020d %s %s\n", 1, 4, head.MAC, head.MAC)
	if _, err := key.ParseHead(made); !errors.Is(err, chain.ErrBroken) {
		t.Errorf("made up from the log: %v", err)
	}
	if _, err := keyOf(t, 2).ParseHead(line); !errors.Is(err, chain.ErrBroken) {
		t.Errorf("with another key: %v", err)
	}
}

func TestKeys(t *testing.T) {
	for _, octets := range []int{0, 16, 31, 33} {
		if _, err := chain.NewKey(make([]byte, octets)); err == nil || !strings.Contains(err.Error(), "32") {
			t.Errorf("a key of %d octets: %v", octets, err)
		}
	}
	key := keyOf(t, 'k')
	if said := fmt.Sprintf("%v %+v %#v %s %x", key, key, key, key, key); strings.Contains(said, "kk") || strings.Contains(said, "6b6b") {
		t.Errorf("a key shows itself: %s", said)
	}
}

// FuzzVerifySegment edits a genuine segment, as somebody who has no key can. It verifies when it is the whole lines that
// it began with, from the first on, and never else.
func FuzzVerifySegment(f *testing.F) {
	key := keyOf(f, 1)
	log, _ := records(f, key, 3, awkward)
	f.Add(uint16(0), uint16(0), []byte(nil))                                  // as it was
	f.Add(uint16(len(log)-1), uint16(0), []byte(nil))                         // and almost
	f.Add(uint16(bytes.IndexByte(log, '\n')+1), uint16(1<<15), []byte(nil))   // the first line alone
	f.Add(uint16(bytes.Index(log, []byte("a<b"))), uint16(1), []byte("b"))    // another account
	f.Add(uint16(bytes.Index(log, []byte(`"seq"`))), uint16(0), []byte(" "))  // another spelling
	f.Add(uint16(bytes.Index(log, []byte(`{"seq":2`))), uint16(0), log[:100]) // more lines
	lines := bytes.SplitAfter(log, []byte("\n"))
	genuine := map[string]int{}
	for n := 1; n < len(lines); n++ {
		genuine[string(bytes.Join(lines[:n], nil))] = n - 1
	}
	f.Fuzz(func(t *testing.T, at, remove uint16, insert []byte) {
		from := min(int(at), len(log))
		to := min(from+int(remove), len(log))
		edited := bytes.Join([][]byte{log[:from], insert, log[to:]}, nil)
		records, whole := genuine[string(edited)]
		_, last, err := key.VerifySegment(bytes.NewReader(edited), ignore)
		if whole != (err == nil) || whole && last.Seq != uint64(records) {
			t.Errorf("%d records of %d, error %v, for\n%s", last.Seq, records, err, edited)
		}
	})
}

// FuzzParseHead reads heads: none but those that were made with the key.
func FuzzParseHead(f *testing.F) {
	key := keyOf(f, 1)
	_, head := records(f, key, 3, awkward)
	line := key.EncodeHead(head)
	f.Add(line)
	f.Add(strings.ToUpper(line))
	f.Add(" " + line)
	f.Add(line + line)
	f.Add(keyOf(f, 2).EncodeHead(head))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := key.ParseHead(text)
		if (text == line) != (err == nil) || err == nil && got != head {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	})
}

func TestASegmentSaysWhenItWasStarted(t *testing.T) {
	key := keyOf(t, 1)
	elsewhere := time.FixedZone("elsewhere", 3600)
	segment, err := key.ParseSegment(key.Begin(chain.Head{}, noon.In(elsewhere), true).Encode())
	if err != nil || !segment.Started.Equal(noon) || !segment.Begun {
		t.Errorf("%+v, %v", segment, err)
	}
}
