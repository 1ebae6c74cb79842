package auditlog_test

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

// begun begins a log anew, as an administrator asks for, and returns the head of the new segment.
func begun(t *testing.T, options auditlog.Options) chain.Head {
	t.Helper()
	options.Begin = true
	if err := reopened(t, options); err != nil {
		t.Fatal(err)
	}
	head, err := segments.ReadHead(options.Path, options.Key)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// A log that is begun after a loss goes on after the latest record that anything tells of, and what was at its place is
// kept beside it, under a name that nothing has.
func TestWhereALogIsBegunAfterALoss(t *testing.T) {
	lines := func(t *testing.T, path string, n int) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:n+1], nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	garbage := func(t *testing.T, name string) {
		if err := os.WriteFile(name, []byte(strings.Repeat("x\n", 500)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		spoil        func(t *testing.T, path string, store *elsewhere)
		segment, seq uint64
		beside       string // a file that is there then
	}{
		"whole": {func(*testing.T, string, *elsewhere) {}, 3, 6, ".000002"},
		"the end cut": {func(t *testing.T, path string, store *elsewhere) {
			lines(t, path, 1)
			store.line = ""
		}, 3, 6, ".000002"},
		"the end cut, and no head": {func(t *testing.T, path string, store *elsewhere) {
			lines(t, path, 1)
			store.line = ""
			garbage(t, path+".head")
		}, 3, 4, ".000002"},
		"the end cut, and the store knows": {func(t *testing.T, path string, _ *elsewhere) {
			lines(t, path, 1)
			garbage(t, path+".head")
		}, 3, 6, ".000002"},
		"all gone but the store": {func(t *testing.T, path string, _ *elsewhere) {
			if err := errors.Join(os.Remove(path), os.Remove(path+".head")); err != nil {
				t.Fatal(err)
			}
		}, 3, 6, ".000001"},
		"an empty file":                 {func(t *testing.T, path string, _ *elsewhere) { shorten(t, path, 0) }, 3, 6, ".000001"},
		"something else":                {func(t *testing.T, path string, _ *elsewhere) { garbage(t, path) }, 3, 6, ".lost-1796040000"},
		"a segment whose name is taken": {func(t *testing.T, path string, _ *elsewhere) { garbage(t, path+".000002") }, 3, 6, ".lost-1796040000"},
		"nothing known at all": {func(t *testing.T, path string, store *elsewhere) {
			garbage(t, path)
			garbage(t, path+".head")
			store.line = ""
		}, 1, 0, ".lost-1796040000"},
	} {
		path, store := fresh(t), &elsewhere{}
		options := at(t, path)
		options.Remembered, options.Clock = store, clockOf(&now)
		log := open(t, options)
		add(t, log, recovery.EventPassIssuing, 3)
		if err := log.Rotate(); err != nil {
			t.Fatal(err)
		}
		add(t, log, recovery.EventPassIssuing, 3)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		row.spoil(t, path, store)
		if head := begun(t, options); head.Segment != row.segment || head.Seq != row.seq {
			t.Errorf("%s: begun at %+v", name, head)
		}
		if _, err := os.Stat(path + row.beside); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := reopened(t, options); err != nil {
			t.Errorf("%s: the next start: %v", name, err)
		}
	}
	// What cannot be moved, or written, is told.
	path := written(t, 2)
	options := at(t, path)
	options.Begin, options.Clock = true, clockOf(&now)
	if err := os.MkdirAll(path+".000001/x", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(path+".lost-1796040000/x", 0o700); err != nil {
		t.Fatal(err)
	}
	said(t, "no name for it", reopened(t, options), "file exists")
	options = options.WithFiles(func(_ string, f auditlog.File) auditlog.File {
		return faulty{File: f, write: func([]byte) (int, error) { return 0, errBroken }}
	})
	options.Path = fresh(t)
	said(t, "a new segment that cannot be written", reopened(t, options), errBroken.Error())
}

// However many heads a run wrote before it crashed with records that no head names yet, the next one writes over the older
// of the two: a crash in that leaves the newest.
func TestTheOlderHeadIsWrittenFirst(t *testing.T) {
	for n := range 6 {
		crashed, path := fresh(t), fresh(t)
		log := closing(t, open(t, at(t, crashed)))
		add(t, log, recovery.EventPassIssuing, n)
		add(t, log, recovery.EventRecoveryStarted, 1)
		for _, ending := range []string{"", ".head"} { // as they are on the disk now
			text, err := os.ReadFile(crashed + ending)
			if err := errors.Join(err, os.WriteFile(path+ending, text, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := reopened(t, at(t, path).WithFiles(func(_ string, f auditlog.File) auditlog.File { return torn{f} })); err == nil {
				t.Error("the head was not torn")
			}
		}
		if head, err := segments.ReadHead(path, key(t, 1)); err != nil || head.Seq != uint64(n) {
			t.Errorf("after %d records: %+v, %v", n, head, err)
		}
	}
}

// Under a new key the log begins anew, and what it was before can be proven with the key of then: with its head, so that a
// record that is missing at its end is missed.
func TestALogOfTheKeyBefore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	path := fresh(t)
	options := at(t, path)
	options.Clock = clockOf(&now)
	log := open(t, options)
	add(t, log, recovery.EventRecoveryDenied, 2)
	if err := log.Rotate(); err != nil {
		t.Fatal(err)
	}
	add(t, log, recovery.EventRecoveryDenied, 3)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	options.Key = key(t, 2)
	begun(t, options)
	before := segments.Verification{Path: path + ".lost-" + strconv.FormatInt(now.Unix(), 10), Key: key(t, 1), More: []string{path + ".000001"}}
	if r, err := segments.Verify(before); err != nil || r.From != 1 || r.To != 5 {
		t.Errorf("the log of the key before: %+v, %v", r, err)
	}
	text, err := os.ReadFile(before.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(before.Path, bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:3], nil), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = segments.Verify(before)
	said(t, "its last record removed", err, "its head says 5")
}

// The log knows nothing of passes before it began, or of segments that are not what they were: it says so, and not that
// there was none.
func TestWhatALogDoesNotKnow(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	start := now
	make2 := func(t *testing.T) (string, auditlog.Options) {
		now = start
		path := fresh(t)
		options := at(t, path)
		options.Clock = clockOf(&now)
		log := open(t, options)
		for _, id := range []recovery.TransactionID{"one", "two"} {
			if err := log.Append(t.Context(), issuing(id, now)); err != nil {
				t.Fatal(err)
			}
		}
		add(t, log, recovery.EventRecoveryDenied, 2)
		now = now.Add(time.Minute)
		if err := errors.Join(log.Rotate(), log.Append(t.Context(), issuing("three", now)), log.Close()); err != nil {
			t.Fatal(err)
		}
		return path, options
	}
	asks := func(t *testing.T, name string, options auditlog.Options, id recovery.TransactionID, began time.Time, want bool, wantErr error) {
		t.Helper()
		log := open(t, options)
		defer log.Close()
		if found, err := log.Issued(id, began); found != want || !errors.Is(err, wantErr) || wantErr == nil && err != nil {
			t.Errorf("%s: %s is issued %t, %v", name, id, found, err)
		}
	}
	for name, row := range map[string]struct {
		spoil func(t *testing.T, path string) error
		knows bool
	}{
		"whole":      {func(*testing.T, string) error { return nil }, true},
		"compressed": {func(t *testing.T, path string) error { compress(t, path+".000001"); return nil }, true},
		"renamed":    {func(_ *testing.T, path string) error { return os.Rename(path+".000001", path+"-old") }, true},
		"no unfinished line": {func(t *testing.T, path string) error {
			text, err := os.ReadFile(path + ".000001")
			return errors.Join(err, os.WriteFile(path+".000001", text[:len(text)-3], 0o600))
		}, false},
		"gone":       {func(_ *testing.T, path string) error { return os.Remove(path + ".000001") }, false},
		"no segment": {func(_ *testing.T, path string) error { return os.WriteFile(path+".000001", []byte("x\n"), 0o600) }, false},
		"empty":      {func(_ *testing.T, path string) error { return os.WriteFile(path+".000001", nil, 0o600) }, false},
		"no gzip":    {func(_ *testing.T, path string) error { return os.Rename(path+".000001", path+".1.gz") }, false},
		"a pass of another": {func(t *testing.T, path string) error {
			text, err := os.ReadFile(path + ".000001")
			return errors.Join(err, os.WriteFile(path+".000001", bytes.Replace(text, []byte(`"txn":"one"`), []byte(`"txn":"eve"`), 1), 0o600))
		}, false},
		"the last changed": {func(t *testing.T, path string) error {
			text, err := os.ReadFile(path + ".000001")
			i := bytes.LastIndex(text, []byte(`"txn":"txn"`))
			return errors.Join(err, os.WriteFile(path+".000001", append(append(bytes.Clone(text[:i]), `"txn":"eve"`...), text[i+11:]...), 0o600))
		}, false},
		"the end cut": {func(t *testing.T, path string) error {
			text, err := os.ReadFile(path + ".000001")
			all := bytes.SplitAfter(text, []byte("\n"))
			return errors.Join(err, os.WriteFile(path+".000001", bytes.Join(all[:len(all)-2], nil), 0o600))
		}, false},
		"a line that is too long": {func(t *testing.T, path string) error {
			text, err := os.ReadFile(path + ".000001")
			all := bytes.SplitAfterN(text, []byte("\n"), 2)
			return errors.Join(err, os.WriteFile(path+".000001", bytes.Join([][]byte{all[0], bytes.Repeat([]byte("x"), 1<<20), []byte("\n"), all[1]}, nil), 0o600))
		}, false},
	} {
		path, options := make2(t)
		if err := row.spoil(t, path); err != nil {
			t.Fatal(err)
		}
		asks(t, name, options, "three", start, true, nil)
		if row.knows {
			asks(t, name, options, "one", start, true, nil)
			asks(t, name, options, "four", start, false, nil)
			continue
		}
		asks(t, name, options, "one", start, false, auditlog.ErrForgotten)
		asks(t, name, options, "four", start.Add(time.Minute), false, auditlog.ErrForgotten) // at the very beginning of the segment
		asks(t, name, options, "four", start.Add(time.Minute+1), false, nil)
	}
	// A log that has just begun does not know what was before, though the time that it remembers is longer.
	now = start
	options := at(t, fresh(t))
	options.Clock = clockOf(&now)
	log := closing(t, open(t, options))
	if err := log.Append(t.Context(), issuing("one", now)); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Issued("other", now.Add(-time.Hour)); !errors.Is(err, auditlog.ErrForgotten) || !errors.Is(err, auditlog.ErrYoung) {
		t.Errorf("before the log: %v", err)
	}
	// Nor does one that an administrator began anew know what was before that.
	path, options := make2(t)
	begun(t, options)
	asks(t, "begun anew", options, "four", now, false, auditlog.ErrForgotten)
	if _, err := closing(t, open(t, options)).Issued("four", now.Add(-time.Hour)); errors.Is(err, auditlog.ErrYoung) {
		t.Error("a log that was begun anew after a loss counts as one that had nothing before it")
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	// Moved away while nobody ran: the segment is read where it is.
	path, options = make2(t)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	asks(t, "rotated away", options, "three", start, true, nil)
	asks(t, "rotated away", options, "one", start, true, nil)
}
