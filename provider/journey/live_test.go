package journey_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regain/provider/facetest"
	"regain/provider/journey"
	"regain/recovery"
	"regain/storage"
	"regain/storage/storagetest"
)

// counted is a store that counts its operations.
type counted struct {
	storage.Store
	reads, writes atomic.Int64
}

func (s *counted) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	s.reads.Add(1)
	return s.Store.Get(ctx, kind, id)
}

func (s *counted) Update(ctx context.Context, r storage.Record) error {
	s.writes.Add(1)
	return s.Store.Update(ctx, r)
}

// since returns how many reads and writes there were since it was called last.
func (s *counted) since() (reads, writes int64) { return s.reads.Swap(0), s.writes.Swap(0) }

// codes are wallets whose links tell the handle.
type codes struct{ facetest.Wallets }

func (codes) RequestURL(_ context.Context, t recovery.Transaction, channel recovery.Channel) (string, error) {
	return "openid4vp://?handle=" + url.QueryEscape(string(t.HandleOf(channel))), nil
}

// waiting is an environment with live pages whose clock runs.
type waiting struct {
	*facetest.Env
	store *counted
	pages *journey.Pages
}

// newWaiting makes live pages that hear of changes from what changes returns, nil for those of this node.
func newWaiting(t *testing.T, channels []recovery.Channel, changes func(storage.Store) journey.Changes) *waiting {
	t.Helper()
	store := &counted{}
	e := facetest.NewOver(t, func(s storage.Store) storage.Store { store.Store = s; return store }, func(p *recovery.Profile) { p.Channels = channels })
	deps := journey.Deps{
		Issuer: facetest.Issuer, Web: e.Web, Binding: e.Binding, Recovery: e.Recovery, Changes: e.Transactions, Wallets: codes{}, Clock: e.Clock, LivePages: journey.Limits{Total: 1000, PerNetwork: 500},
		Client: func(context.Context, recovery.Transaction) (journey.Client, error) { return idp(), nil },
	}
	if changes != nil {
		deps.Changes = changes(store)
	}
	p, err := journey.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	p.Mount(e.Txn)
	e.StartClock()
	return &waiting{e, store, p}
}

// open opens a live page and waits for its first event. The page ends with the test.
func (w *waiting) open(t *testing.T, s *facetest.Started) *tab {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.Path("/events"), nil)
	r.AddCookie(s.Cookie)
	page := &tab{ResponseRecorder: httptest.NewRecorder()}
	go func() {
		w.Router.ServeHTTP(page, r)
		page.over.Store(true)
	}()
	if got := page.news(); !strings.Contains(got, "Waiting for your wallet") {
		t.Fatalf("a live page begins with %q", got)
	}
	return page
}

// tab is a live page that is read while it is written.
type tab struct {
	*httptest.ResponseRecorder
	over atomic.Bool
	mu   sync.Mutex
}

func (p *tab) Write(b []byte) (int, error) { return p.WriteString(string(b)) }

func (p *tab) WriteString(s string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ResponseRecorder.WriteString(s)
}

// news is what came since it was called last.
func (p *tab) news() string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.Body.Reset()
	return p.Body.String()
}

func sameDevice() []recovery.Channel {
	return []recovery.Channel{{Wallet: "any", Flow: recovery.FlowSameDevice}}
}

func bothDevices() []recovery.Channel {
	return append(sameDevice(), recovery.Channel{Wallet: "any", Flow: recovery.FlowCrossDevice})
}

// A page that waits asks nothing of the store while nothing happens. With a QR code it looks once in the code's lifetime.
func TestLivePagesThatWaitCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiting(t, sameDevice(), nil)
		for range 20 {
			w.open(t, w.Start(t).Ask(t))
		}
		w.store.since()
		time.Sleep(119 * time.Second)
		synctest.Wait()
		if reads, writes := w.store.since(); reads != 0 || writes != 0 {
			t.Errorf("%d reads, %d writes in two minutes", reads, writes)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWaiting(t, bothDevices(), nil)
		s := w.Start(t).Ask(t)
		first, second := w.open(t, s), w.open(t, s)
		w.store.since()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if reads, writes := w.store.since(); reads != 0 || writes != 0 {
			t.Errorf("%d reads, %d writes before the code is due", reads, writes)
		}
		time.Sleep(2 * time.Second)
		one, two := first.news(), second.news()
		if reads, writes := w.store.since(); writes != 0 || reads > 2 { // each reads what there is
			t.Errorf("%d reads, %d writes for one new code", reads, writes)
		}
		if code := string(w.handle(t, s)); !strings.Contains(one, code) || !strings.Contains(two, code) || strings.Contains(one+two, `"reload":true`) {
			t.Errorf("the new code is %s, the pages show %q and %q", code, one, two)
		}
	})
}

