package idp_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/idp"
	"regain/conformance/idp/recovery/recoverytest"
)

func TestCache(t *testing.T) {
	clock := &watch{now: time.Unix(1_790_000_000, 0)}
	s := idp.NewTestCache(clock.Now)
	soon := clock.Now().Add(time.Minute)
	if !s.Put("a", "1", soon) || !s.Put("a", "2", soon) || s.Add("a", "3", soon) || !s.Add("b", "1", soon) {
		t.Error("put and add")
	}
	if v, found := s.Get("a"); !found || v != "2" {
		t.Errorf("got %q", v)
	}
	if !s.Change("a", func(v *string) { *v += "!" }) || s.Change("none", func(*string) {}) {
		t.Error("change")
	}
	if v, found := s.Take("a"); !found || v != "2!" {
		t.Errorf("took %q", v)
	}
	if _, found := s.Take("a"); found || s.Change("a", func(*string) {}) {
		t.Error("took it twice")
	}
	clock.forward(time.Minute)
	if _, found := s.Get("b"); found || s.Change("b", func(*string) {}) {
		t.Error("kept too long")
	}
	if _, found := s.Take("b"); found {
		t.Error("taken too late")
	}
	s.Put("c", "old", clock.Now())
	if !s.Add("c", "new", clock.Now().Add(time.Minute)) {
		t.Error("an expired value is in the way")
	}
	s.Drop(func(v string) bool { return v == "new" })
	if _, found := s.Get("c"); found {
		t.Error("not dropped")
	}
}

// TestCacheIsBounded fills it, and makes room by time alone.
func TestCacheIsBounded(t *testing.T) {
	clock := &watch{now: time.Unix(1_790_000_000, 0)}
	s := idp.NewTestCache(clock.Now)
	for i := range idp.MaxKept {
		if !s.Put(fmt.Sprint(i), "", clock.Now().Add(time.Minute)) {
			t.Fatalf("full at %d", i)
		}
	}
	if s.Put("more", "", clock.Now().Add(time.Minute)) || s.Add("more", "", clock.Now().Add(time.Minute)) || !s.Put("0", "again", clock.Now().Add(time.Hour)) {
		t.Error("the bound")
	}
	clock.forward(time.Minute)
	if !s.Put("more", "", clock.Now().Add(time.Minute)) {
		t.Error("full of what has expired")
	}
	if v, found := s.Get("0"); !found || v != "again" {
		t.Error("lost what had not")
	}
}

func TestOneOfManyTakes(t *testing.T) {
	s := idp.NewTestCache(time.Now)
	s.Put("a", "1", time.Now().Add(time.Minute))
	var won atomic.Int32
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, found := s.Take("a"); found {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d took it", won.Load())
	}
}

// TestSecretsHideThemselves prints every type that holds one in every way there is.
func TestSecretsHideThemselves(t *testing.T) {
	const value = "hush-hush"
	for _, holder := range idp.SecretHolders(value) {
		if shown := recoverytest.Shows(holder, value); shown != "" {
			t.Errorf("%T shows %s", holder, shown)
		}
	}
}
