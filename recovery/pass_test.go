package recovery_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"regain/recovery"
)

func TestGeneratePass(t *testing.T) {
	seen := map[string]bool{}
	for length := recovery.MinPassLength; length <= recovery.MaxPassLength; length++ {
		v, err := recovery.GeneratePass(rand.Reader, length)
		if err != nil {
			t.Fatal(err)
		}
		pass := v.Reveal()
		if len(pass) != length || seen[pass] || strings.ContainsAny(pass, "0O1Iilo") || strings.ToUpper(pass) != pass {
			t.Errorf("a pass of %d has %d characters, was there before, or holds look-alikes", length, len(pass))
		}
		seen[pass] = true
	}
	for _, length := range []int{0, 7, 49, -1} {
		if _, err := recovery.GeneratePass(rand.Reader, length); err == nil {
			t.Errorf("a pass of %d characters", length)
		}
	}
}

// Every character of the alphabet comes from the same number of bytes.
func TestPassCharactersAreEquallyLikely(t *testing.T) {
	counts := map[rune]int{}
	for b := range 256 {
		v, err := recovery.GeneratePass(bytes.NewReader(bytes.Repeat([]byte{byte(b)}, 8)), 8)
		if err != nil {
			t.Fatal(err)
		}
		counts[rune(v.Reveal()[0])]++
	}
	if len(counts) != 32 {
		t.Errorf("%d characters, want 32", len(counts))
	}
	for c, n := range counts {
		if n != 8 {
			t.Errorf("%c comes from %d of 256 bytes, want 8", c, n)
		}
	}
}

func TestNoRandomnessNoPass(t *testing.T) {
	broken := errors.New("no entropy")
	for name, r := range map[string]io.Reader{"an error": iotest.ErrReader(broken), "too little": strings.NewReader("abc")} {
		if v, err := recovery.GeneratePass(r, 12); err == nil || v.Reveal() != "" {
			t.Errorf("%s: made a pass: %v", name, err)
		}
	}
}
