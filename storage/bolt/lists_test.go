package bolt_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

func TestListsAreMadeWholeOrNotAtAll(t *testing.T) {
	clock := storagetest.NewClock()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test's
	s.NoSync()
	storagetest.AllOrNone(t, s, clock)
}

// writesLists has this program write lists to a file until it is killed, and name each that is done.
const writesLists = "REGAIN_TEST_WRITES_LISTS"

// A process is killed in the middle of its commits, again and again: of no list a part is in the file, and each whose caller
// was told that it is done is there.
func TestAKillLeavesNoHalfOfAList(t *testing.T) {
	if path := os.Getenv(writesLists); path != "" {
		writeLists(t, path)
	}
	path := filepath.Join(t.TempDir(), "regain.db")
	done := 0
	for round := range 6 {
		kept, err := os.Create(filepath.Join(t.TempDir(), "done"))
		if err != nil {
			t.Fatal(err)
		}
		writer := exec.CommandContext(t.Context(), os.Args[0], "-test.run", t.Name()) //nolint:gosec // this program
		writer.Env, writer.Stdout = append(os.Environ(), writesLists+"="+path, fmt.Sprintf("ROUND=%d", round)), kept
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(150+20*round) * time.Millisecond)
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait() // it was killed
		said, err := os.ReadFile(kept.Name())
		if err != nil {
			t.Fatal(err)
		}
		done += checkLists(t, path, strings.Fields(string(said)))
	}
	if t.Logf("%d lists were done", done); done < 10 {
		t.Errorf("%d lists were done before the kills: nothing was tried", done)
	}
}

func writeLists(t *testing.T, path string) {
	t.Helper()
	s, err := bolt.Open(path, time.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	for caller := range 4 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprint("r", os.Getenv("ROUND"), ".", caller, ".", n)
				if _, err := s.Commit(t.Context(), []storage.Change{
					storage.Creating(storage.Record{Kind: "a", ID: id}), storage.Counting("c", "all", time.Hour, 0), storage.Creating(storage.Record{Kind: "b", ID: id}),
				}); err == nil {
					fmt.Println(id) //nolint:forbidigo // to the test that started this
				}
			}
		}()
	}
	select {} // until it is killed
}

// checkLists opens the file, which is whole, and counts the lists that were done.
func checkLists(t *testing.T, path string, done []string) int {
	t.Helper()
	s, err := bolt.Open(path, time.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test's
	for i, id := range done {
		if i == len(done)-1 && !has(t, s, "a", id) { // the line itself may have been cut off
			continue
		}
		if !has(t, s, "a", id) || !has(t, s, "b", id) {
			t.Errorf("%s was done, and is not in the file", id)
		}
	}
	held, err := s.Held()
	if err != nil || held.Records%2 != 0 {
		t.Errorf("%d records are in the file, %v: one is without its other", held.Records, err)
	}
	n, err := s.Increment(t.Context(), "c", "all", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if records := int64(held.Records); n <= records/2 {
		t.Errorf("%d records and a count of %d", records, n)
	}
	return len(done)
}

func has(t *testing.T, s storage.Store, kind storage.Kind, id string) bool {
	t.Helper()
	_, err := s.Get(t.Context(), kind, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
