package storage_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/storagetest"
)

// Each row breaks one thing of a list that is accepted, and is refused for that: without the key in the message.
func TestListsOfKeysThatAreRefused(t *testing.T) {
	a, b := text(1), text(2)
	for name, row := range map[string]struct{ list, why string }{
		"two":                 {a + "," + b, ""},
		"one a line":          {a + "\n" + b + "\n", ""},
		"lines of Windows":    {a + "\r\n" + b + "\r\n", ""},
		"a comma at the end":  {a + ",", ""},
		"twice":               {a + "," + b + "," + a, "encryption key 3 is the same as number 1"},
		"twice, once padded":  {a + "," + a + "=", "encryption key 2 is the same as number 1"},
		"an empty place":      {a + ",," + b, "encryption key 2 has 0 bytes"},
		"another alphabet":    {a + "," + strings.Repeat("+", 43), "encryption key 2 is not base64url"},
		"too long":            {a + "," + b + "AAAA", "encryption key 2 has 35 bytes, not 32"},
		"a note behind a key": {a + " # old", "encryption key 1 is not base64url"},
	} {
		ring, err := storage.ParseKeyring(row.list)
		switch {
		case row.why == "" && (err != nil || ring.IDs()[0] != keyring(t, 1).IDs()[0]):
			t.Errorf("%s: %v", name, err)
		case row.why != "" && (err == nil || !strings.Contains(err.Error(), row.why) || strings.Contains(err.Error(), a) || strings.Contains(err.Error(), b)):
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
	}
}

func text(fill byte) string {
	return base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

// FuzzParseKeys: a list of keys is read as the keys that it was made of, and no error quotes what may be one.
func FuzzParseKeys(f *testing.F) {
	f.Add(text(1) + "," + text(2))
	f.Add(text(1) + "=\r\n" + text(3))
	f.Add(",,")
	f.Fuzz(func(t *testing.T, list string) {
		keys, err := storage.ParseKeys(list, "key")
		if err != nil {
			for _, part := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
				if len(part) >= 20 && strings.Contains(err.Error(), part) {
					t.Fatalf("the error quotes what it was given: %v", err)
				}
			}
			return
		}
		var again []string
		for _, key := range keys {
			if len(key) != 32 {
				t.Fatalf("a key of %d bytes", len(key))
			}
			again = append(again, base64.RawURLEncoding.EncodeToString(key))
		}
		read, err := storage.ParseKeys(strings.Join(again, ","), "key")
		if err != nil || len(read) != len(keys) {
			t.Fatalf("written again: %d of %d keys, %v", len(read), len(keys), err)
		}
	})
}

// Whoever meets a record of a key that is not there is told which, and which are.
func TestAnUnknownKeyIsNamed(t *testing.T) {
	first, second, both := keyring(t, 1), keyring(t, 2), keyring(t, 2, 1)
	sealed := first.Seal([]byte("data"), "place")
	id, ok := storage.SealedBy(sealed)
	if !ok || id != first.IDs()[0] || both.IDs()[1] != id || both.IDs()[0] != second.IDs()[0] || len(both.IDs()) != 2 {
		t.Fatalf("sealed by %s: %v", id, both.IDs())
	}
	_, err := second.Open(sealed, "place")
	var unknown *storage.UnknownKeyError
	if !errors.As(err, &unknown) || unknown.Missing != id || len(unknown.Known) != 1 {
		t.Fatalf("got %v", err)
	}
	for _, says := range []string{"the encryption key " + id.String(), "holds " + second.IDs()[0].String(), "secrets.encryption_keys", "put it there, behind the key that is used"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v: want %q", err, says)
		}
	}
	if _, err := both.Open(sealed, "another place"); err == nil || errors.As(err, &unknown) {
		t.Errorf("the key is there, and the place is another: %v", err)
	}
	second.Replace(both)
	if data, err := second.Open(sealed, "place"); err != nil || string(data) != "data" {
		t.Errorf("after the key was announced: %q, %v", data, err)
	}
}

