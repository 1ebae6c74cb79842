package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"regain/conformance/browser"
)

const (
	livePages = 8 // of one recovery, so that with two nodes there is one at each but once in 128 times
	within    = time.Second
	// A machine that is busy with something else for a moment makes anything late; twice in three times it does not.
	attempts = 3
)

// progressWithinASecond opens several live pages of one recovery, which any node may serve, and the request in the wallet,
// which any node may hand out: each page must say so within a second.
func progressWithinASecond(ctx context.Context, k *walker) (err error) {
	for range attempts {
		var slowest time.Duration
		if slowest, err = k.progress(ctx); err != nil {
			return err
		}
		if slowest <= within {
			return nil
		}
		err = fmt.Errorf("the slowest of %d live pages heard of the wallet after %s, want %s", livePages, slowest.Round(time.Millisecond), within)
		k.browser = newBrowser(k.env)
	}
	return err
}

// progress returns how long after the wallet has its request the slowest page heard of it.
func (k *walker) progress(ctx context.Context) (slowest time.Duration, err error) {
	page, err := k.asked(ctx, "ada.lindqvist", ada)
	if err != nil {
		return 0, err
	}
	opened := make(chan error, livePages)
	heard := make(chan time.Time, livePages)
	for range livePages {
		stream, err := k.openLive(ctx, page)
		if err != nil {
			return 0, err
		}
		defer stream.Close() //nolint:errcheck // only read
		go listenFor(stream, "Opened in your wallet", opened, heard)
	}
	for range livePages { // each must stand before the wallet comes
		if err := <-opened; err != nil {
			return 0, err
		}
	}
	if _, err := k.review(ctx, page); err != nil {
		return 0, err
	}
	begin := time.Now()
	for range livePages {
		at := <-heard
		if at.IsZero() {
			return 0, errors.New("a live page ended without having said that the wallet has the request")
		}
		slowest = max(slowest, at.Sub(begin))
	}
	return slowest, nil
}

// openLive opens the stream of a page's progress, as its script does.
func (k *walker) openLive(ctx context.Context, page *browser.Page) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page.URL.JoinPath("events").String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	for _, cookie := range k.browser.Cookies(page.URL.String()) {
		r.AddCookie(cookie)
	}
	answer, err := k.env.Client.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("the live page answered %s", answer.Status), answer.Body.Close())
	}
	return answer.Body, nil
}

// listenFor sends nil or an error to opened when the first event is there, and the time of the event with a text to heard, or
// the zero time where the stream ends before.
func listenFor(stream io.Reader, text string, opened chan<- error, heard chan<- time.Time) {
	first, found := true, time.Time{}
	for lines := bufio.NewScanner(stream); found.IsZero() && lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "data: ") {
			continue
		}
		if first {
			opened <- nil
			first = false
		}
		if strings.Contains(lines.Text(), text) {
			found = time.Now()
		}
	}
	if first {
		opened <- errors.New("a live page ended without an event")
	}
	heard <- found
}
