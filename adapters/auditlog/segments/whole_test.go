package segments_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

// nodes are the logs of several nodes, each with a key of its own and a clock that is not right.
type nodes struct {
	t     *testing.T
	dir   string
	keys  []chain.Key
	heads []chain.Head
	texts [][]byte
	off   []time.Duration
	now   time.Time
}

func setUpNodes(t *testing.T, off ...time.Duration) *nodes {
	t.Helper()
	n := &nodes{t: t, dir: t.TempDir(), off: off, now: noon}
	for i := range off {
		n.keys = append(n.keys, keyOf(t, byte(i+1)))
		segment := n.keys[i].Begin(chain.Head{}, noon.Add(off[i]), false)
		n.heads, n.texts = append(n.heads, segment.Head()), append(n.texts, segment.Encode())
	}
	return n
}

// record has a node record an event.
func (n *nodes) record(node int, e recovery.Event) uint64 {
	n.t.Helper()
	n.now = n.now.Add(time.Millisecond)
	e.Time = n.now.Add(n.off[node])
	link, err := n.keys[node].Next(n.heads[node], e)
	must(n.t, err)
	n.texts[node] = append(n.texts[node], link.Encode()...)
	n.heads[node].Seq, n.heads[node].MAC = link.Seq, link.MAC
	return link.Seq
}

func whole() []recovery.EventType {
	return []recovery.EventType{
		recovery.EventRecoveryStarted, recovery.EventPresentationRequested, recovery.EventPresentationRetrieved, recovery.EventPresentationRejected,
		recovery.EventPresentationCompleted, recovery.EventAccountMatched, recovery.EventPassIssuing, recovery.EventPassIssued,
	}
}

// recovers records a recovery, each step at a node that pick chooses.
func (n *nodes) recovers(id recovery.TransactionID, pick func() int, events ...recovery.EventType) {
	n.t.Helper()
	if events == nil {
		events = whole()
	}
	for _, kind := range events {
		n.record(pick(), recovery.Event{Type: kind, Transaction: id, Client: "main-idp"})
	}
}

func (n *nodes) path(node int) string {
	return filepath.Join(n.dir, fmt.Sprintf("node-%d.jsonl", node))
}

// logs writes the logs and their heads.
func (n *nodes) logs() (all []segments.Verification) {
	n.t.Helper()
	for i, text := range n.texts {
		write(n.t, n.path(i), text)
		write(n.t, segments.HeadPath(n.path(i)), []byte(n.keys[i].EncodeHead(n.heads[i])))
		all = append(all, segments.Verification{Path: n.path(i), Key: n.keys[i]})
	}
	return all
}

func verified(t *testing.T, logs []segments.Verification) segments.Whole {
	t.Helper()
	w, err := segments.VerifyAll(logs)
	must(t, err)
	return w
}

// anywhere picks a node at random, the same ones in each run.
func (n *nodes) anywhere() func() int {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a node
	return func() int { return random.IntN(len(n.off)) }
}

// Recoveries whose steps are spread over nodes whose clocks differ by almost an hour are whole, for more than a day, without
// the merge keeping them all.
func TestTheLogsOfSeveralNodesAreWholeTogether(t *testing.T) {
	n := setUpNodes(t, 0, 50*time.Minute, -4*time.Minute)
	const recoveries = 600
	for i := range recoveries {
		n.recovers(recovery.TransactionID(fmt.Sprintf("txn-%d", i)), n.anywhere())
		n.now = n.now.Add(5 * time.Minute)
	}
	n.recovers("denied", n.anywhere(), append(whole()[:5], recovery.EventRecoveryDenied)...)
	n.recovers("left", n.anywhere(), whole()[:3]...)
	n.recovers("stopped", n.anywhere(), whole()[:7]...)
	n.record(1, recovery.Event{Type: recovery.EventRecoveryDenied, Reason: recovery.ReasonTooManyAttempts, Transaction: "beyond a limit"})
	n.record(1, recovery.Event{Type: recovery.EventStoreRolledBack})
	n.record(2, recovery.Event{Type: recovery.EventTransitionRefused, Transaction: "of long ago"})
	w := verified(t, n.logs())
	if err := w.Err(); err != nil {
		t.Fatalf("%v: %+v", err, w.Findings)
	}
	want := segments.Whole{Logs: w.Logs, Transactions: recoveries + 4, Passes: recoveries, Unended: 1, Rollbacks: 1}
	if !reflect.DeepEqual(w, want) {
		t.Errorf("%+v, want %+v", w, want)
	}
	for i, l := range w.Logs {
		if l.To != n.heads[i].Seq || l.From != 1 || l.Head != n.heads[i] {
			t.Errorf("node %d: %+v", i, l)
		}
	}
}

