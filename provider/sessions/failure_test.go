package sessions_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/provider/sessions"
	"regain/storage"
	"regain/storage/memory"
)

var errDown = errors.New("the disk is gone")

// failing is a store of which some steps fail.
type failing struct {
	storage.Store
	fails   string // the step that fails
	err     error
	updates int
}

func (f *failing) Create(ctx context.Context, r storage.Record) error {
	if f.fails == "create" {
		return f.err
	}
	return f.Store.Create(ctx, r)
}

func (f *failing) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if f.fails == "get" {
		return storage.Record{}, f.err
	}
	r, err := f.Store.Get(ctx, kind, id)
	if f.fails == "decode" {
		r.Data = []byte("{")
	}
	return r, err
}

func (f *failing) Update(ctx context.Context, r storage.Record) error {
	f.updates++
	if f.fails == "update" {
		return f.err
	}
	return f.Store.Update(ctx, r)
}

func (f *failing) Consume(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if f.fails == "consume" {
		return storage.Record{}, f.err
	}
	r, err := f.Store.Consume(ctx, kind, id)
	if f.fails == "decode" {
		r.Data = []byte("{")
	}
	return r, err
}

func unreliable(t *testing.T) (*failing, *sessions.Sessions) {
	t.Helper()
	plain, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	store := &failing{Store: plain}
	all, err := sessions.New(store, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return store, all
}

// TestAStoreThatFailsIsNoAnswer holds that a store that cannot be read or written is told, and is never taken for a
// browser without a session, nor for a session that was ended or joined.
func TestAStoreThatFailsIsNoAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		step func(ctx context.Context, all *sessions.Sessions, s sessions.Session, cookie string) error
		why  string
	}{
		"create": {func(ctx context.Context, all *sessions.Sessions, _ sessions.Session, _ string) error {
			_, cookie, err := all.Begin(ctx, sessions.Session{Account: "bob"})
			if cookie != "" {
				t.Error("a cookie for a session that is not stored")
			}
			return err
		}, "store session: the disk is gone"},
		"get": {func(ctx context.Context, all *sessions.Sessions, _ sessions.Session, cookie string) error {
			_, err := all.Open(ctx, cookie)
			return err
		}, "read session: the disk is gone"},
		"update": {func(ctx context.Context, all *sessions.Sessions, s sessions.Session, _ string) error {
			_, err := all.Join(ctx, s, "a", "ada")
			return err
		}, "store session: the disk is gone"},
		"consume": {func(ctx context.Context, all *sessions.Sessions, s sessions.Session, _ string) error {
			_, err := all.End(ctx, s.ID)
			return err
		}, "end session: the disk is gone"},
		"decode": {func(ctx context.Context, all *sessions.Sessions, s sessions.Session, cookie string) error {
			if _, err := all.Open(ctx, cookie); err == nil || !strings.Contains(err.Error(), "decode session") {
				t.Errorf("opened: %v", err)
			}
			_, err := all.End(ctx, s.ID)
			return err
		}, "decode session"},
	} {
		t.Run(name, func(t *testing.T) {
			store, all := unreliable(t)
			s, cookie, err := all.Begin(t.Context(), sessions.Session{Account: "ada"})
			if err != nil {
				t.Fatal(err)
			}
			store.fails, store.err = name, errDown
			err = row.step(t.Context(), all, s, cookie)
			if err == nil || errors.Is(err, sessions.ErrNone) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v, want %q", err, row.why)
			}
			if store.updates > 1 {
				t.Errorf("%d attempts on a store that is down", store.updates)
			}
		})
	}
}

// TestJoinGivesUp holds that a session which others change for ever is not tried for ever.
func TestJoinGivesUp(t *testing.T) {
	store, all := unreliable(t)
	s, _, err := all.Begin(t.Context(), sessions.Session{Account: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	store.fails, store.err = "update", storage.ErrConflict
	if _, err := all.Join(t.Context(), s, "a", "ada"); !errors.Is(err, storage.ErrConflict) || store.updates != 5 {
		t.Errorf("%d attempts, %v", store.updates, err)
	}
}

// TestJoinGoesOn holds that what Join returns can be joined again without reading it: its version is the stored one.
func TestJoinGoesOn(t *testing.T) {
	store, all := unreliable(t)
	s, cookie, err := all.Begin(t.Context(), sessions.Session{Account: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"a", "b", "c"} {
		if s, err = all.Join(t.Context(), s, client, "ada"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := all.Open(t.Context(), cookie); err != nil || !slices.Equal(slices.Sorted(maps.Keys(got.Subjects)), []string{"a", "b", "c"}) || store.updates != 3 {
		t.Errorf("%v after %d updates, %v", got.Subjects, store.updates, err)
	}
}

// TestBeginNeedsRandomness holds that a session is not begun with what everybody can guess, and that id and secret are
// as long as they are said to be.
func TestBeginNeedsRandomness(t *testing.T) {
	plain, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for n, ok := range map[int]bool{0: false, 47: false, 48: true} {
		all, err := sessions.New(plain, time.Now, bytes.NewReader(make([]byte, n)))
		if err != nil {
			t.Fatal(err)
		}
		_, cookie, err := all.Begin(t.Context(), sessions.Session{})
		if (err == nil) != ok || !ok && (cookie != "" || !strings.Contains(err.Error(), "read randomness")) {
			t.Errorf("with %d bytes: %q, %v", n, cookie, err)
		}
		id, secret, _ := strings.Cut(cookie, ".")
		if ok && (base64.RawURLEncoding.DecodedLen(len(id)) != 16 || base64.RawURLEncoding.DecodedLen(len(secret)) != 32) {
			t.Errorf("the cookie is %q", cookie)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	plain, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func() (*sessions.Sessions, error){
		"no store":      func() (*sessions.Sessions, error) { return sessions.New(nil, time.Now, rand.Reader) },
		"no clock":      func() (*sessions.Sessions, error) { return sessions.New(plain, nil, rand.Reader) },
		"no randomness": func() (*sessions.Sessions, error) { return sessions.New(plain, time.Now, nil) },
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), "store, clock and randomness are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAMalformedCookieReadsNothing holds that what cannot be a cookie of ours costs no read of the store.
func TestAMalformedCookieReadsNothing(t *testing.T) {
	store, all := unreliable(t)
	store.fails, store.err = "get", errDown
	for _, cookie := range []string{"", "x", "id.%%%", "id.A"} {
		if _, err := all.Open(t.Context(), cookie); !errors.Is(err, sessions.ErrNone) {
			t.Errorf("%q: %v", cookie, err)
		}
	}
}
