package backchannel

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
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