func (w *waiting) handle(t *testing.T, s *facetest.Started) recovery.Handle {
	t.Helper()
	s.Reload(t)
	return s.Handle(recovery.FlowCrossDevice)
}

// However many pages wait at a node, it asks a store that it shares twice a second for the versions, and reads nothing.
func TestLivePagesAreOnePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared *storagetest.Shared
		w := newWaiting(t, sameDevice(), func(s storage.Store) journey.Changes {
			shared = &storagetest.Shared{Store: s.(*counted).Store} // whose own reads are not counted
			return storage.NewSharedTransactions(s, shared)
		})
		for range 50 {
			s := w.Start(t).Ask(t)
			w.open(t, s)
			w.open(t, s)
		}
		w.store.since()
		shared.Polls.Store(0)
		time.Sleep(time.Minute)
		synctest.Wait()
		reads, writes := w.store.since()
		if polls := shared.Polls.Load(); polls < 119 || polls > 120 || reads != 0 || writes != 0 {
			t.Errorf("%d polls, %d reads, %d writes in a minute of 100 pages", polls, reads, writes)
		}
	})
}

// What a person's wallet does is told at once at the node that it talks to, and within a second at any other.
func TestLivePagesHearOfChanges(t *testing.T) {
	for name, row := range map[string]struct {
		changes func(storage.Store) journey.Changes
		within  time.Duration
	}{
		"this node": {nil, 0},
		"another node": {func(s storage.Store) journey.Changes {
			return storage.NewSharedTransactions(s, &storagetest.Shared{Store: s})
		}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWaiting(t, bothDevices(), row.changes)
				s := w.Start(t).Ask(t)
				page := w.open(t, s)
				time.Sleep(7 * time.Second)
				w.fetch(t, s)
				time.Sleep(row.within)
				if got := page.news(); !strings.Contains(got, "Opened in your wallet") {
					t.Errorf("after the wallet's fetch: %q", got)
				}
				s.Answer(t, recovery.FlowSameDevice, nil)
				time.Sleep(row.within)
				if got := page.news(); !strings.Contains(got, `"reload":true`) || !page.over.Load() {
					t.Errorf("after the wallet's answer: %q, over %t", got, page.over.Load())
				}
			})
		})
	}
}

// fetch has a wallet fetch the request of the same device.
func (w *waiting) fetch(t *testing.T, s *facetest.Started) {
	t.Helper()
	open, err := w.Recovery.Find(t.Context(), s.Handle(recovery.FlowSameDevice))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Recovery.Attach(t.Context(), open, []byte("{}"), recovery.WalletFetched); err != nil {
		t.Fatal(err)
	}
}

// Nobody writes at the end of a transaction's lifetime: the page finds out in time by itself.
func TestLivePagesHearOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiting(t, sameDevice(), nil)
		s := w.Start(t).Ask(t)
		time.Sleep(s.ExpiresAt.Sub(w.Clock()) - time.Minute)
		page := w.open(t, s)
		time.Sleep(time.Minute - time.Second)
		if got := page.news(); got != "" || page.over.Load() {
			t.Errorf("a second before the end: %q", got)
		}
		time.Sleep(time.Second + 100*time.Millisecond)
		if got := page.news(); !strings.Contains(got, `"reload":true`) || !page.over.Load() {
			t.Errorf("after the end: %q", got)
		}
		if tx := s.Reload(t); tx.State != recovery.StateExpired {
			t.Errorf("it is %s", tx.State)
		}
	})
}

// A page whose connection is over no longer waits, and the browser connects again.
func TestALivePageHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWaiting(t, sameDevice(), nil)
		page := w.open(t, w.Start(t).Ask(t))
		time.Sleep(2*time.Minute + time.Second)
		if got := page.news(); got != "" || !page.over.Load() || page.Code != http.StatusOK {
			t.Errorf("it goes on, with %q", got)
		}
	})
}
