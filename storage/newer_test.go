package storage_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"regain/recovery"
	"regain/storage"
	"regain/storage/memory"
)

type inner struct {
	Name string `json:"name"`
}

// older is what this version knows of a record, newer what another version adds to it.
type older struct {
	storage.Kept `json:"-"`

	Name  string `json:"name"`
	Count int    `json:"count,omitempty"`
	Inner inner  `json:"inner"`
}

type newer struct {
	Name  string         `json:"name"`
	Count int            `json:"count"`
	Tags  []string       `json:"tags"`
	When  time.Time      `json:"when"`
	Inner map[string]any `json:"inner"`
}

func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// What a newer version added to a record is there again after an older one has changed it.
func TestRecordsOfANewerVersion(t *testing.T) {
	written := newer{Name: "one", Tags: []string{"a", "b"}, When: time.Unix(1, 5).UTC(), Inner: map[string]any{"name": "x"}}
	data := must[[]byte](t)(storage.Encode(written))
	var read older
	if err := storage.Decode(data, &read); err != nil {
		t.Fatal(err)
	}
	read.Name, read.Count = "two", 3
	data = must[[]byte](t)(storage.Encode(read))
	var back newer
	if err := storage.Decode(data, &back); err != nil {
		t.Fatal(err)
	}
	if written.Name, written.Count = "two", 3; !reflect.DeepEqual(back, written) {
		t.Errorf("got %+v, want %+v", back, written)
	}
	again := older{Count: 1} // which was read before for another record
	if err := storage.Decode(must[[]byte](t)(storage.Encode(older{Name: "plain"})), &read); err != nil {
		t.Fatal(err)
	}
	if again.Name, again.Count = "plain", 3; !reflect.DeepEqual(read, again) {
		t.Errorf("what belonged to one record stays with the next: %+v, want %+v", read, again)
	}
}

// Members of members are read past, and are lost where an older version writes: docs/upgrading.md says so to whoever adds some.
func TestMembersOfMembersAreLost(t *testing.T) {
	data := must[[]byte](t)(storage.Encode(newer{Name: "one", Inner: map[string]any{"name": "x", "more": 1}}))
	var read older
	if err := storage.Decode(data, &read); err != nil || read.Inner.Name != "x" {
		t.Fatalf("%+v, %v", read, err)
	}
	var back newer
	if err := storage.Decode(must[[]byte](t)(storage.Encode(read)), &back); err != nil {
		t.Fatal(err)
	}
	if _, there := back.Inner["more"]; there || back.Inner["name"] != "x" {
		t.Errorf("got %v", back.Inner)
	}
}

// What an older version must not pass over makes it refuse the record, with the cure; also where it keeps nothing.
func TestCriticalMembers(t *testing.T) {
	data := must[[]byte](t)(storage.Encode(map[string]any{"name": "one", "!needs_two_people": true}))
	for _, into := range []any{&older{}, &inner{}} {
		if err := storage.Decode(data, into); !errors.Is(err, storage.ErrNewer) {
			t.Errorf("%T: %v", into, err)
		}
	}
	known := struct {
		Two bool `json:"!needs_two_people"`
	}{}
	if err := storage.Decode(data, &known); err != nil || !known.Two {
		t.Errorf("who knows it: %+v, %v", known, err)
	}
}

// A transaction that a newer node wrote goes through this one's steps and keeps what it does not know; one that it must not
// touch it leaves alone.
func TestTransactionsOfANewerVersion(t *testing.T) {
	store := must[*memory.Store](t)(memory.New(time.Now))
	all := storage.NewTransactions(store)
	plain := recovery.Transaction{ID: "T1", State: recovery.StateStarted, ExpiresAt: time.Now().Add(time.Minute)}
	data := must[[]byte](t)(storage.EncodeNewer(plain, storage.Newer{"shape": must[[]byte](t)(storage.Encode("round"))}))
	record := storage.Record{Kind: "transaction", ID: "T1", Data: data, ExpiresAt: plain.ExpiresAt.Add(15 * time.Minute)}
	if err := store.Create(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	read := must[recovery.Transaction](t)(all.Get(t.Context(), "T1"))
	changed, err := read.Apply(recovery.StepCancel, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	stored := must[storage.Record](t)(store.Get(t.Context(), "transaction", "T1"))
	var back struct {
		recovery.Transaction
		Shape string `json:"shape"`
	}
	if err := storage.Decode(stored.Data, &back); err != nil || back.Shape != "round" || back.State != recovery.StateCancelled {
		t.Errorf("got %q in state %s, %v", back.Shape, back.State, err)
	}
	if stored.Data, err = storage.EncodeNewer(plain, storage.Newer{"!shape": must[[]byte](t)(storage.Encode("round"))}); err != nil {
		t.Fatal(err)
	}
	if err := store.Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	if got, err := all.Get(t.Context(), "T1"); !errors.Is(err, storage.ErrNewer) {
		t.Errorf("got %v, %v", got, err)
	}
	if after := must[storage.Record](t)(store.Get(t.Context(), "transaction", "T1")); !bytes.Equal(after.Data, stored.Data) {
		t.Error("it was changed")
	}
}
