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

// Each row breaks one thing of a key that is accepted. A shorter key of AES is one, and not ours.
func TestKeysOfAnotherSizeAreRefused(t *testing.T) {
	for _, size := range []int{0, 16, 24, 31, 33, 64} {
		if _, err := storage.NewKeyring(make([]byte, 32), make([]byte, size)); err == nil || !strings.Contains(err.Error(), "encryption key 2 has") || !strings.Contains(err.Error(), "not 32: ") {
			t.Errorf("%d octets: %v", size, err)
		}
	}
	if _, err := storage.NewKeyring(); err == nil || !strings.Contains(err.Error(), "without a key") {
		t.Errorf("no key: %v", err)
	}
	good := "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
	for name, text := range map[string]string{"a letter of another alphabet": good[:42] + "+", "a line end within": good[:20] + " " + good[20:], "octets to spare": good + "!"} {
		if _, err := storage.ParseKeyring(good + "," + text); err == nil || !strings.Contains(err.Error(), "encryption key 2 is not base64url") || strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewSealedRefusesMissingParts(t *testing.T) {
	if _, err := storage.NewSealed(nil, keyring(t, 1)); err == nil || !strings.Contains(err.Error(), "required") {
		t.Errorf("no backend: %v", err)
	}
	if _, err := storage.NewSealed(backend(t, time.Now), nil); err == nil || !strings.Contains(err.Error(), "required") {
		t.Errorf("no keyring: %v", err)
	}
}

// A record without an end of life is not one that ends at the time whose nanoseconds are those of the zero time.
func TestNoEndOfLifeIsNotAnEnd(t *testing.T) {
	clock := storagetest.NewClock()
	m := backend(t, clock.Now)
	ring := keyring(t, 1)
	if err := sealed(t, m, ring).Create(t.Context(), storage.Record{Kind: "t", ID: "a", Data: []byte("one")}); err != nil {
		t.Fatal(err)
	}
	raw, err := m.Get(t.Context(), "t", "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sealed(t, put{m, raw}, ring).Get(t.Context(), "t", "a"); err != nil {
		t.Fatal(err)
	}
	raw.ExpiresAt = time.Unix(0, time.Time{}.UnixNano())
	if got, err := sealed(t, put{m, raw}, ring).Get(t.Context(), "t", "a"); err == nil || !strings.Contains(err.Error(), "end of life") {
		t.Errorf("with an end of life: %q, %v", got.Data, err)
	}
}

var errDisk = errors.New("disk on fire")

// broken is a backend of which nothing works.
type broken struct{}

func (broken) Create(context.Context, storage.Record) error { return errDisk }

func (broken) Get(context.Context, storage.Kind, string) (storage.Record, error) {
	return storage.Record{}, errDisk
}

func (broken) Update(context.Context, storage.Record) error { return errDisk }

func (broken) Consume(context.Context, storage.Kind, string) (storage.Record, error) {
	return storage.Record{}, errDisk
}

func (broken) Delete(context.Context, storage.Kind, string) error { return errDisk }

func (broken) List(context.Context, storage.Kind, string, string, int) ([]storage.Record, error) {
	return nil, errDisk
}

func (broken) Increment(context.Context, storage.Kind, string, time.Duration) (int64, error) {
	return 0, errDisk
}

func (broken) Commit(context.Context, []storage.Change) ([]storage.Result, error) {
	return nil, errDisk
}

func (broken) Close() error { return errDisk }

// What a backend cannot do is told, by the seal and by the repositories: none of it looks done.
func TestOutagesAreTold(t *testing.T) {
	s := sealed(t, broken{}, keyring(t, 1))
	transactions, attempts := storage.NewTransactions(s), storage.NewAttempts(s)
	for name, err := range map[string]error{
		"create":             s.Create(t.Context(), storage.Record{}),
		"get":                second(s.Get(t.Context(), "t", "a")),
		"update":             s.Update(t.Context(), storage.Record{}),
		"consume":            second(s.Consume(t.Context(), "t", "a")),
		"delete":             s.Delete(t.Context(), "t", "a"),
		"list":               second(s.List(t.Context(), "t", "g", "", 1)),
		"increment":          second(s.Increment(t.Context(), "t", "a", time.Minute)),
		"commit":             second(s.Commit(t.Context(), []storage.Change{storage.Creating(storage.Record{})})),
		"close":              s.Close(),
		"create transaction": transactions.Create(t.Context(), recovery.Transaction{}),
		"get transaction":    second(transactions.Get(t.Context(), "a")),
		"update transaction": second(transactions.Update(t.Context(), recovery.Transaction{})),
		"count an attempt":   second(attempts.Increment(t.Context(), "a", time.Minute)),
	} {
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A transaction is begun once: another one with its id is told, and changes nothing. Attempts count for their window.
func TestTransactionsAreBegunOnce(t *testing.T) {
	clock := storagetest.NewClock()
	s := sealed(t, backend(t, clock.Now), keyring(t, 1))
	transactions := storage.NewTransactions(s)
	tx := recovery.Transaction{ID: "txn", Account: "ada", ExpiresAt: clock.Now().Add(time.Minute)}
	if err := transactions.Create(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	tx.Account = "eve"
	if err := transactions.Create(t.Context(), tx); !errors.Is(err, recovery.ErrExists) {
		t.Errorf("begun again: %v", err)
	}
	if got, err := transactions.Get(t.Context(), "txn"); err != nil || got.Account != "ada" {
		t.Errorf("account %q, %v", got.Account, err)
	}
	attempts := storage.NewAttempts(s)
	for i, want := range []int64{1, 2, 1} {
		if n, err := attempts.Increment(t.Context(), "key", time.Minute); n != want || err != nil {
			t.Errorf("attempt %d counts %d, %v", i, n, err)
		}
		if i == 1 {
			clock.Turn(time.Minute)
		}
	}
}

// A record of another encoding is an error, and no transaction of zeros; what cannot be encoded is not stored.
func TestWhatDoesNotEncode(t *testing.T) {
	m, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Create(t.Context(), storage.Record{Kind: "transaction", ID: "txn", Data: []byte(`{"id":"txn"}`)}); err != nil {
		t.Fatal(err)
	}
	transactions := storage.NewTransactions(m)
	if tx, err := transactions.Get(t.Context(), "txn"); err == nil || !strings.Contains(err.Error(), "read transaction: decode record") || tx.ID != "" {
		t.Errorf("JSON: %q, %v", tx.ID, err)
	}
	if data, err := storage.Encode(make(chan int)); err == nil || data != nil || !strings.Contains(err.Error(), "encode record") {
		t.Errorf("a channel: %x, %v", data, err)
	}
	good := struct {
		At   time.Time `json:"at"`
		Name string    `json:"name"`
	}{time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC), "Ada"}
	data, err := storage.Encode(good)
	if err != nil {
		t.Fatal(err)
	}
	read := good
	read.At, read.Name = time.Time{}, ""
	if err := storage.Decode(data, &read); err != nil || !read.At.Equal(good.At) || read.Name != "Ada" {
		t.Errorf("decoded as %+v, %v", read, err)
	}
	// The same member twice means two things to two readers.
	twice := append(bytes.Clone(data), data[1:]...)
	twice[0] += 2
	if err := storage.Decode(twice, &read); err == nil || !strings.Contains(err.Error(), "duplicate") {
		t.Errorf("the same member twice: %v", err)
	}
	// Nor is one in another letter case the same.
	read.Name = ""
	if err := storage.Decode(bytes.Replace(data, []byte("name"), []byte("NAME"), 1), &read); err != nil || read.Name != "" {
		t.Errorf("a member in another letter case: %q, %v", read.Name, err)
	}
}
