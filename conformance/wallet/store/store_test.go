package store_test

import (
	"slices"
	"testing"

	"regain/conformance/wallet/store"
)

type held struct{ id, source string }

func (h held) Names() (id, source string) { return h.id, h.source }

func full() *store.Store[held] {
	var s store.Store[held]
	for _, h := range []held{{"a", ""}, {"b", ""}, {"a1", "a"}, {"b1", "b"}, {"a2", "a"}} {
		s.Put(h)
	}
	return &s
}

func TestCredentialsAndReceiptsAreApart(t *testing.T) {
	s := full()
	if got, want := s.Credentials(), []held{{"a", ""}, {"b", ""}}; !slices.Equal(got, want) {
		t.Errorf("Credentials() = %v, want %v", got, want)
	}
	if got, want := s.Receipts("a"), []held{{"a1", "a"}, {"a2", "a"}}; !slices.Equal(got, want) {
		t.Errorf("Receipts(a) = %v, want %v", got, want)
	}
	if got := s.Receipts(""); len(got) != 0 {
		t.Errorf("Receipts() = %v of no credential", got)
	}
	if h, ok := s.Find("b1"); !ok || h.source != "b" {
		t.Errorf("Find(b1) = %v, %v", h, ok)
	}
	if h, ok := s.Find("c"); ok {
		t.Errorf("Find(c) = %v", h)
	}
}

func TestForgettingTakesTheReceiptsToo(t *testing.T) {
	s := full()
	before := s.All()
	s.Forget("a")
	if got, want := s.All(), []held{{"b", ""}, {"b1", "b"}}; !slices.Equal(got, want) {
		t.Errorf("All() = %v, want %v", got, want)
	}
	if !slices.Equal(before, full().All()) {
		t.Error("forgetting changed what was returned before")
	}
}
