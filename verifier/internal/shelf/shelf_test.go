package shelf_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"regain/verifier/internal/shelf"
	"regain/verifier/verifiertest"
)

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
		clock := verifiertest.NewClock()
		s, from := shelf.New[int](clock.Now), &source{life: tt.life, err: tt.err}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {tt.kept, 1}, {tt.dropped - tt.kept, 2}} {
			clock.Advance(step.wait)
			got, err := s.Get(t.Context(), "key", from.load)
			if got != step.want || !errors.Is(err, tt.err) {
				t.Errorf("%s: got %d, %v, want %d", name, got, err, step.want)
			}
		}
	}
}

func TestGetKeepsNothingWithoutALife(t *testing.T) {
	s, from := shelf.New[int](verifiertest.NewClock().Now), &source{}
	for want := 1; want < 4; want++ {
		if got, err := s.Get(t.Context(), "key", from.load); got != want || err != nil {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
}

func TestGetLoadsOnceForAll(t *testing.T) {
	s, from, started := shelf.New[int](verifiertest.NewClock().Now), &source{life: time.Minute}, make(chan struct{})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			<-started
			if got, err := s.Get(t.Context(), "key", from.load); got != 1 || err != nil {
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
	s, release := shelf.New[int](verifiertest.NewClock().Now), make(chan struct{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	slow := func(ctx context.Context) (int, time.Duration, error) {
		<-release
		return 7, time.Minute, ctx.Err() // not ended by whoever asked first
	}
	if _, err := s.Get(gone, "key", slow); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	if got, err := s.Get(t.Context(), "key", slow); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestGetForgetsWhenItIsFull(t *testing.T) {
	clock := verifiertest.NewClock()
	s, from := shelf.New[int](clock.Now), &source{life: time.Minute}
	get := func(key string) {
		t.Helper()
		if _, err := s.Get(t.Context(), key, from.load); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 256 {
		get(fmt.Sprint("old", i))
	}
	clock.Advance(time.Minute)
	get("new") // clears what is old
	for i := range 256 {
		get(fmt.Sprint("more", i))
	}
	before := from.asked
	get("new")
	if from.asked != before+1 {
		t.Error("more was kept than there is room for")
	}
}
