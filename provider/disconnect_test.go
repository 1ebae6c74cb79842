package provider_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// strict is a store that does nothing for whoever went away, as databases do; hangUp is called after its next change.
type strict struct {
	storage.Store
	hangUp atomic.Pointer[context.CancelFunc]
}

func (s *strict) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if err := ctx.Err(); err != nil {
		return storage.Record{}, err
	}
	return s.Store.Get(ctx, kind, id)
}

func (s *strict) Update(ctx context.Context, r storage.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.Store.Update(ctx, r)
	if hangUp := s.hangUp.Swap(nil); hangUp != nil {
		(*hangUp)()
	}
	return err
}

func (s *strict) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results, err := s.Store.Commit(ctx, changes)
	if hangUp := s.hangUp.Swap(nil); hangUp != nil {
		(*hangUp)()
	}
	return results, err
}

// A page that goes away just when its answer was taken finds the verdict when it is loaded again: nobody else has the
// response code, so it would wait for ever.
func TestThePageGoesAway(t *testing.T) {
	store := &strict{}
	f := setUpEnv(t, testenv.Options{
		Deps: func(d *node.Deps) { d.Wrap = func(s storage.Store) storage.Store { store.Store = s; return store } },
		Change: func(cfg *config.Config) {
			cfg.Wallets = []config.WalletConfig{{Endpoint: cfg.Wallets[0].Endpoint, DigitalCredentials: []string{"signed"}}}
		},
	})
	f.wallet = f.newWallet(t, request.Policy{})
	page := f.asked(t)
	f.review(t, page) // for the Face Check
	asked := f.requests(t)[0]
	form, _ := page.Form("cancel")
	body := url.Values{"csrf": {form.Values.Get("csrf")}, "wallet": {"default"}, "protocol": {asked.Protocol}, "data": {f.respond(t, asked, wallet.ShareOptions{})}}.Encode()
	gone, hangUp := context.WithCancel(t.Context())
	sent := httptest.NewRequestWithContext(gone, http.MethodPost, strings.TrimSuffix(form.Action, "/cancel")+"/digital-credentials/response", strings.NewReader(body))
	sent.Header.Set("Content-Type", formType)
	for _, cookie := range f.browser.Cookies(page.URL.String()) {
		sent.AddCookie(cookie)
	}
	store.hangUp.Store(&hangUp)
	f.Node.ServeHTTP(httptest.NewRecorder(), sent)
	if gone.Err() == nil {
		t.Fatal("nothing was stored")
	}
	page, err := f.browser.Follow(t.Context(), page.URL.String())
	f.finishes(t, f.must(t, page, err))
}
