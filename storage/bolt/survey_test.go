package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/storage"
	"regain/storage/bolt"
)

// The file of a stopped node tells which keys it needs without any of them, and is not changed by that. While a node runs
// on it, the survey says so.
func TestASurveyOfAStoppedFile(t *testing.T) {
	d, _ := written(t)
	stopped := bolt.Stopped{Path: d.path, Clock: d.clock.Now}
	before, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	needs, err := storage.Needs(t.Context(), stopped, nil)
	used := keyring(t, 1).IDs()[0]
	if err != nil || len(needs) != 2 || needs[0].Kind != bolt.KindSum || needs[0].Key != used || !needs[0].Until.IsZero() || needs[1].Kind != "transaction" {
		t.Errorf("got %+v, %v", needs, err)
	}
	if after, err := os.ReadFile(d.path); err != nil || string(after) != string(before) {
		t.Errorf("the survey changed the file: %v", err)
	}
	d.run(func(*bolt.Store) {
		if _, err := storage.Needs(t.Context(), stopped, nil); !errors.Is(err, bolt.ErrInUse) || !strings.Contains(err.Error(), d.path) {
			t.Errorf("beside a node: %v", err)
		}
	})
	none := bolt.Stopped{Path: filepath.Join(t.TempDir(), "none.db"), Clock: d.clock.Now}
	if _, err := storage.Needs(t.Context(), none, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(none.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a survey made the file: %v", err)
	}
	if err := os.Truncate(d.path, 5000); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Needs(t.Context(), stopped, nil); !errors.Is(err, bolt.ErrDamaged) {
		t.Errorf("half a file: %v", err)
	}
}

// The sum of the file follows the key that is used without a change and without a restart: the old key can be retired.
func TestTheSumIsSealedAnew(t *testing.T) {
	d, _ := written(t)
	ring := keyring(t, 1)
	s, err := bolt.Open(d.path, d.clock.Now, ring)
	if err != nil {
		t.Fatal(err)
	}
	ring.Replace(keyring(t, 2, 1))
	if err := s.Reseal(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = bolt.Open(d.path, d.clock.Now, keyring(t, 2)); err != nil {
		t.Fatalf("without the old key: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
