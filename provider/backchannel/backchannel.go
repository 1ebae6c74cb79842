// Package backchannel tells clients of sessions that ended (OpenID Connect Back-Channel Logout 1.0 §2.5). A notification
// outlives the request that caused it: the person may leave at once, and a client that does not answer now may in a moment.
package backchannel

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"
)

// Notifier posts a form to a client; the hardened fetcher in production.
type Notifier interface {
	PostForm(ctx context.Context, address string, form url.Values) error
}

// Sender sends the notifications.
type Sender struct {
	notify  Notifier
	logger  *slog.Logger
	delays  []time.Duration // before each further try
	closing chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

// Bounds of one notification, all tries together, and of the wait for all of them when the node stops.
const (
	notifyFor   = time.Minute
	notifyClose = 5 * time.Second
)

// New returns a sender without notifications.
func New(notify Notifier, logger *slog.Logger) *Sender {
	return &Sender{notify: notify, logger: logger, delays: []time.Duration{2 * time.Second, 10 * time.Second}, closing: make(chan struct{})}
}

// Notification is what one client is told, where, and for the log who it is and of which request it comes.
type Notification struct {
	Client, Address, Correlation string
	Token                        func() (string, error) // makes the logout token, anew for each try: it is short-lived
}

// Send tells one client, again a bounded number of times until it acknowledges. The channel has the first try's result.
func (b *Sender) Send(ctx context.Context, n Notification) <-chan error {
	first := make(chan error, 1)
	b.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyFor)
		defer cancel()
		err := b.try(ctx, n)
		first <- err
		for _, delay := range b.delays {
			if err == nil || !b.wait(ctx, delay) {
				break
			}
			err = b.try(ctx, n)
		}
		if err != nil {
			b.logger.LogAttrs(ctx, slog.LevelError, "a client was not told of a logout",
				slog.String("correlation_id", n.Correlation), slog.String("client", n.Client), slog.String("cause", err.Error()))
		}
	})
	return first
}

func (b *Sender) try(ctx context.Context, n Notification) error {
	token, err := n.Token()
	if err != nil {
		return err
	}
	return b.notify.PostForm(ctx, n.Address, url.Values{"logout_token": {token}})
}

// wait waits before a further try, and reports whether there is time for one. When the node stops, the next try is at once.
func (b *Sender) wait(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-b.closing:
	case <-timer.C:
	}
	return ctx.Err() == nil // which may be over beside the others
}

// Close waits for the notifications that are under way, for a bounded time.
func (b *Sender) Close() error {
	b.once.Do(func() { close(b.closing) })
	done := make(chan struct{})
	go func() {
		b.running.Wait()
		close(done)
	}()
	timer := time.NewTimer(notifyClose)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return errors.New("stop: some clients were not told of a logout")
	}
}
