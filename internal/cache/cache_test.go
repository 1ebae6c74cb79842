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

func newCache(t *testing.T) (*cache.Cache[int], *clock) {
	t.Helper()
	hands := &clock{now: time.Unix(1_800_000_000, 0)}
	c, err := cache.New[int](cache.Config{Size: size, RetryAfter: retryAfter, Clock: hands.Now})
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
	renew("what is still good outlives a failure", 2, true)
	renew("which is not tried again at once", 2, true)
	if from.asked != 3 {
		t.Errorf("asked %d times", from.asked)
	}
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
	const required = "RetryAfter and Clock are required"
	for name, row := range map[string]struct {
		cfg cache.Config
		why string
	}{
		"no size": {cache.Config{RetryAfter: 1, Clock: time.Now}, "size"}, "no clock": {cache.Config{Size: 1, RetryAfter: 1}, required},
		"no time": {cache.Config{Size: 1, Clock: time.Now}, required}, "negative time": {cache.Config{Size: 1, RetryAfter: -1, Clock: time.Now}, required},
		"negative": {cache.Config{Size: -1, RetryAfter: 1, Clock: time.Now}, "size"},
	} {
		if _, err := cache.New[int](row.cfg); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
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
