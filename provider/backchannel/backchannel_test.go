package backchannel

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listener is a client's logout endpoint that fails a number of times.
type listener struct {
	mu     sync.Mutex
	fails  int
	heard  []string
	during func(context.Context)
}

func (l *listener) PostForm(ctx context.Context, address string, form url.Values) error {
	if l.during != nil {
		l.during(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, address+" "+form.Get("logout_token"))
	if len(l.heard) <= l.fails {
		return errors.New("the client answers 503")
	}
	return ctx.Err()
}

// telling is a back channel to one listener, with the notification that it is sent.
func telling(l *listener, delays ...time.Duration) (*Sender, Notification, *bytes.Buffer) {
	log := new(bytes.Buffer)
	b := New(l, slog.New(slog.NewJSONHandler(log, nil)))
	b.delays = delays
	made := 0
	return b, Notification{Client: "idp", Address: "https://idp.example/logout", Correlation: "abc", Token: func() (string, error) {
		made++
		return strings.Repeat("t", made), nil
	}}, log
}

// A client that fails is told again, with a token made anew, and a bounded number of times.
func TestNotificationsAreRetried(t *testing.T) {
	for fails, tries := range map[int]int{0: 1, 1: 2, 2: 3, 3: 3, 9: 3} {
		l := &listener{fails: fails}
		b, n, log := telling(l, time.Millisecond, time.Millisecond)
		if err := <-b.Send(t.Context(), n); (err != nil) != (fails > 0) {
			t.Errorf("%d failures: the first try: %v", fails, err)
		}
		b.running.Wait()
		if len(l.heard) != tries || l.heard[tries-1] != "https://idp.example/logout "+strings.Repeat("t", tries) {
			t.Errorf("%d failures: heard %q", fails, l.heard)
		}
		if told := strings.Contains(log.String(), `"client":"idp"`) && strings.Contains(log.String(), "503") && strings.Contains(log.String(), "abc"); told != (fails > 2) {
			t.Errorf("%d failures: log %s", fails, log)
		}
	}
}

// The browser leaves, and the client hears of the logout all the same.
func TestNotificationsOutliveTheRequest(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	l := &listener{fails: 1, during: func(during context.Context) {
		leave()
		if during.Err() != nil {
			t.Error("the notification was cancelled")
		}
		if _, bounded := during.Deadline(); !bounded {
			t.Error("the notification has no end")
		}
	}}
	b, n, _ := telling(l, time.Millisecond)
	b.Send(ctx, n)
	b.running.Wait()
	if len(l.heard) != 2 {
		t.Errorf("heard %q", l.heard)
	}
}

// A node that stops makes the tries that are left at once, and waits for them.
func TestClosingTellsClientsFirst(t *testing.T) {
	l := &listener{fails: 2}
	b, n, _ := telling(l, time.Hour, time.Hour)
	if err := <-b.Send(t.Context(), n); err == nil {
		t.Error("the first try did not fail")
	}
	for range 2 { // closing twice is closing once
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(l.heard) != 3 {
		t.Errorf("heard %q", l.heard)
	}
}

// A token that cannot be made tells nobody anything, and is a failure like any other.
func TestNotificationWithoutAToken(t *testing.T) {
	l := &listener{}
	b, n, log := telling(l)
	n.Token = func() (string, error) { return "", errors.New("no key signs") }
	if err := <-b.Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "no key signs") {
		t.Errorf("%v", err)
	}
	if b.running.Wait(); len(l.heard) != 0 || !strings.Contains(log.String(), "no key signs") {
		t.Errorf("heard %q, log %s", l.heard, log)
	}
}

// clients are logout endpoints that never answer: they fail after a while, or hang until they are cut off.
type clients struct {
	began time.Time
	after time.Duration // a try fails; 0 for never
	at    []time.Duration
}

func (c *clients) PostForm(ctx context.Context, _ string, _ url.Values) error {
	c.at = append(c.at, time.Since(c.began))
	if c.after > 0 {
		time.Sleep(c.after)
		return errors.New("the client answers 503")
	}
	<-ctx.Done()
	return ctx.Err()
}

// A client that does not listen is told at once, after two seconds and after ten more; one that hangs is left alone after a
// minute, and keeps no node from stopping for more than five seconds.
func TestNotificationsHaveAnEnd(t *testing.T) {
	for name, row := range map[string]struct {
		after  time.Duration
		tries  []time.Duration
		ends   time.Duration
		closes time.Duration // 0 for after the end
	}{
		"it fails":               {time.Nanosecond, []time.Duration{0, 2*time.Second + 1, 12*time.Second + 2}, 12*time.Second + 3, 0},
		"it fails slowly":        {29 * time.Second, []time.Duration{0, 31 * time.Second}, time.Minute, 0},
		"it hangs":               {0, []time.Duration{0}, time.Minute, 0},
		"it hangs, and we close": {0, []time.Duration{0}, time.Minute, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &clients{began: time.Now(), after: row.after}
				b := New(c, slog.New(slog.DiscardHandler))
				b.Send(t.Context(), Notification{Client: "idp", Token: func() (string, error) { return "t", nil }})
				if row.closes > 0 {
					time.Sleep(row.closes)
					if err := b.Close(); err == nil || !strings.Contains(err.Error(), "some clients were not told") || time.Since(c.began) != row.closes+5*time.Second {
						t.Errorf("closed after %v: %v", time.Since(c.began), err)
					}
				}
				b.running.Wait()
				if ended := time.Since(c.began); !slices.Equal(c.at, row.tries) || ended != row.ends {
					t.Errorf("tried after %v, ended after %v; want %v and %v", c.at, ended, row.tries, row.ends)
				}
				if err := b.Close(); err != nil {
					t.Errorf("closed with nothing under way: %v", err)
				}
			})
		})
	}
}
