package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/internal/cache"
)

const size, retryAfter = 256, 3 * time.Second

// clock is turned by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// source counts how often it is asked.
type source struct {
	mu    sync.Mutex
	asked int
	life  time.Duration
	err   error
}

func (s *source) load(context.Context) (int, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.asked, s.life, s.err
}

// one is what each value takes where that does not matter.
func one(int) int { return 1 }

func newCache(t *testing.T) (*cache.Cache[int], *clock) {
	t.Helper()
	hands := &clock{now: time.Unix(1_800_000_000, 0)}
	c, err := cache.New(cache.Config[int]{Size: size, MaxBytes: 1 << 30, Bytes: one, RetryAfter: retryAfter, Clock: hands.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c, hands
}

func TestGetKeepsForItsLife(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		life          time.Duration
		err           error
		kept, dropped time.Duration
	}{
		"a minute":  {time.Minute, nil, 59 * time.Second, time.Minute},
		"a failure": {time.Hour, broken, 2 * time.Second, 3 * time.Second},
	} {
		c, hands := newCache(t)
		from := &source{life: tt.life, err: tt.err}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {tt.kept, 1}, {tt.dropped - tt.kept, 2}} {
			hands.Advance(step.wait)
			got, err := c.Get(t.Context(), "key", from.load)
			if got != step.want || !errors.Is(err, tt.err) {
				t.Errorf("%s: got %d, %v, want %d", name, got, err, step.want)
			}
		}
	}
}

