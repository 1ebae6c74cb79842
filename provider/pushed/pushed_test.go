package pushed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/pushed"
	"regain/provider/requests"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

var errDown = errors.New("down")

// faulty is a store of which one operation fails.
type faulty struct {
	storage.Store
	fail    string
	err     error
	garbled bool // what is read is nothing that was written
}

func (f *faulty) broken(operation string) error {
	if f.fail == operation {
		return f.err
	}
	return nil
}

func (f *faulty) Create(ctx context.Context, r storage.Record) error {
	return errors.Join(f.broken("create"), f.Store.Create(ctx, r))
}

func (f *faulty) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if err := f.broken("get"); err != nil {
		return storage.Record{}, err
	}
	row, err := f.Store.Get(ctx, kind, id)
	if f.garbled {
		row.Data = []byte("x")
	}
	return row, err
}

func (f *faulty) Update(ctx context.Context, r storage.Record) error {
	if err := f.broken("update"); err != nil {
		return err
	}
	return f.Store.Update(ctx, r)
}

func (f *faulty) Delete(ctx context.Context, kind storage.Kind, id string) error {
	if err := f.broken("delete"); err != nil {
		return err
	}
	return f.Store.Delete(ctx, kind, id)
}

func (f *faulty) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	if err := f.broken("increment"); err != nil {
		return 0, err
	}
	return f.Store.Increment(ctx, kind, id, window)
}

// parts are kept requests whose store and source of ids can be made to fail.
type parts struct {
	*pushed.Requests
	t     *testing.T
	now   time.Time
	store *faulty
	ids   int
	noID  error
}

func setUp(t *testing.T) *parts {
	t.Helper()
	p := &parts{t: t, now: time.Now().Truncate(time.Second)}
	clock := func() time.Time { return p.now }
	backend, err := memory.New(clock)
	p.must(err)
	p.store = &faulty{Store: backend, err: errDown}
	p.Requests, err = pushed.New(p.store, func(context.Context) (string, error) {
		p.ids++
		return fmt.Sprint("id-", p.ids), p.noID
	}, clock)
	p.must(err)
	return p
}

func (p *parts) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func asked() requests.Authorization {
	return requests.Authorization{ClientID: "main-idp", RedirectURI: "https://idp.example.org/callback", State: "s", Account: "ada@example.org"}
}

// visit is what the browser's visit finds of a client's request.
func (p *parts) visit(client, uri string) (requests.Authorization, error) {
	a, err := p.Of(p.t.Context(), &clients.Client{ID: client}, uri)
	a.Pushed = uri
	return a, err
}

// pushed is a request that was pushed, as a visit finds it.
func (p *parts) pushed() requests.Authorization {
	p.t.Helper()
	uri, err := p.Push(p.t.Context(), asked())
	p.must(err)
	a, err := p.visit("main-idp", uri)
	p.must(err)
	return a
}

func (p *parts) failing(operation string, call func() error) error {
	p.store.fail = operation
	defer func() { p.store.fail = "" }()
	return call()
}

// A pushed request is its client's, for five minutes and until it is answered, as often as it is visited.
func TestPush(t *testing.T) {
	p := setUp(t)
	a := p.pushed()
	if a.State != "s" || a.Account != "ada@example.org" || a.Held || !pushed.Is(a.Pushed) || a.Pushed == p.pushed().Pushed {
		t.Errorf("%+v", a)
	}
	if pushed.Is("https://idp.example.org/request.jwt") || pushed.Is("") {
		t.Error("any URI is one of ours")
	}
	const over = "unknown, expired or was used already"
	_, err := p.visit("other-idp", a.Pushed)
	problemtest.WantRefusal(t, err, "invalid_request_uri", over)
	if any, err := p.Load(t.Context(), a.Pushed); err != nil || any.ClientID != "main-idp" {
		t.Errorf("%+v, %v", any, err)
	}
	p.now = p.now.Add(5*time.Minute - time.Second)
	if _, err := p.visit("main-idp", a.Pushed); err != nil {
		t.Errorf("visited again: %v", err)
	}
	p.now = p.now.Add(time.Second)
	_, err = p.visit("main-idp", a.Pushed)
	problemtest.WantRefusal(t, err, "invalid_request_uri", over)
	a = p.pushed()
	p.must(p.Delete(t.Context(), a))
	_, err = p.visit("main-idp", a.Pushed)
	problemtest.WantRefusal(t, err, "invalid_request_uri", over)
	_, err = p.Hold(t.Context(), a) // what is over is not held again
	problemtest.WantRefusal(t, err, "invalid_request_uri", over)
	p.must(p.failing("delete", func() error { return p.Delete(t.Context(), asked()) })) // by value there is nothing to delete
}

// The person has a quarter of an hour from the first page on, and no more for loading it again.
func TestHold(t *testing.T) {
	p := setUp(t)
	for name, a := range map[string]requests.Authorization{"pushed": p.pushed(), "by value": asked()} {
		start := p.now
		p.now = start.Add(time.Minute)
		uri, err := p.Hold(t.Context(), a)
		p.must(err)
		if a.Pushed != "" && uri != a.Pushed {
			t.Errorf("%s: held under another request URI", name)
		}
		p.now = start.Add(16*time.Minute - time.Second)
		held, err := p.visit("main-idp", uri)
		if err != nil || held.State != "s" || !held.Held {
			t.Errorf("%s: while the person may type: %+v, %v", name, held, err)
		}
		if again, err := p.Hold(t.Context(), held); err != nil || again != uri {
			t.Errorf("%s: held again as %s, %v", name, again, err)
		}
		p.now = start.Add(16 * time.Minute)
		_, err = p.visit("main-idp", uri)
		problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already")
		p.now = start
	}
}

