package provider_test

import (
	"context"
	"sync/atomic"
	"testing"

	"regain/conformance/testenv"
	"regain/conformance/wallet/request"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// writes counts the changes of a store.
type writes struct {
	storage.Store
	n atomic.Int64
}

func (w *writes) Update(ctx context.Context, r storage.Record) error {
	w.n.Add(1)
	return w.Store.Update(ctx, r)
}

func (w *writes) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	for _, c := range changes {
		if c.Operation == storage.OpUpdate {
			w.n.Add(1)
		}
	}
	return w.Store.Commit(ctx, changes)
}

// Looking at a page changes nothing: the request in its link was made when it was first shown, and a QR code lives on.
func TestPageViewsWriteNothing(t *testing.T) {
	for name, row := range map[string]struct{ wallet config.WalletConfig }{
		"in the link": {wallet: config.WalletConfig{ByValue: true}}, "by reference": {wallet: config.WalletConfig{}},
	} {
		t.Run(name, func(t *testing.T) {
			store := &writes{}
			f := setUpEnv(t, testenv.Options{
				Deps: func(d *node.Deps) { d.Wrap = func(s storage.Store) storage.Store { store.Store = s; return store } },
				Change: func(cfg *config.Config) {
					row.wallet.Endpoint = cfg.Wallets[0].Endpoint
					cfg.Wallets = []config.WalletConfig{row.wallet}
					for i := range cfg.Profiles {
						cfg.Profiles[i].CrossDevice.Allow = true
					}
				},
			})
			f.wallet = f.newWallet(t, request.Policy{})
			page := f.asked(t)
			before := store.n.Load()
			for range 10 {
				var err error
				page, err = f.browser.Follow(t.Context(), page.URL.String())
				f.must(t, page, err)
			}
			if n := store.n.Load() - before; n != 0 {
				t.Errorf("ten looks changed the store %d times", n)
			}
			f.recovers(t, page)
		})
	}
}