func TestGetKeepsNothingWithoutALife(t *testing.T) {
	c, _ := newCache(t)
	from := &source{}
	for want := 1; want < 4; want++ {
		if got, err := c.Get(t.Context(), "key", from.load); got != want || err != nil {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
}

// A slow answer is as old as its question, and a failure stands from when it came.
func TestGetCountsFromTheQuestion(t *testing.T) {
	c, hands := newCache(t)
	slow := func(err error) cache.Load[int] {
		return func(context.Context) (int, time.Duration, error) {
			hands.Advance(10 * time.Second)
			return 1, time.Minute, err
		}
	}
	again := &source{life: time.Minute}
	_, _ = c.Get(t.Context(), "good", slow(nil))
	_, _ = c.Get(t.Context(), "bad", slow(errors.New("broken"))) // ten seconds later
	hands.Advance(2 * time.Second)
	if _, err := c.Get(t.Context(), "bad", again.load); err == nil || again.asked != 0 {
		t.Errorf("a failure did not stand: asked %d times, %v", again.asked, err)
	}
	hands.Advance(38 * time.Second)
	if _, err := c.Get(t.Context(), "good", again.load); err != nil || again.asked != 1 {
		t.Errorf("kept beyond its life: %v", err)
	}
}

func TestGetLoadsOnceForAll(t *testing.T) {
	c, _ := newCache(t)
	from, started := &source{life: time.Minute}, make(chan struct{})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			<-started
			if got, err := c.Get(t.Context(), "key", from.load); got != 1 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
	close(started)
	all.Wait()
	if from.asked != 1 {
		t.Errorf("asked %d times", from.asked)
	}
}

func TestGetDoesNotWaitForWhoWentAway(t *testing.T) {
	c, _ := newCache(t)
	release := make(chan struct{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	slow := func(ctx context.Context) (int, time.Duration, error) {
		<-release
		return 7, time.Minute, ctx.Err() // not ended by whoever asked first
	}
	if _, err := c.Get(gone, "key", slow); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	if got, err := c.Get(t.Context(), "key", slow); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestGetForgetsWhenItIsFull(t *testing.T) {
	c, hands := newCache(t)
	from := &source{life: time.Minute}
	get := func(key string) {
		t.Helper()
		if _, err := c.Get(t.Context(), key, from.load); err != nil {
			t.Fatal(err)
		}
	}
	for i := range size {
		get(fmt.Sprint("old", i))
	}
	hands.Advance(time.Minute)
	get("new")
	for i := range size {
		get(fmt.Sprint("more", i))
	}
	before := from.asked
	get("new")
	if from.asked != before+1 {
		t.Error("more was kept than there is room for")
	}
}

// Filling it pushes out the one that nobody asked for the longest, and no other: what is in use survives any flood.
func TestGetForgetsOneAtATime(t *testing.T) {
	c, _ := newCache(t)
	from, honest := &source{life: time.Hour}, &source{life: time.Hour}
	get := func(key string, s *source) {
		t.Helper()
		if _, err := c.Get(t.Context(), key, s.load); err != nil {
			t.Fatal(err)
		}
	}
	for i := range size {
		get(fmt.Sprint("kept", i), from)
	}
	get("one more", from)
	before := from.asked
	for i := range size - 1 {
		get(fmt.Sprint("kept", i+1), from)
	}
	if from.asked != before {
		t.Errorf("%d of those that are kept were pushed out by one", from.asked-before)
	}
	if get("kept0", from); from.asked != before+1 {
		t.Error("the eldest was not pushed out")
	}
	for i := range 10 * size {
		if i%100 == 0 {
			get("of an honest issuer", honest)
		}
		get(fmt.Sprint("of strangers", i), from)
	}
	if honest.asked != 1 {
		t.Errorf("a flood pushed out what is in use %d times", honest.asked-1)
	}
}

func TestRenew(t *testing.T) {
	c, hands := newCache(t)
	from := &source{life: time.Minute}
	renew := func(what string, want int, ok bool) {
		t.Helper()
		if got, err := c.Renew(t.Context(), "key", from.load); got != want || (err == nil) != ok {
			t.Errorf("%s: got %d, %v, want %d", what, got, err, want)
		}
	}
	renew("nothing is kept", 1, true)
	renew("just now", 1, true)
	hands.Advance(retryAfter)
	renew("a while ago", 2, true)
	hands.Advance(retryAfter)
	from.err = errors.New("broken")
	renew("what is still good outlives a failure, which is told", 2, false)
	renew("which is not tried again at once", 2, false)
	if got, err := c.Get(t.Context(), "key", from.load); got != 2 || err != nil {
		t.Errorf("whoever misses nothing in it: %d, %v", got, err)
	}
	if from.asked != 3 {
		t.Errorf("asked %d times", from.asked)
	}
	hands.Advance(retryAfter)
	from.err = nil
	renew("what is mended", 4, true)
	hands.Advance(retryAfter)
	from.err = errors.New("broken")
	renew("broken again", 4, false)
	hands.Advance(time.Minute)
	if _, err := c.Get(t.Context(), "key", from.load); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Error("what was good is good for ever")
	}
}

// TestAFailureIsNotHidden holds that a failure is told where nothing good is left: by Get, by Renew, and while it is kept.
func TestAFailureIsNotHidden(t *testing.T) {
	broken := errors.New("broken")
	for name, ask := range map[string]func(*cache.Cache[int], *source) (int, error){
		"get":   func(c *cache.Cache[int], from *source) (int, error) { return c.Get(t.Context(), "key", from.load) },
		"renew": func(c *cache.Cache[int], from *source) (int, error) { return c.Renew(t.Context(), "key", from.load) },
	} {
		c, hands := newCache(t)
		from := &source{life: time.Minute, err: broken}
		for range 2 {
			if _, err := ask(c, from); !errors.Is(err, broken) || from.asked != 1 {
				t.Errorf("%s: %v, asked %d times", name, err, from.asked)
			}
		}
		hands.Advance(retryAfter) // a failure after a failure: the first is nothing good that could stay
		if _, err := ask(c, from); !errors.Is(err, broken) || from.asked != 2 {
			t.Errorf("%s, again: %v, asked %d times", name, err, from.asked)
		}
		hands.Advance(retryAfter)
		from.err = nil
		if got, err := ask(c, from); err != nil || got != 3 {
			t.Errorf("%s, mended: %d, %v", name, got, err)
		}
		hands.Advance(time.Minute) // what was good is over
		from.err = broken
		if _, err := ask(c, from); !errors.Is(err, broken) {
			t.Errorf("%s, over: %v", name, err)
		}
	}
}

func TestShorten(t *testing.T) {
	c, hands := newCache(t)
	from := &source{life: time.Hour}
	get := func(want int) {
		t.Helper()
		if got, err := c.Get(t.Context(), "key", from.load); got != want || err != nil {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
	c.Shorten("key") // which nobody keeps
	get(1)
	c.Shorten("key")
	hands.Advance(retryAfter - 1)
	c.Shorten("key") // does not make it longer
	get(1)
	hands.Advance(1)
	get(2)
}

func TestNewRefuses(t *testing.T) {
	good := cache.Config[int]{Size: 1, MaxBytes: 1, Bytes: one, RetryAfter: 1, Clock: time.Now}
	if _, err := cache.New(good); err != nil {
		t.Fatal(err)
	}
	const required = "are required"
	for name, row := range map[string]struct {
		spoil func(*cache.Config[int])
		why   string
	}{
		"no size": {func(c *cache.Config[int]) { c.Size = 0 }, "size"}, "no clock": {func(c *cache.Config[int]) { c.Clock = nil }, required}, "no time": {func(c *cache.Config[int]) { c.RetryAfter = 0 }, required},
		"negative time": {func(c *cache.Config[int]) { c.RetryAfter = -1 }, required}, "negative": {func(c *cache.Config[int]) { c.Size = -1 }, "size"},
		"no memory": {func(c *cache.Config[int]) { c.MaxBytes = 0 }, required}, "no measure": {func(c *cache.Config[int]) { c.Bytes = nil }, required},
	} {
		cfg := good
		row.spoil(&cfg)
		if _, err := cache.New(cfg); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the values take is bounded too, whatever their number: the least used of them make room, and one that is larger
// than everything may be is not kept, and pushes nothing out.
func TestMemoryIsBounded(t *testing.T) {
	const most = 1000
	hands := &clock{now: time.Unix(1_800_000_000, 0)}
	c, err := cache.New(cache.Config[int]{Size: size, MaxBytes: most, Bytes: func(value int) int { return value }, RetryAfter: retryAfter, Clock: hands.Now})
	if err != nil {
		t.Fatal(err)
	}
	loads := 0
	get := func(key string, bytes int) (loaded bool) {
		t.Helper()
		before := loads
		if got, err := c.Get(t.Context(), key, func(context.Context) (int, time.Duration, error) {
			loads++
			return bytes, time.Hour, nil
		}); err != nil || got != bytes {
			t.Fatalf("%s: got %d, %v", key, got, err)
		}
		if c.Bytes() > most {
			t.Fatalf("after %s it takes %d bytes", key, c.Bytes())
		}
		return loads > before
	}
	get("honest", 100)
	for i := range 100 {
		get(fmt.Sprint("of strangers", i), 300)
		if get("honest", 100) {
			t.Fatal("a flood of large documents pushed out what is in use")
		}
	}
	if c.Bytes() != 1000 || !get("giant", most+1) || !get("giant", most+1) || get("honest", 100) || get("of strangers99", 300) {
		t.Errorf("a giant is kept, or pushed others out; %d bytes", c.Bytes())
	}
	get("nearly all", most-50)
	if !get("of strangers99", 300) {
		t.Error("there was room for both")
	}
}

// A value that grows counts as what it is then, a renewed one as the new one, and one that failed as nothing.
func TestMemoryOfChangedValues(t *testing.T) {
	hands := &clock{now: time.Unix(1_800_000_000, 0)}
	c, err := cache.New(cache.Config[int]{Size: 4, MaxBytes: 1000, Bytes: func(value int) int { return value }, RetryAfter: retryAfter, Clock: hands.Now})
	if err != nil {
		t.Fatal(err)
	}
	load := func(value int, err error) cache.Load[int] {
		return func(context.Context) (int, time.Duration, error) { return value, time.Hour, err }
	}
	counts := func(what string, want int) {
		t.Helper()
		if c.Bytes() != want {
			t.Errorf("%s: %d bytes, want %d", what, c.Bytes(), want)
		}
	}
	_, _ = c.Get(t.Context(), "a", load(100, nil))
	_, _ = c.Get(t.Context(), "b", load(100, nil))
	counts("two", 200)
	c.Change("a", func(int) int { return 700 })
	c.Change("nobody's", func(int) int { t.Error("changed what is not there"); return 0 })
	counts("one grew", 800)
	if got, err := c.Get(t.Context(), "a", load(1, nil)); got != 700 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	c.Change("a", func(int) int { return 950 })
	counts("it pushed the other out", 950)
	c.Shorten("a")
	counts("shortened", 950)
	hands.Advance(retryAfter)
	_, _ = c.Renew(t.Context(), "a", load(50, nil))
	counts("renewed", 50)
	hands.Advance(2 * time.Hour)
	_, _ = c.Get(t.Context(), "a", load(500, errors.New("broken")))
	counts("failed", 0)
	for i := range 100 {
		_, _ = c.Get(t.Context(), fmt.Sprint(i), load(10, nil))
	}
	counts("a hundred, with places for four", 40)
}

// A load runs after its caller has gone and beside everything else: it has nothing of the caller's context, which a router
// may use again for another request, and its panic is an error, and not the end of the process.
func TestGetLoadsApartFromItsCaller(t *testing.T) {
	type key struct{}
	c, _ := newCache(t)
	caller := context.WithValue(t.Context(), key{}, "the caller's")
	if _, err := c.Get(caller, "value", func(ctx context.Context) (int, time.Duration, error) {
		if ctx.Value(key{}) != nil || ctx.Done() != nil {
			t.Error("the load has the context of its caller")
		}
		return 1, time.Minute, nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(caller, "panic", func(context.Context) (int, time.Duration, error) { panic("strange input") }); err == nil || !strings.Contains(err.Error(), "panic in a load: strange input") {
		t.Error("a panic is no error")
	}
}
