package nonce_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"regain/conformance/proofing/nonce"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func newBook(t testing.TB) *nonce.Book {
	t.Helper()
	b, err := nonce.NewBook(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestANonceWorksOnce(t *testing.T) {
	b := newBook(t)
	n, err := b.Issue(noon)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Valid(n, noon) || !b.Spend(n, noon) || b.Spend(n, noon) || !b.Valid(n, noon) {
		t.Error("it has to be good once, and known to be ours after that")
	}
}

func TestNoncesThatAreNoGood(t *testing.T) {
	b := newBook(t)
	good, err := b.Issue(noon)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newBook(t).Issue(noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		nonce string
		at    time.Time
	}{
		"nothing":             {"", noon},
		"of another book":     {other, noon},
		"cut":                 {good[:len(good)-1], noon},
		"longer":              {good + "A", noon},
		"not base64url":       {strings.Repeat("+", len(good)), noon},
		"old":                 {good, noon.Add(nonce.Life + time.Second)},
		"from ahead":          {good, noon.Add(-2 * time.Second)},
		"with another ending": {good[:len(good)-1] + flip(good[len(good)-1]), noon},
	} {
		if b.Valid(row.nonce, row.at) || b.Spend(row.nonce, row.at) {
			t.Errorf("%s: accepted", name)
		}
	}
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestABookWithoutRandomness(t *testing.T) {
	if _, err := nonce.NewBook(iotest.ErrReader(iotest.ErrTimeout)); err == nil {
		t.Error("a book without a key")
	}
}
