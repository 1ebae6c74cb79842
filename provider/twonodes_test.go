package provider_test

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/conformance/balancer"
	"regain/conformance/browser"
	"regain/conformance/rp"
	"regain/conformance/testenv"
	"regain/internal/node"
)

// divided stands in front of two nodes: what wallets call goes to the second, everything else to the first, so that nothing
// that a wallet does is known to the node with the page.
type divided struct {
	wallets, pages *balancer.Balancer
	server         *http.Server
}

func divide(f testenv.Front) (closer io.Closer, err error) {
	d := &divided{}
	for node, part := range []**balancer.Balancer{&d.pages, &d.wallets} {
		if *part, err = balancer.New(balancer.Config{Upstreams: f.Nodes[node : node+1], From: f.From, Probe: testenv.Ready}); err != nil {
			return nil, err
		}
	}
	d.server = node.NewServer(d, slog.New(slog.DiscardHandler))
	go func(l net.Listener) { _ = d.server.Serve(l) }(f.Listener)
	return d, nil
}

func (d *divided) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/openid4vp/") {
		d.wallets.ServeHTTP(w, r)
		return
	}
	d.pages.ServeHTTP(w, r)
}

func (d *divided) Close() error {
	return errors.Join(d.server.Close(), d.wallets.Close(), d.pages.Close())
}

// The page is open at one node and the wallet answers at the other: the page says so within a second. A machine that is busy
// with something else makes anything late, so one recovery in three has to be in time.
func TestProgressOfAnotherNodeWithinASecond(t *testing.T) {
	f := setUpEnv(t, testenv.Options{Store: "mongo", Nodes: 2, Front: divide})
	var late []time.Duration
	for range 3 {
		opened, answered := f.hears(t, f.asked(t))
		if opened <= time.Second && answered <= time.Second {
			return
		}
		late = append(late, opened, answered)
		f.browser = newBrowser(f.Env)
	}
	t.Errorf("the page heard of the wallet after %s, want at most a second", late)
}

// hears returns how long after the wallet had its request, and had answered it, the page said so.
func (f *fixture) hears(t *testing.T, page *browser.Page) (opened, answered time.Duration) {
	t.Helper()
	stream := f.follow(t.Context(), t, page)
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	until := func(text string) time.Time {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), text) {
				return time.Now()
			}
		}
		t.Fatalf("the page never hears %q: %v", text, lines.Err())
		return time.Time{}
	}
	until("Waiting")
	request := f.review(t, page)
	begin := time.Now()
	opened = until("Opened in your wallet").Sub(begin)
	f.share(t, request)
	begin = time.Now()
	return opened, until(`"reload":true`).Sub(begin)
}

// What one node began another goes on with, to the end: nothing of a recovery is in a node.
func TestARecoveryThatChangesNodes(t *testing.T) {
	f := setUpEnv(t, testenv.Options{Store: "mongo", Nodes: 2, Front: divide})
	page := f.asked(t)
	next := f.share(t, f.review(t, page))
	page, err := f.browser.Open(t.Context(), next)
	page = f.press(t, f.must(t, page, err), "finish")
	code, err := f.RP.Code(f.attempt, page.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens); err != nil {
		t.Error(err)
	}
	var refused *rp.Error
	if _, err := f.RP.Redeem(t.Context(), f.attempt, code); !errors.As(err, &refused) || refused.Code != "invalid_grant" {
		t.Errorf("a second time: %v", err)
	}
	if strings.Contains(f.log.String(), "network unknown") {
		t.Error("the nodes do not know whom the proxy in front speaks for")
	}
}
