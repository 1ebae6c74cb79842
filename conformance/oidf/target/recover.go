package target

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"regain/conformance/browser"
)

// Ending is the page of ours where a recovery ended, or goes on.
type Ending struct {
	Page      *browser.Page
	Succeeded bool // the account would have been recovered; else the page still waits for the wallet
}

// Recover recovers an account as its owner would, in a browser of its own. The wallet is the suite: its page is where
// the link leads, and sends the browser back. One whose answer was refused keeps the browser, and then the person looks
// at our page again.
func (t *Target) Recover(ctx context.Context, account string) (Ending, error) {
	attempt, err := t.RP.Start(ctx, account, nil)
	if err != nil {
		return Ending{}, err
	}
	b := t.browser()
	page, err := b.Open(ctx, attempt.AuthorizeURL)
	if err != nil {
		return Ending{}, err
	}
	form, ok := page.Form("have-verified-id")
	if !ok {
		return Ending{}, unexpected(page)
	}
	asked, err := b.Submit(ctx, form, nil)
	if err != nil {
		return Ending{}, err
	}
	link, ok := asked.Link("open-wallet")
	if !ok {
		return Ending{}, unexpected(asked)
	}
	if page, err = b.Follow(ctx, link); err != nil {
		return Ending{}, err
	}
	if page.URL.Host != asked.URL.Host {
		if page, err = b.Open(ctx, asked.URL.String()); err != nil {
			return Ending{}, err
		}
	}
	succeeded := page.Has("evaluated")
	if !succeeded && !page.Has("open-wallet") {
		return Ending{}, unexpected(page)
	}
	return Ending{Page: page, Succeeded: succeeded}, nil
}

// Visit opens an address in a browser of its own, and returns the page where that ends.
func (t *Target) Visit(ctx context.Context, address string) (*browser.Page, error) {
	return t.browser().Open(ctx, address)
}

// browser is one that trusts the test environment and the suite.
func (t *Target) browser() *browser.Browser {
	return browser.New(browser.Config{HTTPClient: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: t.roots, MinVersion: tls.VersionTLS12},
	}}})
}

func unexpected(page *browser.Page) error {
	return fmt.Errorf("status %d, page %q: %s", page.Status, page.Title, page.Text())
}
