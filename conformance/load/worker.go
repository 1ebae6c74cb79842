package load

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"regain/conformance/rp"
	"regain/conformance/testenv"
)

// worker does recoveries of one account, one after the other. It looks at no more than it needs for the next step: what
// it costs is not what is measured, but it shares the machine.
type worker struct {
	env     *testenv.Env
	holder  *holder
	account string
	client  *http.Client // of its browser and its wallet, from a network of their own
	// strangers says that each browser and each wallet comes with a connection of its own, as it does when the server ends
	// TLS itself; otherwise they come through a proxy, so to speak, which keeps its connections.
	strangers bool
	times     []time.Duration
}

// newWorker returns a worker for the account of a namesake, whose requests come from an address of its own: what the
// server allows to one network is not what is measured.
func newWorker(w *testenv.Env, h *holder, namesake int, strangers bool) (*worker, error) {
	shared, ok := w.Client.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("the test environment's client has another transport")
	}
	const first = 2 // of 127.0.0.0/8, all of which is this machine; 127.0.0.1 is everybody else
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(first+namesake))}, Timeout: w.Client.Timeout}
	own := shared.Clone()
	own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	return &worker{
		env: w, holder: h, account: testenv.Namesake(namesake), client: &http.Client{Transport: own, Timeout: w.Client.Timeout}, strangers: strangers,
	}, nil
}

// visitor returns the client of a browser or a wallet, and what ends its connections.
func (k *worker) visitor() (client *http.Client, done func()) {
	kept, ok := k.client.Transport.(*http.Transport)
	if !k.strangers || !ok {
		return k.client, func() {}
	}
	own := kept.Clone()
	return &http.Client{Transport: own, Timeout: k.client.Timeout}, own.CloseIdleConnections
}

// repeat does recoveries while more says so.
func (k *worker) repeat(ctx context.Context, more func(n int) bool) error {
	for n := 0; more(n); n++ {
		start := time.Now()
		if err := k.recovery(ctx); err != nil {
			return fmt.Errorf("recovery %d of %s: %w", n+1, k.account, err)
		}
		k.times = append(k.times, time.Since(start))
	}
	return nil
}

// recovery is one whole recovery.
func (k *worker) recovery(ctx context.Context) error {
	attempt, err := k.env.RP.Start(ctx, k.account, nil)
	if err != nil {
		return err
	}
	client, done := k.visitor()
	defer done()
	b := &tab{ctx: ctx, client: client, base: k.env.Regain}
	page, err := b.open(attempt.AuthorizeURL)
	if err != nil {
		return err
	}
	if page, err = b.press(page, "/ask"); err != nil {
		return err
	}
	next, err := k.present(ctx, page)
	if err != nil {
		return err
	}
	if page, err = b.open(next); err != nil {
		return err
	}
	if _, err = b.press(page, "/finish"); err != nil {
		return err
	}
	code, err := k.env.RP.Code(attempt, b.left)
	if err != nil {
		return err
	}
	return k.redeem(ctx, attempt, code)
}

func (k *worker) redeem(ctx context.Context, attempt rp.Attempt, code string) error {
	tokens, err := k.env.RP.Redeem(ctx, attempt, code)
	if err != nil {
		return err
	}
	recovery, err := k.env.RP.OpenRecoveryToken(tokens.RecoveryToken)
	if err != nil {
		return err
	}
	verdict, err := k.env.RP.VerifyPass(ctx, k.account, recovery.Recovery.Pass.Value)
	if err != nil {
		return err
	}
	if !verdict.Active {
		return errors.New("the pass is not good")
	}
	return nil
}

// present fetches the request of the page, answers it, and returns where the browser has to go.
func (k *worker) present(ctx context.Context, page string) (string, error) {
	client, done := k.visitor()
	defer done()
	return (&Presenter{k.holder}).Present(ctx, client, html.UnescapeString(between(page, `id="open-wallet" href="`, `"`)))
}

func form(ctx context.Context, client *http.Client, address string, values url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("wallet's request: status %d: %s", resp.StatusCode, body), err)
	}
	return body, nil
}

// between returns what stands between two marks, "" without them.
func between(text, before, after string) string {
	_, rest, ok := strings.Cut(text, before)
	if !ok {
		return ""
	}
	found, _, _ := strings.Cut(rest, after)
	return found
}
