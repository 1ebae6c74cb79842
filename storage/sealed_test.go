package storage_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/recovery"
	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

func keyring(t *testing.T, fill ...byte) *storage.Keyring {
	t.Helper()
	var keys [][]byte
	for _, b := range fill {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	ring, err := storage.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func sealed(t *testing.T, backend storage.Store, ring *storage.Keyring) *storage.Sealed {
	t.Helper()
	s, err := storage.NewSealed(backend, ring)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func backend(t *testing.T, clock func() time.Time) storage.Store {
	t.Helper()
	m, err := memory.New(clock)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSealedContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		return sealed(t, backend(t, clock), keyring(t, 1))
	})
}

func TestBackendSeesNoData(t *testing.T) {
	m := backend(t, time.Now)
	s := sealed(t, m, keyring(t, 1))
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Data: []byte("Ada Lindqvist")}); err != nil {
		t.Fatal(err)
	}
	raw, err := m.Get(t.Context(), "t", "a")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw.Data, []byte("Ada")) {
		t.Error("the backend holds the plain data")
	}
}

// put writes a record under a sealed store: whoever can change the file or the database can.
type put struct {
	storage.Store
	r storage.Record
}

func (p put) Get(context.Context, storage.Kind, string) (storage.Record, error) { return p.r, nil }

func (p put) Consume(context.Context, storage.Kind, string) (storage.Record, error) { return p.r, nil }

func (p put) List(context.Context, storage.Kind, string, string, int) ([]storage.Record, error) {
	return []storage.Record{p.r}, nil
}

// What is sealed for one record opens as no other one: each row changes one thing of a record that opens. Whichever way
// it is read, the error says what may have happened, and does not hide it as not found.
func TestMovedOrChangedDataIsRefused(t *testing.T) {
	clock := storagetest.NewClock()
	m := backend(t, clock.Now)
	ring := keyring(t, 1)
	s := sealed(t, m, ring)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Group: "g", Data: []byte("first"), ExpiresAt: clock.Now().Add(time.Hour)}))
	older, err := m.Get(t.Context(), "t", "a")
	must(err)
	must(s.Update(t.Context(), storage.Record{Kind: "t", ID: "a", Group: "g", Version: 1, Data: []byte("one"), ExpiresAt: clock.Now().Add(time.Hour)}))
	for name, row := range map[string]struct {
		spoil func(r *storage.Record)
		opens bool
	}{
		"nothing":                  {func(*storage.Record) {}, true},
		"another id":               {func(r *storage.Record) { r.ID = "b" }, false},
		"another kind":             {func(r *storage.Record) { r.Kind = "u" }, false},
		"a kind that begins an id": {func(r *storage.Record) { r.Kind, r.ID = "ta", "" }, false},
		"another group":            {func(r *storage.Record) { r.Group = "h" }, false},
		"no group":                 {func(r *storage.Record) { r.Group = "" }, false},
		"a later version":          {func(r *storage.Record) { r.Version++ }, false},
		"the version before":       {func(r *storage.Record) { r.Version-- }, false},
		"the data before":          {func(r *storage.Record) { r.Data = older.Data }, false},
		"a longer life":            {func(r *storage.Record) { r.ExpiresAt = r.ExpiresAt.Add(1) }, false},
		"no end of life":           {func(r *storage.Record) { r.ExpiresAt = time.Time{} }, false},
		"a changed bit":            {func(r *storage.Record) { r.Data[len(r.Data)-1] ^= 1 }, false},
		"too short":                {func(r *storage.Record) { r.Data = []byte{1} }, false},
		"nothing in it":            {func(r *storage.Record) { r.Data = nil }, false},
		"plain text":               {func(r *storage.Record) { r.Data = []byte("plain text that nobody sealed") }, false},
	} {
		raw, err := m.Get(t.Context(), "t", "a")
		must(err)
		row.spoil(&raw)
		spoilt := sealed(t, put{m, raw}, ring)
		for way, read := range map[string]func() (storage.Record, error){
			"get":     func() (storage.Record, error) { return spoilt.Get(t.Context(), raw.Kind, raw.ID) },
			"consume": func() (storage.Record, error) { return spoilt.Consume(t.Context(), raw.Kind, raw.ID) },
			"list": func() (storage.Record, error) {
				list, err := spoilt.List(t.Context(), raw.Kind, raw.Group, "", 1)
				return append(list, storage.Record{})[0], err
			},
		} {
			got, err := read()
			switch {
			case row.opens && (err != nil || string(got.Data) != "one"):
				t.Errorf("%s, %s: %q, %v", name, way, got.Data, err)
			case !row.opens && (err == nil || errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "kind, id, group, version or end of life")):
				t.Errorf("%s, %s: %q, %v", name, way, got.Data, err)
			}
		}
	}
}

