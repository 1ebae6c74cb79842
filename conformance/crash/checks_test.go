package crash

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// whole is a run in which all went well: one transaction with a pass, and one that a person left.
func whole(t *testing.T) (*run, *audited) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("{\"level\":\"INFO\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &run{tally: newTally(), stuck: &stuck{}, cluster: &cluster{nodes: []*server{{name: "node 1", log: log}}}}
	r.tally.pass("one")
	events := map[string]int{"pass_issuing": 1, "pass_issued": 1}
	for _, step := range append(durable(), others()...) {
		events[step] = 1
	}
	return r, &audited{records: len(events), events: map[string]map[string]int{"one": events, "left": {"recovery_started": 1}}}
}

// What must not be is found, and nothing else is.
func TestChecksBite(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(r *run, logs *audited)
		check string // "" for none
		cause string
	}{
		"nothing":                    {func(*run, *audited) {}, "", ""},
		"a client has two":           {func(r *run, _ *audited) { r.tally.pass("one") }, "no transaction has two passes", "clients received 2"},
		"two nodes issued":           {func(_ *run, l *audited) { l.events["one"]["pass_issuing"]++ }, "no transaction has two passes", "2 records of pass_issuing"},
		"two were issued":            {func(_ *run, l *audited) { l.events["one"]["pass_issued"]++ }, "no transaction has two passes", "2 records of pass_issued"},
		"a pass that no log has":     {func(r *run, _ *audited) { r.tally.pass("another") }, "no pass is without its record", "another"},
		"a pass that is not issued":  {func(_ *run, l *audited) { delete(l.events["one"], "pass_issued") }, "no pass is without its record", "one"},
		"a pass that was revoked":    {func(_ *run, l *audited) { l.events["one"]["pass_revoked"] = 1 }, "no pass is without its record", "revoked"},
		"no decision":                {func(_ *run, l *audited) { delete(l.events["one"], "account_matched") }, "of no transaction with a pass a durable record is missing", "no account_matched"},
		"no start":                   {func(_ *run, l *audited) { delete(l.events["one"], "recovery_started") }, "of no transaction with a pass a durable record is missing", "no recovery_started"},
		"a step without a failure":   {func(_ *run, l *audited) { delete(l.events["one"], "presentation_retrieved") }, "of no transaction with a pass a durable record is missing", "1 records are missing"},
		"a pass that is not good":    {func(r *run, _ *audited) { r.tally.bad("one") }, "each pass that a client received is good", "one"},
		"a page":                     {func(r *run, _ *audited) { r.tally.problem("a blank page", "") }, "each person saw a page that says what to do", "1 times a blank page"},
		"a recovery that is stuck":   {func(r *run, _ *audited) { r.tally.problem("a stuck recovery that does not end", "") }, "each stuck recovery ends by itself", "does not end"},
		"a node that ended":          {func(r *run, _ *audited) { r.tally.died++ }, "no node ended by itself, or panicked", "ended by itself"},
		"a node that has a bad line": {func(r *run, _ *audited) { appendTo(r.cluster.nodes[0].log, "panic: oh") }, "no node ended by itself, or panicked", "panic: oh"},
	} {
		t.Run(name, func(t *testing.T) {
			r, logs := whole(t)
			row.spoil(r, logs)
			for _, c := range r.hold(logs) {
				if found := strings.Join(c.wrong, "\n"); (c.name == row.check) != (found != "") || c.name == row.check && !strings.Contains(found, row.cause) {
					t.Errorf("%s: %q", c.name, found)
				}
			}
		})
	}
}

func appendTo(path, line string) {
	text, _ := os.ReadFile(path)
	_ = os.WriteFile(path, append(text, line...), 0o600)
}

// The seed alone decides what comes.
func TestSchedulesAreRepeatable(t *testing.T) {
	o := Options{Store: storeMongo, Journeys: 100, Kills: 200, Faults: 200, Seed: 7}
	first, again := newSchedule(o), newSchedule(o)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same seed has other faults")
	}
	o.Seed = 8
	if reflect.DeepEqual(first, newSchedule(o)) {
		t.Error("another seed has the same faults")
	}
	kinds, kills := map[FaultKind]int{}, 0
	for _, of := range first.kills {
		kills += len(of)
	}
	for _, f := range first.faults {
		kinds[f.kind]++
		if f.lasts < 100*time.Millisecond || f.lasts > longest {
			t.Errorf("%s lasts %s", f.kind, f.lasts)
		}
	}
	if kills != o.Kills || len(first.faults) != o.Faults || len(kinds) != len(FaultKinds()) {
		t.Errorf("%d kills, %d faults of kinds %v", kills, len(first.faults), kinds)
	}
}
