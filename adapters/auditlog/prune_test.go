package auditlog_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
)

const days = 24 * time.Hour

// aged is a log that is open, with a segment of three records for each of some days, and one that is written to.
func aged(t *testing.T, path string, segments int) (*auditlog.Log, *time.Time) {
	t.Helper()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	options := at(t, path)
	options.Clock = func() time.Time { return now }
	log := closing(t, open(t, options))
	for range segments {
		add(t, log, recovery.EventPassIssuing, 3)
		now = now.Add(days)
		if err := log.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	return log, &now
}

// from verifies a log of which the first segments were removed on purpose.
func from(t *testing.T, path string, first uint64) (segments.Report, error) {
	t.Helper()
	return segments.Verify(segments.Verification{Path: path, Key: key(t, 1), From: first})
}

// Segments go when the last of their records is old enough, to the nanosecond, and the log says so before they do. What is left
// verifies from the first segment that stays, and the log goes on, after a restart too.
func TestPrune(t *testing.T) {
	path := fresh(t)
	log, now := aged(t, path, 5)
	*now = time.Date(2026, 1, 4, 12, 0, 0, 0, time.UTC).Add(auditlog.ShortestKeep) // segment 4 was begun then
	if p, err := log.Prune(t.Context(), auditlog.ShortestKeep); err != nil || p != (auditlog.Pruned{First: 1, Last: 2, Records: 6}) {
		t.Fatalf("%+v, %v", p, err)
	}
	*now = now.Add(1)
	if p, err := log.Prune(t.Context(), auditlog.ShortestKeep); err != nil || p != (auditlog.Pruned{First: 3, Last: 3, Records: 9}) {
		t.Fatalf("a nanosecond later: %+v, %v", p, err)
	}
	if p, err := log.Prune(t.Context(), auditlog.ShortestKeep); err != nil || p != (auditlog.Pruned{}) {
		t.Errorf("nothing is old enough: %+v, %v", p, err)
	}
	if _, err := verify(t, path); err == nil || !strings.Contains(err.Error(), "verify with --from 4") {
		t.Errorf("verified from the first: %v", err)
	}
	if r, err := from(t, path, 4); err != nil || r.From != 10 || r.To != 17 { // 15 passes, and what was pruned twice
		t.Errorf("%+v, %v", r, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{`"audit_pruned"`, "segments 1 to 2, with records up to 6, were removed", "segments 3 to 3, with records up to 9"} {
		if !strings.Contains(string(text), says) {
			t.Errorf("the log does not say %s", says)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	again := closing(t, open(t, at(t, path)))
	add(t, again, recovery.EventPassIssuing, 1)
	if r, err := from(t, path, 4); err != nil || r.To != 18 {
		t.Errorf("after a restart: %+v, %v", r, err)
	}
}

// However old it is, the segment that is written to stays, and the log has a record of every pass that may live.
func TestWhatIsNeverPruned(t *testing.T) {
	path := fresh(t)
	log, now := aged(t, path, 0)
	add(t, log, recovery.EventPassIssuing, 3)
	*now = now.Add(10_000 * days)
	if p, err := log.Prune(t.Context(), auditlog.ShortestKeep); err != nil || p.Last != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	holds(t, path, 3)
	for _, keep := range []time.Duration{0, -1, auditlog.ShortestKeep - 1} {
		if _, err := log.Prune(t.Context(), keep); err == nil || !strings.Contains(err.Error(), "are kept at least") {
			t.Errorf("%s: %v", keep, err)
		}
	}
	if p, err := auditlog.NewMemory().Prune(t.Context(), auditlog.ShortestKeep); err != nil || p.Last != 0 {
		t.Errorf("in memory: %+v, %v", p, err)
	}
}

// Nobody prunes evidence: where a segment was changed, cut, removed or copied, it stays with all after it, those before it go, and
// the cause is told.
func TestPruneKeepsEvidence(t *testing.T) {
	change := func(path string, do func(text string) string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(do(string(text))), 0o600)
	}
	for name, row := range map[string]struct {
		harm func(path string) error
		last uint64
		says string
	}{
		"changed": {func(path string) error {
			return change(path+".000003", func(s string) string { return strings.Replace(s, "ada@", "eve@", 1) })
		}, 2, "segment 3 and all after it stay"},
		"cut": {func(path string) error {
			return change(path+".000003", func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] })
		}, 2, "segment 3 and all after it stay"},
		"its first line": {func(path string) error {
			return change(path+".000003", func(s string) string { return strings.Replace(s, "2026", "2025", 1) })
		}, 1, ""},
		"gone":          {func(path string) error { return os.Remove(path + ".000003") }, 1, ""},
		"copied":        {func(path string) error { return os.Link(path+".000003", path+".copy") }, 1, "are copies of one segment"},
		"the first one": {func(path string) error { return os.Remove(path + ".000001") }, 5, ""}, // pruned by hand
	} {
		path := fresh(t)
		log, now := aged(t, path, 5)
		*now = now.Add(100 * days)
		if err := row.harm(path); err != nil {
			t.Fatal(err)
		}
		p, err := log.Prune(t.Context(), auditlog.ShortestKeep)
		if p.Last != row.last || (row.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		for n := row.last + 1; n <= 5; n++ {
			if _, err := os.Stat(fmt.Sprintf("%s.%06d", path, n)); err != nil && (name != "gone" || n != 3) {
				t.Errorf("%s: segment %d: %v", name, n, err)
			}
		}
	}
}

// A log that cannot be written keeps its segments: no record, no pruning.
func TestNoRecordNoPruning(t *testing.T) {
	path := fresh(t)
	log, now := aged(t, path, 3)
	*now = now.Add(100 * days)
	if err := os.Remove(path); err != nil { // under the log, which is shut then
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := log.Prune(t.Context(), auditlog.ShortestKeep); err == nil || p.Last != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	for n := 1; n <= 3; n++ {
		if _, err := os.Stat(fmt.Sprintf("%s.%06d", path, n)); err != nil {
			t.Error(err)
		}
	}
}

// `regain audit prune` asks the node that runs, and does it itself where none does.
func TestPruneFile(t *testing.T) {
	path, told := fresh(t), hangups(t)
	log, now := aged(t, path, 3)
	*now = now.Add(100 * days)
	done := make(chan error, 1)
	go func() {
		<-told
		asked, err := log.PruneIfAsked(t.Context(), auditlog.ShortestKeep)
		if !asked {
			err = errors.Join(err, errors.New("it was not asked"))
		}
		done <- err
	}()
	options := at(t, path)
	options.Clock = func() time.Time { return *now }
	if _, err := auditlog.PruneFile(t.Context(), options, auditlog.ShortestKeep); !errors.Is(err, auditlog.ErrAsked) {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if r, err := from(t, path, 4); err != nil || r.First != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	if asked, err := log.PruneIfAsked(t.Context(), auditlog.ShortestKeep); asked || err != nil { // once for each time that it is asked
		t.Errorf("asked %t, %v", asked, err)
	}
	*now = now.Add(days)
	if err := errors.Join(log.Rotate(), log.Close()); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(100 * days)
	if p, err := auditlog.PruneFile(t.Context(), options, auditlog.ShortestKeep); err != nil || p.First != 4 || p.Last != 4 {
		t.Errorf("where no node runs: %+v, %v", p, err)
	}
	if r, err := from(t, path, 5); err != nil || r.First != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}
