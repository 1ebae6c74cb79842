package recovery_test

import (
	"bytes"
	"errors"
	"testing"

	"regain/recovery"
)

func chain(t testing.TB, n int) []byte {
	t.Helper()
	var last recovery.Link
	var log bytes.Buffer
	for range n {
		var err error
		if last, err = recovery.NextLink(last, recovery.Event{Time: noon, Type: recovery.EventRecoveryStarted, Account: "a<b>&@example.org"}); err != nil {
			t.Fatal(err)
		}
		line, err := last.Encode()
		if err != nil {
			t.Fatal(err)
		}
		log.Write(line)
	}
	return log.Bytes()
}

func ignore(recovery.Link) {}

func TestVerifyChain(t *testing.T) {
	var seen int
	last, err := recovery.VerifyChain(bytes.NewReader(chain(t, 20)), func(recovery.Link) { seen++ })
	if err != nil || last.Seq != 20 || seen != 20 {
		t.Errorf("%d links, %d seen: %v", last.Seq, seen, err)
	}
	if last, err := recovery.VerifyChain(bytes.NewReader(nil), ignore); err != nil || last.Seq != 0 {
		t.Errorf("an empty log: %d, %v", last.Seq, err)
	}
	if _, err := recovery.VerifyChain(bytes.NewReader(bytes.Repeat([]byte("x"), 2<<20)), ignore); err == nil {
		t.Error("an endless line was read")
	}
}

// No single changed byte goes unnoticed.
func TestEveryChangedByteShows(t *testing.T) {
	log := chain(t, 2)
	for i := range log {
		changed := bytes.Clone(log)
		changed[i] ^= 1
		if _, err := recovery.VerifyChain(bytes.NewReader(changed), ignore); err == nil {
			t.Fatalf("byte %d was changed and nobody noticed", i)
		}
	}
}

func TestCutInTheMiddle(t *testing.T) {
	log := chain(t, 2)
	_, err := recovery.VerifyChain(bytes.NewReader(log[:len(log)-3]), ignore)
	if !errors.Is(err, recovery.ErrUnfinished) {
		t.Errorf("got %v", err)
	}
}

// What verifies is written exactly as this program writes it.
func FuzzVerifyChain(f *testing.F) {
	f.Add(chain(f, 1))
	f.Add(chain(f, 3))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		var again bytes.Buffer
		_, err := recovery.VerifyChain(bytes.NewReader(log), func(l recovery.Link) {
			line, err := l.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again.Write(line)
		})
		if err == nil && !bytes.Equal(again.Bytes(), log) {
			t.Error("a log verified that does not re-encode to the same bytes")
		}
	})
}

func TestEventsKnowWhatTheyAre(t *testing.T) {
	for event, want := range map[recovery.EventType][2]bool{ // good news, critical
		recovery.EventPassIssuing: {true, true}, recovery.EventPassIssued: {true, false}, recovery.EventRecoveryDenied: {false, false},
		recovery.EventAccountMatched: {true, false}, recovery.EventBrowserMismatch: {false, false},
	} {
		if event.Succeeds() != want[0] || event.Critical() != want[1] {
			t.Errorf("%s: good news %t, critical %t", event, event.Succeeds(), event.Critical())
		}
	}
}