// A log that is not there is named by what is missing in the others.
func TestALogThatIsNotThere(t *testing.T) {
	n := setUpNodes(t, 0, 0, 0)
	at := map[recovery.EventType]int{recovery.EventPresentationCompleted: 2, recovery.EventAccountMatched: 2, recovery.EventPassIssuing: 1, recovery.EventPassIssued: 1}
	for _, kind := range whole() {
		n.record(at[kind], recovery.Event{Type: kind, Transaction: "spread"})
	}
	n.recovers("at one node", func() int { return 0 })
	logs := n.logs()
	if w := verified(t, logs); w.Err() != nil {
		t.Fatal(w.Err())
	}
	w := verified(t, logs[:2])
	if err := w.Err(); !errors.Is(err, segments.ErrIncomplete) || w.Faulty != 1 || w.Transactions != 2 {
		t.Errorf("%v: %+v", err, w)
	}
	var all []string
	for _, f := range w.Findings {
		if f.Transaction != "spread" || len(f.At) != 1 || f.At[0] != (segments.Place{Log: n.path(1), Seq: f.At[0].Seq}) {
			t.Errorf("%+v", f)
		}
		all = append(all, f.Said)
	}
	if got := strings.Join(all, "; "); got != "pass_issuing is recorded, and account_matched nowhere; account_matched is recorded, and presentation_completed nowhere" {
		t.Errorf("found %s", got)
	}
}

// What a node leaves that was killed in a step is counted, and is no failure for ever; beside something else it is told.
func TestANodeThatWasKilled(t *testing.T) {
	n := setUpNodes(t, 0, 0)
	n.recovers("whole", n.anywhere())
	without := append(whole()[:2:2], whole()[4:]...) // no retrieval
	n.recovers("killed when the wallet asked", n.anywhere(), without...)
	n.recovers("killed when it was decided", n.anywhere(), append(whole()[:6:6], whole()[5:]...)...) // and decided again
	w := verified(t, n.logs())
	if w.Err() != nil || w.Interrupted != 1 || w.Transactions != 3 || w.Passes != 3 || len(w.Findings) != 0 {
		t.Errorf("%v: %+v", w.Err(), w)
	}
	n.recovers("and two orders", n.anywhere(), append(without, recovery.EventPassIssuing)...)
	if w := verified(t, n.logs()); !errors.Is(w.Err(), segments.ErrIncomplete) || w.Interrupted != 1 || w.Faulty != 1 || len(w.Findings) != 2 {
		t.Errorf("%v: %+v", w.Err(), w)
	}
}

// Two nodes that each began the pass of one recovery are told, with both records.
func TestTwoIssuingsAtTwoNodes(t *testing.T) {
	n := setUpNodes(t, 0, 0)
	n.recovers("twice", func() int { return 0 })
	second := n.record(1, recovery.Event{Type: recovery.EventPassIssuing, Transaction: "twice"})
	w := verified(t, n.logs())
	if w.Err() == nil || len(w.Findings) != 1 || !strings.Contains(w.Findings[0].Said, "it may have given 2 passes") {
		t.Fatalf("%v: %+v", w.Err(), w.Findings)
	}
	if at := w.Findings[0].At; len(at) != 2 || at[0] != (segments.Place{Log: n.path(0), Seq: 7}) || at[1] != (segments.Place{Log: n.path(1), Seq: second}) {
		t.Errorf("at %+v", at)
	}
}