// FuzzSealedRecord: a sealed record opens for its place, and with any byte of it or of its place altered never.
func FuzzSealedRecord(f *testing.F) {
	f.Add([]byte("Ada Lindqvist"), "transaction\x00T1", uint(0), byte(1))
	f.Add([]byte{}, "", uint(3), byte(0x80))
	f.Add([]byte("code"), "code\x00x", uint(20), byte(0xff))
	f.Add(bytes.Repeat([]byte{0}, 300), "k", uint(331), byte(4))
	f.Fuzz(func(t *testing.T, data []byte, place string, at uint, mask byte) {
		ring := keyring(t, 1, 2)
		sealed := ring.Seal(data, place)
		if opened, err := ring.Open(sealed, place); err != nil || !bytes.Equal(opened, data) {
			t.Fatalf("what was sealed does not open: %v", err)
		}
		if mask == 0 {
			return
		}
		whole := append(bytes.Clone(sealed), place...)
		whole[at%uint(len(whole))] ^= mask
		if opened, err := ring.Open(whole[:len(sealed)], string(whole[len(sealed):])); err == nil {
			t.Fatalf("opened as %q with byte %d altered", opened, at%uint(len(whole)))
		}
		for _, short := range []int{0, 1, int(at % uint(len(sealed)))} {
			if _, err := ring.Open(sealed[:short], place); err == nil {
				t.Fatalf("opened after %d of %d bytes", short, len(sealed))
			}
		}
	})
}

func TestKeysRotate(t *testing.T) {
	m := backend(t, time.Now)
	if err := sealed(t, m, keyring(t, 1)).Create(t.Context(), storage.Record{Kind: "t", ID: "old", Data: []byte("old")}); err != nil {
		t.Fatal(err)
	}
	rotated := sealed(t, m, keyring(t, 2, 1))
	if r, err := rotated.Get(t.Context(), "t", "old"); err != nil || string(r.Data) != "old" {
		t.Errorf("with the old key second: %q, %v", r.Data, err)
	}
	if err := rotated.Create(t.Context(), storage.Record{Kind: "t", ID: "new", Data: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	if _, err := sealed(t, m, keyring(t, 1)).Get(t.Context(), "t", "new"); err == nil || !strings.Contains(err.Error(), "encryption_keys") {
		t.Errorf("without the new key: %v, want an error that names secrets.encryption_keys", err)
	}
}

func TestParseKeyring(t *testing.T) {
	good := "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
	for name, row := range map[string]struct {
		text string
		ok   bool
	}{
		"one":           {good, true},
		"padded":        {good + "=", true},
		"two":           {good + ", AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI", true},
		"empty":         {"", false},
		"short":         {"AQEB", false},
		"not base64url": {"hello world!", false},
	} {
		_, err := storage.ParseKeyring(row.text)
		if (err == nil) != row.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && row.text != "" && strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: the error quotes the key", name)
		}
	}
}

func TestTransactionsSwapVersions(t *testing.T) {
	clock := storagetest.NewClock()
	repo := storage.NewTransactions(sealed(t, backend(t, clock.Now), keyring(t, 1)))
	stored := recovery.Transaction{ID: "txn", State: recovery.StateStarted, Account: "ada@example.org", ExpiresAt: clock.Now().Add(time.Minute)}
	if err := repo.Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	read, err := repo.Get(t.Context(), "txn")
	if err != nil || read.Version != 1 || read.Account != stored.Account {
		t.Fatalf("read %v version %d: %v", read, read.Version, err)
	}
	read.State = recovery.StateInformed
	version, err := repo.Update(t.Context(), read)
	if err != nil || version != 2 {
		t.Fatalf("update: version %d, %v", version, err)
	}
	if _, err := repo.Update(t.Context(), read); !errors.Is(err, recovery.ErrConflict) {
		t.Errorf("a second update of version 1: %v", err)
	}
	// Its page can still say for a while that it expired; then it is gone.
	clock.Turn(10 * time.Minute)
	if _, err := repo.Get(t.Context(), "txn"); err != nil {
		t.Errorf("shortly after its end: %v", err)
	}
	clock.Turn(10 * time.Minute)
	if _, err := repo.Get(t.Context(), "txn"); !errors.Is(err, recovery.ErrNotFound) {
		t.Errorf("long after its end: %v", err)
	}
}
