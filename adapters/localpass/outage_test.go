package localpass_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"regain/adapters/localpass"
	"regain/recovery"
)

var errDisk = errors.New("disk on fire")

// failing is a store of which one method fails.
type failing struct {
	localpass.Store
	method string
}

func (f failing) fail(method string) error {
	if f.method == method {
		return errDisk
	}
	return nil
}

func (f failing) Put(ctx context.Context, e localpass.Entry) error {
	return errors.Join(f.fail("put"), f.Store.Put(ctx, e))
}

func (f failing) Get(ctx context.Context, key string) (localpass.Entry, error) {
	if err := f.fail("get"); err != nil {
		return localpass.Entry{}, err
	}
	e, err := f.Store.Get(ctx, key)
	if f.method == "damage" {
		e.Data = []byte("{")
	}
	return e, err
}

func (f failing) Update(ctx context.Context, e localpass.Entry) error {
	switch f.method {
	case "update":
		return errDisk
	case "expire":
		return recovery.ErrNotFound
	case "conflict":
		return recovery.ErrConflict
	}
	return f.Store.Update(ctx, e)
}

func (f failing) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	if err := f.fail("increment"); err != nil {
		return 0, err
	}
	return f.Store.Increment(ctx, key, window)
}

// over is an issuer over another store, with the same key and clock.
func (b *bench) over(t *testing.T, store localpass.Store, random io.Reader) *localpass.Issuer {
	t.Helper()
	issuer, err := localpass.New(localpass.Config{Key: bytes.Repeat([]byte{7}, 32), Store: store, Clock: func() time.Time { return b.now }, Random: random})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// Whatever fails, the right pass is not accepted without its change being stored, a pass that is not stored is not
// handed out, and the cause is told.
func TestEveryOutageIsNoPass(t *testing.T) {
	for _, once := range []bool{true, false} {
		for method, row := range map[string]struct {
			ok     bool
			verify error
			issue  error
			revoke error
		}{
			"increment": {verify: errDisk},
			"get":       {verify: errDisk, issue: errDisk, revoke: errDisk},
			"damage":    {verify: errAny, issue: errAny, revoke: errAny},
			"update":    {verify: errDisk, revoke: errDisk},
			"put":       {ok: true, issue: errDisk},
			"expire":    {},
			"conflict":  {ok: !once, verify: conflictIf(once), revoke: recovery.ErrConflict},
		} {
			b := setUp(t)
			pass := b.issue(t, once)
			broken := b.over(t, failing{b.store, method}, rand.Reader)
			_, ok, err := broken.Verify(t.Context(), "idp", "ada@example.org", pass.Value.Reveal())
			if ok != row.ok || !is(err, row.verify) {
				t.Errorf("%s fails, once %t: verified %t, %v", method, once, ok, err)
			}
			if err := broken.Revoke(t.Context(), "ada@example.org", pass.ID); method != "put" && !is(err, row.revoke) {
				t.Errorf("%s fails, once %t: revoked, %v", method, once, err)
			}
			order := recovery.PassOrder{Client: "idp", Account: recovery.Account{ID: "ada@example.org"}, Now: b.now, Policy: recovery.PassPolicy{Length: 12, Lifetime: time.Hour}}
			if issued, err := broken.Issue(t.Context(), order); !is(err, row.issue) || (err != nil) != (issued.Value.Reveal() == "") {
				t.Errorf("%s fails, once %t: issued, %v", method, once, err)
			}
		}
	}
}

// errAny stands for an error without a name.
var errAny = errors.New("any")

func is(err, want error) bool {
	if want == errAny { //nolint:errorlint // a mark
		return err != nil
	}
	return errors.Is(err, want) && (want != nil || err == nil)
}

func conflictIf(once bool) error {
	if once {
		return recovery.ErrConflict
	}
	return nil
}

// Without randomness there is no pass: neither one that can be guessed nor one without a name.
func TestNoRandomnessNoPass(t *testing.T) {
	b := setUp(t)
	for _, there := range []int{0, 11, 12, 27} {
		issuer := b.over(t, b.store, io.LimitReader(rand.Reader, int64(there)))
		if _, err := issuer.Issue(t.Context(), recovery.PassOrder{Policy: recovery.PassPolicy{Length: 12}}); err == nil || len(b.store.entries) > 0 {
			t.Errorf("issued from %d bytes: %v", there, err)
		}
	}
	if _, err := b.Issue(t.Context(), recovery.PassOrder{Policy: recovery.PassPolicy{Length: 7}}); err == nil || len(b.store.entries) > 0 {
		t.Errorf("issued a pass that is too short: %v", err)
	}
	if _, err := b.over(t, b.store, io.LimitReader(rand.Reader, 28)).Issue(t.Context(), recovery.PassOrder{Policy: recovery.PassPolicy{Length: 12}}); err != nil {
		t.Errorf("from 28 bytes: %v", err)
	}
}

// Each row leaves out one thing of a configuration that works.
func TestNewRefusesMissingDependencies(t *testing.T) {
	for name, spoil := range map[string]func(*localpass.Config){
		"no key":        func(c *localpass.Config) { c.Key = nil },
		"a short key":   func(c *localpass.Config) { c.Key = c.Key[1:] },
		"no store":      func(c *localpass.Config) { c.Store = nil },
		"no clock":      func(c *localpass.Config) { c.Clock = nil },
		"no randomness": func(c *localpass.Config) { c.Random = nil },
	} {
		cfg := localpass.Config{Key: make([]byte, 32), Store: &memory{}, Clock: time.Now, Random: rand.Reader}
		if _, err := localpass.New(cfg); err != nil {
			t.Fatal(err)
		}
		spoil(&cfg)
		if _, err := localpass.New(cfg); err == nil || !strings.Contains(err.Error(), "required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