// A log that does not verify is told, and the others are not blamed for what it lacks.
func TestOneOfSeveralLogsWasChanged(t *testing.T) {
	n := setUpNodes(t, 0, 0)
	n.recovers("spread", n.anywhere())
	logs := n.logs()
	write(t, n.path(1), []byte(strings.Replace(string(read(t, n.path(1))), "spread", "SPREAD", 1)))
	w := verified(t, logs)
	if err := w.Err(); !errors.Is(err, chain.ErrBroken) || errors.Is(err, segments.ErrIncomplete) || !w.Unread || w.Findings != nil {
		t.Errorf("%v: %+v", err, w)
	}
	if w.Logs[0].Problem != "" || !strings.Contains(w.Logs[1].Problem, n.path(1)) {
		t.Errorf("%+v", w.Logs)
	}
	if _, err := segments.VerifyAll(nil); err == nil {
		t.Error("no log is proven")
	}
}

// What is written while the logs are read is not judged: the step before it may be in a log that was read already.
func TestRecoveriesThatGoOnMeanwhile(t *testing.T) {
	n := setUpNodes(t, 0, 0)
	n.recovers("before", n.anywhere())
	early := n.heads[1]
	n.record(1, recovery.Event{Type: recovery.EventPassIssuing, Transaction: "meanwhile"})
	logs := n.logs()
	write(t, segments.HeadPath(n.path(1)), []byte(n.keys[1].EncodeHead(early)))
	if w := verified(t, logs); w.Err() != nil || w.Growing != 1 || w.Transactions != 2 {
		t.Errorf("%v: %+v", w.Err(), w)
	}
}

// Where older segments were deleted on purpose, what may have begun in them is not missed; later recoveries are.
func TestOlderSegmentsOfOneLogAreGone(t *testing.T) {
	n := setUpNodes(t, 0, 0)
	n.recovers("across", func() int { return 1 }, whole()[:3]...)
	segment := n.keys[1].Begin(n.heads[1], n.now, false) // the first one is not there any more
	n.heads[1], n.texts[1] = segment.Head(), segment.Encode()
	n.recovers("across", func() int { return 1 }, whole()[4:]...)
	n.now = n.now.Add(12 * time.Hour)
	n.recovers("later", func() int { return 1 })
	logs := n.logs()
	logs[1].From = 2
	w := verified(t, logs)
	if w.Err() != nil || w.Earlier != 1 || w.Transactions != 2 {
		t.Errorf("%v: %+v", w.Err(), w)
	}
	n.recovers("faulty", func() int { return 1 }, whole()[4:]...)
	logs = n.logs()
	logs[1].From = 2
	if w := verified(t, logs); w.Faulty != 1 || w.Findings[0].Transaction != "faulty" {
		t.Errorf("%v: %+v", w.Err(), w)
	}
}

// However much is wrong, a hundred findings are kept.
func TestFindingsAreBounded(t *testing.T) {
	n := setUpNodes(t, 0, 0)
	for i := range 500 {
		n.recovers(recovery.TransactionID(fmt.Sprintf("txn-%d", i)), n.anywhere(), recovery.EventPassIssued)
	}
	if w := verified(t, n.logs()); w.Faulty != 500 || len(w.Findings) != 100 {
		t.Errorf("%d faulty, %d findings", w.Faulty, len(w.Findings))
	}
}

// Every event reads the same whether its beginning is cut out or it is decoded.
func FuzzEvents(f *testing.F) {
	f.Add("recovery_started", "txn", "main-idp", "", int64(0))
	f.Add("recovery_denied", "txn", "", "too_many_attempts", int64(1))
	f.Add(`a","success":`, `b","client":"`, `c\`, "d", int64(1<<40))
	f.Add(`"`, "0", "0", "", int64(0))
	f.Add("é<>&", "\u2028", "\x00", "\xff", int64(-1))
	f.Fuzz(func(t *testing.T, kind, id, client, reason string, nanos int64) {
		e := recovery.Event{
			Time: noon.Add(time.Duration(nanos)), Type: recovery.EventType(kind), Transaction: recovery.TransactionID(id), Client: recovery.ClientID(client),
			Reason: recovery.Reason(reason),
		}
		if cut, decoded := segments.EventOf(t, e, keyOf(t, 1)); cut != decoded {
			t.Errorf("cut out %q, decoded %q", cut, decoded)
		}
	})
}
