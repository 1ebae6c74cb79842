package sessions_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/provider/sessions"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

func setUp(t *testing.T) (*sessions.Sessions, *time.Time) {
	t.Helper()
	now := time.Now()
	clock := func() time.Time { return now }
	store, err := memory.New(clock)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := storage.NewSealed(store, ring)
	if err != nil {
		t.Fatal(err)
	}
	all, err := sessions.New(sealed, clock, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return all, &now
}

func TestASessionLivesUntilItsEnd(t *testing.T) {
	all, now := setUp(t)
	s, cookie, err := all.Begin(t.Context(), sessions.Session{Account: "ada", AuthTime: *now, Subjects: map[string]string{"a": "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := all.Open(t.Context(), cookie); err != nil || got.Account != "ada" || got.ID != s.ID {
		t.Errorf("%+v, %v", got, err)
	}
	_, other, err := all.Begin(t.Context(), sessions.Session{Account: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	secret := cookie[strings.Index(cookie, ".")+1:]
	for _, wrong := range []string{"", "x", s.ID, s.ID + ".", s.ID + "." + other[strings.Index(other, ".")+1:], "." + secret, s.ID + "." + secret + "A", s.ID + "?" + secret} {
		if _, err := all.Open(t.Context(), wrong); !errors.Is(err, sessions.ErrNone) {
			t.Errorf("cookie %q: %v", wrong, err)
		}
	}
	*now = now.Add(sessions.Lifetime)
	if _, err := all.Open(t.Context(), cookie); !errors.Is(err, sessions.ErrNone) {
		t.Errorf("after its end: %v", err)
	}
}

// What a node of a newer version added to a session is still there when a client joined it here.
func TestASessionOfANewerVersion(t *testing.T) {
	store, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	all, err := sessions.New(store, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, cookie, err := all.Begin(t.Context(), sessions.Session{Account: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	kept := storagetest.Newer(t, store, "session", s.ID)
	if s, err = all.Open(t.Context(), cookie); err != nil {
		t.Fatal(err)
	}
	if _, err := all.Join(t.Context(), s, "client", "ada"); err != nil || !kept() {
		t.Errorf("it is lost, %v", err)
	}
}

// Clients that join at once are all remembered, and one of those who end it gets it.
func TestManyAtOnce(t *testing.T) {
	all, _ := setUp(t)
	s, cookie, err := all.Begin(t.Context(), sessions.Session{Account: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if _, err := all.Join(t.Context(), s, fmt.Sprint("client-", i), "ada"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := all.Open(t.Context(), cookie); err != nil || len(got.Subjects) != 4 {
		t.Errorf("%v, %v", got.Subjects, err)
	}
	if again, err := all.Join(t.Context(), s, "client-1", "ada"); err != nil || len(again.Subjects) != 4 {
		t.Errorf("a second time: %v, %v", again.Subjects, err)
	}
	ended := make(chan sessions.Session, 8)
	for range 8 {
		wg.Go(func() {
			if s, err := all.End(t.Context(), s.ID); err == nil {
				ended <- s
			} else if !errors.Is(err, sessions.ErrNone) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(ended) != 1 || len((<-ended).Subjects) != 4 {
		t.Error("not ended once, with its clients")
	}
	if _, err := all.Join(t.Context(), s, "late", "ada"); !errors.Is(err, sessions.ErrNone) {
		t.Errorf("joined after the end: %v", err)
	}
}

// A client that gets an ID token with another sub hears of that one when the session ends.
func TestTheLastSubjectCounts(t *testing.T) {
	all, _ := setUp(t)
	s, _, err := all.Begin(t.Context(), sessions.Session{Account: "A1", Subjects: map[string]string{"a": "old", "b": "other"}})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := all.Join(t.Context(), s, "a", "new")
	if err != nil || changed.Subjects["a"] != "new" || changed.Subjects["b"] != "other" || s.Subjects["a"] != "old" {
		t.Errorf("%v, %v; the copy before has %v", changed.Subjects, err, s.Subjects)
	}
	if ended, err := all.End(t.Context(), s.ID); err != nil || ended.Subjects["a"] != "new" || ended.Account != "A1" {
		t.Errorf("%v, %v", ended.Subjects, err)
	}
}
