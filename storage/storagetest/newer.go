package storagetest

import (
	"testing"

	"regain/storage"
)

// Newer has a newer version of the program write a record again, with a member that this one does not know. The data is not
// sealed: store is a backend, or what seals for it. It returns what tells whether the member is still there.
func Newer(t testing.TB, store storage.Store, kind storage.Kind, id string) (kept func() bool) {
	t.Helper()
	const member = "of_the_next_version"
	type nothing struct{}
	read := func() (storage.Record, storage.Newer) {
		t.Helper()
		r, err := store.Get(t.Context(), kind, id)
		if err != nil {
			t.Fatal(err)
		}
		members, err := storage.DecodeNewer(r.Data, &nothing{}) // which knows none
		if err != nil {
			t.Fatal(err)
		}
		return r, members
	}
	r, members := read()
	value, err := storage.Encode([]string{"round", "green"})
	if err != nil {
		t.Fatal(err)
	}
	members[member] = value
	if r.Data, err = storage.EncodeNewer(nothing{}, members); err != nil {
		t.Fatal(err)
	}
	if err := store.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return func() bool {
		t.Helper()
		now, members := read()
		if now.Version <= r.Version+1 {
			t.Fatal("the record was not written back")
		}
		return string(members[member]) == string(value)
	}
}
