package provider_test

import (
	"bufio"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
	"regain/storage/storagetest"
)

// The browser waits at one node, the wallet answers at another: the page hears of it all the same, since what they share
// is the store.
func TestLiveAcrossNodes(t *testing.T) {
	var shared storage.Store
	var cfg config.Config
	f := setUpEnv(t, testenv.Options{
		Change: func(c *config.Config) { cfg = *c },
		Deps: func(d *node.Deps) {
			d.Wrap = func(s storage.Store) storage.Store { shared = &storagetest.Shared{Store: s}; return shared }
		},
	})
	cfg.Audit.File = "" // each node has a log of its own
	second, err := node.New(cfg, node.Deps{
		Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader, Wrap: func(storage.Store) storage.Store { return shared },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(second)
	defer server.Close()

	page := f.asked(t)
	live, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+page.URL.Path+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range f.browser.Cookies(page.URL.String()) {
		live.AddCookie(cookie)
	}
	answer, err := http.DefaultClient.Do(live)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	news := make(chan string, 16)
	go func() {
		defer close(news)
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				news <- text
			}
		}
	}()
	hear := func(part string) {
		t.Helper()
		for text := range news {
			if strings.Contains(text, part) {
				return
			}
		}
		t.Fatalf("the page never hears %q", part)
	}
	hear("Waiting")
	request := f.review(t, page) // at the first node
	hear("Opened in your wallet")
	f.share(t, request)
	hear(`"reload":true`)
}
