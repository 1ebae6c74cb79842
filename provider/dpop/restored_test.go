package dpop_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/provider/dpop"
	"regain/storage/memory"
)

// After a store was filled from a copy, which does not know what was used since, a proof that may have been made before is
// refused, to the second: with as much as a holder's clock may be ahead.
func TestProofsFromBeforeARestore(t *testing.T) {
	b := setUp(t)
	restored := b.now
	clock := func() time.Time { return b.now }
	store, err := memory.New(clock)
	b.must(err)
	b.Checker, err = dpop.New(dpop.Config{Store: store, Clock: clock, Key: make([]byte, 32), NotBefore: restored})
	b.must(err)
	for after, good := range map[time.Duration]bool{-30 * time.Second: false, 0: false, time.Minute: false, time.Minute + time.Second: true} {
		made := restored.Add(after)
		b.now = made
		_, err := b.Check(t.Context(), http.Header{"Dpop": {b.sign(b.header(), b.claims())}}, dpop.Expect{Method: http.MethodPost, URLs: []string{endpoint}})
		if good != (err == nil) || !good && !strings.Contains(err.Error(), "may have been used before") {
			t.Errorf("made %s after it: %v", after, err)
		}
	}
}
