package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/internal/config"
)

// A request that nobody signs is in its link, and is not served: what is fetched has to be signed.
func TestNothingUnsignedIsServed(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{ClientIDPrefix: "redirect_uri", ByValue: true})
	page := f.asked(t)
	target := strings.Replace(f.review(t, page).ResponseURI(), "/response/", "/request/", 1)
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPost: url.Values{"wallet_nonce": {"abcdef"}}.Encode()} {
		resp, text := f.send(t, method, target, formType, body)
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", method, resp.StatusCode, text)
		}
	}
	f.recovers(t, page)
}
