package bolt_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

func opened(t *testing.T) (*bolt.Store, *storagetest.Clock) {
	t.Helper()
	clock := storagetest.NewClock()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	s.NoSync()
	t.Cleanup(func() { _ = s.Close() })
	return s, clock
}

func holds(t *testing.T, s *bolt.Store, when string, want bolt.Held) {
	t.Helper()
	if got, err := s.Held(); got != want || err != nil {
		t.Errorf("%s it holds %+v, want %+v, %v", when, got, want, err)
	}
}

// What ended is removed by whatever is written next, the oldest first and sixteen at a time, with its indexes: otherwise
// strangers who begin recoveries fill the disk. What has not ended stays, and is removed at its time.
func TestWhatEndedIsRemoved(t *testing.T) {
	const each = 20
	s, clock := opened(t)
	create := func(id, group string, end time.Time) {
		t.Helper()
		if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: id, Group: group, ExpiresAt: end}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(id string, window time.Duration) {
		t.Helper()
		if _, err := s.Increment(t.Context(), "c", id, window); err != nil {
			t.Fatal(err)
		}
	}
	for i := range each { // the ones that end last come first
		in := time.Duration(each-i) * time.Minute
		create(fmt.Sprint("r", i), fmt.Sprint("g", i), clock.Now().Add(in))
		count(fmt.Sprint("c", i), in)
	}
	create("for ever", "", time.Time{})
	holds(t, s, "full,", bolt.Held{Records: each + 1, Groups: each, Endings: 2 * each, Counters: each})
	clock.Turn(each * time.Minute / 2)
	create("also", "", time.Time{})
	holds(t, s, "after sixteen,", bolt.Held{Records: each + 2 - 8, Groups: each - 8, Endings: 2*each - 16, Counters: each - 8})
	count("lasting", time.Hour)
	holds(t, s, "at half of the time,", bolt.Held{Records: each/2 + 2, Groups: each / 2, Endings: each + 1, Counters: each/2 + 1})
	clock.Turn(each * time.Minute / 2)
	count("lasting", time.Hour)
	count("lasting", time.Hour)
	holds(t, s, "at the end,", bolt.Held{Records: 2, Endings: 1, Counters: 1})
}

// An update leaves no index entry of the version before, and a removal none at all.
func TestIndexesFollowTheRecord(t *testing.T) {
	s, clock := opened(t)
	r := storage.Record{Kind: "t", ID: "a", Group: "g", ExpiresAt: clock.Now().Add(time.Minute)}
	if err := s.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, next := range []struct {
		group string
		end   time.Time
		want  bolt.Held
	}{
		{"h", clock.Now().Add(time.Hour), bolt.Held{Records: 1, Groups: 1, Endings: 1}},
		{"", clock.Now().Add(time.Hour), bolt.Held{Records: 1, Endings: 1}},
		{"", time.Time{}, bolt.Held{Records: 1}},
		{"g", clock.Now().Add(time.Minute), bolt.Held{Records: 1, Groups: 1, Endings: 1}},
	} {
		r.Version, r.Group, r.ExpiresAt = r.Version+1, next.group, next.end
		if err := s.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		holds(t, s, fmt.Sprintf("in group %q until %s,", next.group, next.end), next.want)
	}
	if _, err := s.Consume(t.Context(), "t", "a"); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "consumed,", bolt.Held{})
}

// What is too large for the file is refused, at whichever of its entries, and nothing of it stays.
func TestWhatIsTooLargeChangesNothing(t *testing.T) {
	s, clock := opened(t)
	const largest = 32768 // bbolt.MaxKeySize
	for name, write := range map[string]func() error{
		"an id": func() error {
			return s.Create(t.Context(), storage.Record{Kind: "t", ID: strings.Repeat("i", largest)})
		},
		"a group": func() error {
			return s.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Group: strings.Repeat("g", largest)})
		},
		"an end of life": func() error {
			return s.Create(t.Context(), storage.Record{Kind: "t", ID: strings.Repeat("i", largest-4), ExpiresAt: clock.Now()})
		},
		"a counter": func() error {
			_, err := s.Increment(t.Context(), "t", strings.Repeat("i", largest), time.Minute)
			return err
		},
		"a counter's end": func() error {
			_, err := s.Increment(t.Context(), "t", strings.Repeat("i", largest-4), time.Minute)
			return err
		},
		"a group of later": func() error {
			return s.Update(t.Context(), storage.Record{Kind: "t", ID: "there", Version: 1, Group: strings.Repeat("g", largest)})
		},
	} {
		if name == "a group of later" {
			if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "there"}); err != nil {
				t.Fatal(err)
			}
		}
		before, err := s.Held()
		if err != nil {
			t.Fatal(err)
		}
		if err := write(); err == nil || !strings.Contains(err.Error(), "key too large") {
			t.Errorf("%s: %v", name, err)
		}
		holds(t, s, name+" too large,", before)
	}
	if r, err := s.Get(t.Context(), "t", "there"); err != nil || r.Version != 1 {
		t.Errorf("the record: version %d, %v", r.Version, err)
	}
}

// A place where no file can be is an error with the file's name.
func TestPlacesWithoutAFile(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "regain.db")
	s, err := bolt.Open(file, time.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{filepath.Join(directory, "none", "regain.db"): "open store " + directory, filepath.Join(file, "regain.db"): "open store"} {
		if _, err := bolt.Open(path, time.Now, keyring(t, 1)); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := bolt.Inspect(filepath.Join(file, "regain.db")); err == nil || !strings.Contains(err.Error(), "open store") {
		t.Errorf("inspected: %v", err)
	}
	if _, err := bolt.Open(file, nil, keyring(t, 1)); err == nil || !strings.Contains(err.Error(), "required") {
		t.Errorf("without a clock: %v", err)
	}
}