func TestKeyIDs(t *testing.T) {
	id := keyring(t, 7).IDs()[0]
	if read, err := storage.ParseKeyID(id.String()); err != nil || read != id {
		t.Errorf("read %s, want %s: %v", read, id, err)
	}
	for _, text := range []string{"", "12345", "1234567", "123456789a", "1234567g", "12 45678"} {
		if _, err := storage.ParseKeyID(text); err == nil || !strings.Contains(err.Error(), "is no key id") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Needs are counted for each key and kind, until the last of them ends.
func TestNeeds(t *testing.T) {
	clock := storagetest.NewClock()
	m := surveyed(t, clock)
	one, two := sealed(t, m, keyring(t, 1)), sealed(t, m, keyring(t, 2))
	in := func(d time.Duration) time.Time { return clock.Now().Add(d) }
	for _, r := range []struct {
		by *storage.Sealed
		r  storage.Record
	}{
		{one, storage.Record{Kind: "session", ID: "1", ExpiresAt: in(time.Hour)}}, {one, storage.Record{Kind: "session", ID: "2", ExpiresAt: in(3 * time.Hour)}},
		{one, storage.Record{Kind: "session", ID: "3", ExpiresAt: in(2 * time.Hour)}}, {one, storage.Record{Kind: "client", ID: "1", ExpiresAt: in(time.Hour)}},
		{one, storage.Record{Kind: "client", ID: "2"}}, {one, storage.Record{Kind: "client", ID: "3", ExpiresAt: in(time.Hour)}},
		{two, storage.Record{Kind: "session", ID: "4", ExpiresAt: in(9 * time.Hour)}},
	} {
		if err := r.by.Create(t.Context(), r.r); err != nil {
			t.Fatal(err)
		}
	}
	id := keyring(t, 1).IDs()[0]
	needs, err := storage.Needs(t.Context(), m, keyring(t, 2).IDs())
	want := []storage.Need{{Key: id, Kind: "client", Records: 3}, {Key: id, Kind: "session", Records: 3, Until: in(3 * time.Hour)}}
	if err != nil || len(needs) != 2 || needs[0] != want[0] || needs[1] != want[1] {
		t.Errorf("got %+v, %v", needs, err)
	}
	if needs, err := storage.Needs(t.Context(), m, keyring(t, 2, 1).IDs()); err != nil || len(needs) != 0 {
		t.Errorf("beside both: %+v, %v", needs, err)
	}
	if needs, err := storage.Needs(t.Context(), m, nil); err != nil || len(needs) != 3 {
		t.Errorf("all: %+v, %v", needs, err)
	}
}

func surveyed(t *testing.T, clock *storagetest.Clock) interface {
	storage.Store
	storage.Surveyed
} {
	t.Helper()
	m, ok := backend(t, clock.Now).(interface {
		storage.Store
		storage.Surveyed
	})
	if !ok {
		t.Fatal("the store cannot be surveyed")
	}
	return m
}

// What never ends is sealed by the key that is used, and by no other; what ends, what another key sealed that is not there,
// and what somebody changes meanwhile stay as they are.
func TestReseal(t *testing.T) {
	clock := storagetest.NewClock()
	m := surveyed(t, clock)
	old, lost, both := keyring(t, 1), keyring(t, 3), keyring(t, 2, 1)
	for id, by := range map[string]*storage.Keyring{"old": old, "ends": old, "lost": lost, "used": both, "raced": old, "gone": old} {
		r := storage.Record{Kind: "client", ID: id, Group: "g", Data: []byte(id)}
		if id == "ends" {
			r.ExpiresAt = clock.Now().Add(time.Hour)
		}
		if err := sealed(t, m, by).Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	store := racing{sealed(t, m, both)}
	if n, err := storage.Reseal(t.Context(), m, store, both); err != nil || n != 1 {
		t.Errorf("sealed %d anew: %v", n, err)
	}
	got := map[string]storage.KeyID{}
	if err := m.Survey(t.Context(), nil, func(trace storage.Trace) error {
		got[trace.ID] = trace.Key
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	used := both.IDs()[0]
	for id, want := range map[string]storage.KeyID{"old": used, "ends": old.IDs()[0], "lost": lost.IDs()[0], "used": used, "raced": old.IDs()[0]} {
		if got[id] != want {
			t.Errorf("%s: sealed by %s, want %s", id, got[id], want)
		}
	}
	if r, err := sealed(t, m, keyring(t, 2)).Get(t.Context(), "client", "old"); err != nil || string(r.Data) != "old" || r.Group != "g" || r.Version != 2 {
		t.Errorf("without the old key: %+v, %v", r, err)
	}
	if n, err := storage.Forget(t.Context(), m, store, lost.IDs()[0]); err != nil || n != 1 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if needs, err := storage.Needs(t.Context(), m, both.IDs()); err != nil || len(needs) != 0 {
		t.Errorf("after what is lost was forgotten: %+v, %v", needs, err)
	}
}

// racing is a store in which somebody else changes one record, and removes another, before they are sealed anew.
type racing struct{ storage.Store }

func (r racing) Update(ctx context.Context, record storage.Record) error {
	switch record.ID {
	case "raced":
		return storage.ErrConflict
	case "gone":
		return errors.Join(storage.ErrNotFound, r.Delete(ctx, record.Kind, record.ID))
	}
	return r.Store.Update(ctx, record)
}

// An outage is told, and nothing is counted that did not happen.
func TestSurveysOfAStoreThatIsAway(t *testing.T) {
	away := errors.New("away")
	m := surveyed(t, storagetest.NewClock())
	ring := keyring(t, 2, 1)
	if err := sealed(t, m, keyring(t, 1)).Create(t.Context(), storage.Record{Kind: "client", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() (int, error){
		"seal client anew: away": func() (int, error) { return storage.Reseal(t.Context(), m, failing{m, away}, ring) },
		"remove client: away":    func() (int, error) { return storage.Forget(t.Context(), m, failing{m, away}, ring.IDs()[1]) },
		"look for records to seal anew: away": func() (int, error) {
			return storage.Reseal(t.Context(), blind{away}, m, ring)
		},
		"look for records of the key " + ring.IDs()[1].String() + ": away": func() (int, error) {
			return storage.Forget(t.Context(), blind{away}, m, ring.IDs()[1])
		},
		"count the records that need each key: away": func() (int, error) {
			needs, err := storage.Needs(t.Context(), blind{away}, nil)
			return len(needs), err
		},
	} {
		if n, err := call(); n != 0 || err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("got %d, %v, want %q", n, err, name)
		}
	}
}

type failing struct {
	storage.Store
	why error
}

func (f failing) Get(context.Context, storage.Kind, string) (storage.Record, error) {
	return storage.Record{}, f.why
}

func (f failing) Delete(context.Context, storage.Kind, string) error { return f.why }

type blind struct{ why error }

func (b blind) Survey(context.Context, []storage.KeyID, func(storage.Trace) error) error {
	return b.why
}