// What a node of a newer version added to a request is still there when this one has held it.
func TestAHeldRequestOfANewerVersion(t *testing.T) {
	p := setUp(t)
	a := p.pushed()
	kept := storagetest.Newer(t, p.store, "par", storage.Digest(a.Pushed))
	_, err := p.Hold(t.Context(), a)
	if p.must(err); !kept() {
		t.Error("it is lost")
	}
}

// While the store does not answer, nothing is kept, found or counted, and nothing is called unknown.
func TestTheStoreDoesNotAnswer(t *testing.T) {
	p := setUp(t)
	a := p.pushed()
	for name, row := range map[string]struct {
		operation string
		call      func() error
	}{
		"push":  {"create", func() error { _, err := p.Push(t.Context(), asked()); return err }},
		"visit": {"get", func() error { _, err := p.visit("main-idp", a.Pushed); return err }},
		"load":  {"get", func() error { _, err := p.Load(t.Context(), a.Pushed); return err }},
		"find":  {"get", func() error { _, err := p.Hold(t.Context(), a); return err }},
		"hold":  {"update", func() error { _, err := p.Hold(t.Context(), a); return err }},
		"by value": {"create", func() error {
			uri, err := p.Hold(t.Context(), asked())
			if uri != "" {
				t.Errorf("held as %q", uri)
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			problemtest.WantRefusal(t, p.failing(row.operation, row.call), "temporarily_unavailable", "down")
		})
	}
	if err := p.failing("delete", func() error { return p.Delete(t.Context(), a) }); !errors.Is(err, errDown) {
		t.Errorf("delete: %v", err)
	}
	p.noID = errDown
	_, err := p.Push(t.Context(), asked())
	problemtest.WantRefusal(t, err, "server_error", "down")
	p.store.garbled = true
	_, err = p.visit("main-idp", a.Pushed)
	problemtest.WantRefusal(t, err, "server_error", "")
	_, err = p.Hold(t.Context(), a)
	problemtest.WantRefusal(t, err, "server_error", "")
}

// Nothing of it may be missing.
func TestNewNeedsEverything(t *testing.T) {
	p := setUp(t)
	id := func(context.Context) (string, error) { return "", nil }
	for name, row := range map[string]struct {
		store storage.Store
		id    pushed.NewID
		clock func() time.Time
	}{"store": {nil, id, time.Now}, "ids": {p.store, nil, time.Now}, "clock": {p.store, id, nil}} {
		if r, err := pushed.New(row.store, row.id, row.clock); err == nil || r != nil || !strings.Contains(err.Error(), "are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Pages that two clicks load at once hold one request; one that another click ended meanwhile is told at the form.
func TestHoldMeanwhile(t *testing.T) {
	p := setUp(t)
	a := p.pushed()
	for _, p.store.err = range []error{storage.ErrConflict, storage.ErrNotFound} {
		p.must(p.failing("update", func() error {
			uri, err := p.Hold(t.Context(), a)
			if uri != a.Pushed {
				t.Errorf("held as %q", uri)
			}
			return err
		}))
	}
}

// One request URI opens eight recoveries and no more, whatever opens it: a crawler fills no store (visits.go).
func TestVisits(t *testing.T) {
	p := setUp(t)
	a := p.pushed()
	other := a
	other.Pushed += "x"
	looks, _ := storage.ReadOnly(t.Context())
	for range 20 {
		if refusal := p.CountVisit(looks, a); refusal != nil {
			t.Fatalf("one who may only look: %v", refusal)
		}
	}
	if refusal := p.failing("increment", func() error { return asNil(p.CountVisit(t.Context(), a)) }); refusal != nil {
		t.Errorf("the first costs a change of the store: %v", refusal)
	}
	problemtest.WantRefusal(t, p.failing("increment", func() error { return asNil(p.CountVisit(t.Context(), a)) }), "temporarily_unavailable", "down")
	for visit := 2; visit <= 8; visit++ {
		if refusal := p.CountVisit(t.Context(), a); refusal != nil {
			t.Fatalf("visit %d: %v", visit, refusal)
		}
	}
	for range 2 {
		problemtest.WantRefusal(t, p.CountVisit(t.Context(), a), "invalid_request_uri", "was opened too often")
	}
	if refusal := p.CountVisit(t.Context(), other); refusal != nil {
		t.Errorf("another request: %v", refusal)
	}
	for range 20 { // by value there is no URI to open
		if refusal := p.CountVisit(t.Context(), asked()); refusal != nil {
			t.Fatalf("by value: %v", refusal)
		}
	}
	p.now = p.now.Add(20*time.Minute - time.Second) // as long as it can be good
	problemtest.WantRefusal(t, p.CountVisit(t.Context(), a), "invalid_request_uri", "was opened too often")
	p.now = p.now.Add(time.Second) // and no longer: what cannot be opened need not be counted
	if refusal := p.CountVisit(t.Context(), a); refusal != nil {
		t.Errorf("after its end: %v", refusal)
	}
}

func asNil(refusal *problem.Error) error {
	if refusal == nil {
		return nil
	}
	return refusal
}
