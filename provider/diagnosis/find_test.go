package diagnosis_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"regain/provider/diagnosis"
	"regain/recovery"
)

// audit writes records as an audit log has them.
func audit(t *testing.T, first uint64, events ...recovery.Event) string {
	t.Helper()
	var out strings.Builder
	for i, e := range events {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, `{"seq":%d,"prev":"","mac":"","event":%s}`+"\n", first+uint64(i), text)
	}
	return out.String()
}

// The logs of several nodes, of their requests and their audit logs, are told as one, in the order of their times; what the
// audit logs lack is said.
func TestLogsOfSeveralNodes(t *testing.T) {
	all := strings.SplitAfter(log(t), "\n")
	first, second := strings.Join(all[:1], "")+"no end of line", strings.Join(all[1:], "")
	at := func(seconds int) time.Time { return time.Date(2026, 11, 26, 11, 59, seconds, 0, time.UTC) }
	one := audit(t, 7, recovery.Event{Time: at(1), Type: recovery.EventRecoveryStarted, Transaction: "t1", Requested: "ada@example.org", Account: "id-of-ada"},
		recovery.Event{Time: at(2), Type: recovery.EventRecoveryStarted, Transaction: "t2"}, recovery.Event{Time: at(2), Type: recovery.EventStoreRolledBack})
	two := audit(t, 3, recovery.Event{
		Time: at(5), Type: recovery.EventRecoveryDenied, Transaction: "t1", Reason: recovery.ReasonAccountMismatch,
		Results: []recovery.RuleResult{{Rule: "match:family_name", Detail: "differs"}},
	})
	read := func(id string, wrap func(string) io.Reader) []diagnosis.Record {
		t.Helper()
		found, err := diagnosis.FindIn(id, diagnosis.Log{Name: "n1.log", Reader: wrap(first)}, diagnosis.Log{Name: "n2.log", Reader: wrap(second)},
			diagnosis.Log{Name: "n1.jsonl", Reader: wrap(one)}, diagnosis.Log{Name: "n2.jsonl", Reader: wrap(two)})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for name, wrap := range map[string]func(string) io.Reader{
		"files": func(s string) io.Reader { return strings.NewReader(s) },
		"pipes": func(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} },
	} {
		for _, id := range []string{"c1", "c2", "t1"} {
			found := read(id, wrap)
			var from []string
			for _, r := range found {
				from = append(from, r.Log)
			}
			if got := strings.Join(from, " "); got != "n1.jsonl n2.jsonl n1.log n2.log" {
				t.Errorf("%s, %s: from %s", name, id, got)
			}
		}
	}
	var out strings.Builder
	if err := diagnosis.Write(&out, read("c1", func(s string) io.Reader { return strings.NewReader(s) })); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"recovery t1", "11:59:01.000  recorded recovery_started  (record 7)  n1.jsonl", "recorded recovery_denied: account_mismatch  (record 3)  n2.jsonl",
		"FAILED match:family_name: differs", "(c1)  n1.log", "of the audit logs that were read: recovery_denied is recorded, and presentation_completed nowhere",
	} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("it does not say %q:\n%s", part, out.String())
		}
	}
	if strings.Contains(out.String(), "ada") {
		t.Errorf("it names the account:\n%s", out.String())
	}
}

// A line of another program that is longer than any of ours is passed over, at the end of a log too.
func TestLongLinesArePassedOver(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	for name, text := range map[string]string{"before": long + "\n" + log(t), "after": log(t) + long, "between": log(t) + long + "\n" + log(t)} {
		if found, err := diagnosis.Find(strings.NewReader(text), "c1"); err != nil || len(found) < 2 {
			t.Errorf("%s: %d records, %v", name, len(found), err)
		}
	}
}
