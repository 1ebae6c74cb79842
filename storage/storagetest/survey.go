package storagetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"regain/storage"
)

// survey checks storage.Surveyed, for a store that implements it and is not sealed: the data are then what they are.
func survey(t *testing.T, s storage.Store, clock *Clock) {
	surveyed, ok := s.(storage.Surveyed)
	if !ok {
		return
	}
	ctx := t.Context()
	ends := clock.Now().Add(time.Hour).UTC()
	old, young := storage.KeyID([]byte("old.")), storage.KeyID([]byte("new."))
	for _, r := range []storage.Record{
		{Kind: "a:kind%", ID: "1", Data: []byte("old.data"), Group: "group", ExpiresAt: ends},
		{Kind: "other", ID: "2", Data: []byte("old.data")},
		{Kind: "other", ID: "3", Data: []byte("old."), ExpiresAt: ends},
		{Kind: "other", ID: "4", Data: []byte("old")}, // which nothing sealed
		{Kind: "other", ID: "5"},
		{Kind: "other", ID: "6", Data: []byte("old.data")},
		{Kind: "other", ID: "7", Data: []byte("old.data")},
		{Kind: "other", ID: "8", Data: []byte("old.data"), ExpiresAt: clock.Now().Add(time.Minute)},
		{Kind: "other", ID: "9", Data: []byte("old.data")},
	} {
		must(t, s.Create(ctx, r))
	}
	_, err := s.Consume(ctx, "other", "6")
	must(t, err)
	must(t, s.Delete(ctx, "other", "7"))
	must(t, s.Update(ctx, storage.Record{Kind: "other", ID: "3", Version: 1, Data: []byte("new.data"), ExpiresAt: ends}))
	must(t, s.Update(ctx, storage.Record{Kind: "other", ID: "9", Version: 1, Data: []byte("no")})) // nor this
	clock.Turn(time.Minute)
	want := map[string]storage.Trace{
		"1": {Kind: "a:kind%", ID: "1", ExpiresAt: ends, Key: old}, "2": {Kind: "other", ID: "2", Key: old}, "3": {Kind: "other", ID: "3", ExpiresAt: ends, Key: young},
	}
	for name, row := range map[string]struct {
		but []storage.KeyID
		ids []string
	}{
		"all": {nil, []string{"1", "2", "3"}}, "but new ones": {[]storage.KeyID{young}, []string{"1", "2"}},
		"but old ones": {[]storage.KeyID{old}, []string{"3"}}, "but both": {[]storage.KeyID{young, old}, nil},
	} {
		got := traces(t, surveyed, row.but)
		if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, row.ids) {
			t.Errorf("%s: got the records %v, want %v", name, ids, row.ids)
		}
		for id, trace := range got {
			if w := want[id]; trace.Kind != w.Kind || trace.Key != w.Key || !trace.ExpiresAt.Equal(w.ExpiresAt) || trace.ID != w.ID {
				t.Errorf("%s: got %+v, want %+v", name, trace, w)
			}
		}
	}
	surveyEnds(t, surveyed)
}

// surveyEnds checks what ends a survey.
func surveyEnds(t *testing.T, surveyed storage.Surveyed) {
	t.Helper()
	ctx, enough := t.Context(), errors.New("enough")
	seen := 0
	err := surveyed.Survey(ctx, nil, func(storage.Trace) error {
		seen++
		return enough
	})
	if !errors.Is(err, enough) || seen != 1 {
		t.Errorf("an error after the first record: %v, %d records", err, seen)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := surveyed.Survey(gone, nil, func(storage.Trace) error { return nil }); err == nil {
		t.Error("whoever asked is gone, and was answered")
	}
	late, end := context.WithTimeout(ctx, 0)
	defer end()
	if err := surveyed.Survey(late, nil, func(storage.Trace) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no time is left, which is no fault of the store's: %v", err)
	}
}

// traces is what a survey shows, but the sum of a file, which belongs to no key of this test.
func traces(t *testing.T, s storage.Surveyed, but []storage.KeyID) map[string]storage.Trace {
	t.Helper()
	found := make(map[string]storage.Trace)
	must(t, s.Survey(t.Context(), but, func(trace storage.Trace) error {
		if trace.ID == "" {
			return nil
		}
		if _, twice := found[trace.ID]; twice {
			t.Errorf("%s is shown twice", trace.ID)
		}
		found[trace.ID] = trace
		return nil
	}))
	return found
}
