package storage_test

import (
	"bytes"
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

// What is sealed for one record opens as no other one, and not after a bit was changed.
func TestMovedOrChangedDataIsRefused(t *testing.T) {
	m := backend(t, time.Now)
	s := sealed(t, m, keyring(t, 1))
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Data: []byte("one")}); err != nil {
		t.Fatal(err)
	}
	raw, err := m.Get(t.Context(), "t", "a")
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(raw.Data)
	flipped[len(flipped)-1] ^= 1
	for name, r := range map[string]storage.Record{
		"other id":    {Kind: "t", ID: "b", Data: raw.Data},
		"other kind":  {Kind: "u", ID: "a", Data: raw.Data},
		"changed bit": {Kind: "t", ID: "c", Data: flipped},
		"too short":   {Kind: "t", ID: "d", Data: []byte{1}},
		"plain":       {Kind: "t", ID: "e", Data: []byte("plain text that nobody sealed")},
	} {
		if err := m.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), r.Kind, r.ID); err == nil {
			t.Errorf("%s: read %q", name, got.Data)
		} else if errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: hidden as not found", name)
		}
	}
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
