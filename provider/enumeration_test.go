package provider_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/wallet"
	"regain/internal/config"
)

// Promise 6, in each way to a wallet: an account that does not exist, one that is excluded and one that the evidence does
// not name meet the same pages, the same request and the same words, and the wallet hears the same.
func TestNothingToEnumerateInAnyChannel(t *testing.T) {
	for name, w := range map[string]config.WalletConfig{
		"by reference": {TransactionData: true}, "in the link": {ByValue: true, TransactionData: true}, "through the browser": {DigitalCredentials: []string{"unsigned"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := setUpWallets(t, nil, w)
			seen := map[string][]string{}
			for _, account := range []string{"jon.bell@example.org", "nobody@example.org", "grace.okafor@example.org"} {
				seen[account] = f.walks(t, account, w)
			}
			for account, got := range seen {
				if !slices.Equal(got, seen["nobody@example.org"]) {
					t.Errorf("%s: %q\nnobody: %q", account, got, seen["nobody@example.org"])
				}
			}
			if t.Failed() || len(seen["nobody@example.org"]) < 4 {
				t.Error(seen)
			}
		})
	}
}

// walks goes through a recovery of an account with Ada's wallet, and tells what could be seen of it from outside.
func (f *fixture) walks(t *testing.T, account string, w config.WalletConfig) (seen []string) {
	t.Helper()
	see := func(page *browser.Page) *browser.Page {
		t.Helper()
		seen = append(seen, blurred(page.Title+" "+page.Text()))
		return page
	}
	page := see(f.press(t, see(f.start(t, account)), "have-verified-id"))
	if len(w.DigitalCredentials) > 0 {
		asked := f.requests(t)[0]
		seen = append(seen, strings.Join(slices.Sorted(maps.Keys(decoded(t, string(asked.Data)))), " "))
		f.review(t, page) // for the Face Check
		status, body := f.script(t, "response", map[string][]string{"wallet": {"default"}, "protocol": {asked.Protocol}, "data": {f.respond(t, asked, wallet.ShareOptions{})}})
		next, _ := body["next"].(string)
		if status != http.StatusOK {
			t.Fatal(status, body)
		}
		page, err := f.browser.Follow(t.Context(), next)
		see(f.must(t, page, err))
		return seen
	}
	request := f.review(t, page)
	for _, share := range request.Shares {
		seen = append(seen, share.Query)
	}
	for _, transaction := range request.Transactions {
		seen = append(seen, strings.Join(slices.Sorted(maps.Keys(transaction.Details)), " "))
	}
	next, err := f.browser.Open(t.Context(), f.share(t, request))
	see(f.must(t, next, err))
	return seen
}

// blurred leaves out what is another in every recovery: the reference, the masked name, random texts.
func blurred(text string) string {
	for _, pattern := range []string{`Reference [0-9a-f]+`, `\S•••\S*`, `\S*://\S+`} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, "…")
	}
	return text
}
