package segments

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"regain/recovery"
)

// Whole is what several logs say together: those of nodes that share a store.
type Whole struct {
	Logs         []Log `json:"logs"`
	Transactions int   `json:"recoveries"`
	Passes       int   `json:"passes"`         // pass_issued
	Unended      int   `json:"passes_unended"` // pass_issuing without what became of it: the node stopped in between
	Rollbacks    int   `json:"rollbacks"`      // store_rolled_back
	// Earlier are transactions that may have begun before the first record that is here, where older segments were deleted;
	// Growing those of which a record was written meanwhile. What is missing of them is not told.
	Earlier int `json:"begun_earlier"`
	Growing int `json:"in_progress"`
	// Interrupted are transactions whose records have what a node leaves that is killed in a step (recovery.Fault), and nothing
	// that it does not.
	Interrupted int `json:"interrupted"`
	// Unread: a log does not verify, so what they say together was not looked at.
	Unread bool `json:"unread,omitempty"`
	// Faulty is the number of transactions with a fault, and Findings has the first of them.
	Faulty   int       `json:"faulty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Log is one log of several.
type Log struct {
	Path string `json:"log"`
	Report
	Problem string `json:"problem,omitempty"` // why it does not verify
	err     error
}

// Finding is what is wrong with the records of one transaction.
type Finding struct {
	Transaction recovery.TransactionID `json:"txn"`
	Said        string                 `json:"says"`
	At          []Place                `json:"at"` // of the records that say so
}

// Place is one record.
type Place struct {
	Log string `json:"log"`
	Seq uint64 `json:"seq"`
}

// ErrIncomplete means that each of several logs is whole, and that they are not whole together.
var ErrIncomplete = errors.New("the audit logs do not hold every step of every recovery")

// Err returns why the logs are not proven: each, or together.
func (w Whole) Err() error {
	var problems []error
	for _, l := range w.Logs {
		problems = append(problems, l.err)
	}
	if w.Faulty > 0 {
		problems = append(problems, fmt.Errorf("%d recoveries: %w", w.Faulty, ErrIncomplete))
	}
	return errors.Join(problems...)
}

// maxFindings bounds how many findings are kept.
const maxFindings = 100

// VerifyAll verifies each log as Verify does, and then what they say together: for each transaction, that no step is missing,
// that none was taken twice, and that one pass was issued at most. Records of a transaction may be in several logs. They
// are read side by side by their time, each once, and a transaction is forgotten when it can have no more: so the clocks of
// the nodes may differ by an hour, and memory is needed for the transactions of a few hours. It ends with an error only where
// nothing could be read; see Err for the outcome.
func VerifyAll(logs []Verification) (Whole, error) {
	if len(logs) == 0 {
		return Whole{}, errors.New("verify audit logs: name one")
	}
	const tries, pause = 3, 100 * time.Millisecond
	for n := 1; ; n++ {
		w := verifyOnce(logs)
		moved := false // as for Verify: a node began a new segment meanwhile
		for i, l := range w.Logs {
			now, _ := ReadHead(logs[i].Path, logs[i].Key)
			moved = moved || l.err != nil && now.Segment != l.Head.Segment && now.Segment != 0
		}
		if !moved || n == tries {
			return w, nil
		}
		time.Sleep(pause)
	}
}

func verifyOnce(logs []Verification) Whole {
	m := &merge{open: make(map[recovery.TransactionID]*trail)}
	// All heads before the first record of any: what comes after them may lack what another log got meanwhile.
	for _, v := range logs {
		head, _ := ReadHead(v.Path, v.Key) // which the verification reports
		m.whole.Logs = append(m.whole.Logs, Log{Path: v.Path})
		m.streams = append(m.streams, newStream(v, head))
	}
	for i, s := range m.streams {
		go s.run()
		m.edge = max(m.edge, s.edge)
		s.log = i
	}
	m.run()
	for i, s := range m.streams {
		l := &m.whole.Logs[i]
		if l.Report, l.err = s.report, s.err; l.err != nil {
			l.err = fmt.Errorf("%s: verify audit log: %w", l.Path, l.err)
			l.Problem = l.err.Error()
			m.whole.Unread = true
		}
	}
	if m.whole.Unread { // what a log that is not whole lacks would be missed in every other
		m.whole.Faulty, m.whole.Findings = 0, nil
	}
	return m.whole
}

// keptFor is how long after its last record a transaction may get another one: it lives for an hour, and clocks differ by one.
const keptFor = 2 * recovery.MaxLifetime

// merge reads the streams side by side.
type merge struct {
	streams []*stream
	edge    int64 // what began before may have records that are not here
	open    map[recovery.TransactionID]*trail
	now     int64 // the time of the record that was read last
	swept   int64
	whole   Whole
}

// trail is what was read of a transaction.
type trail struct {
	recovery.Trail
	first, last int64
	growing     bool
}

func (m *merge) run() {
	for {
		var next *stream
		for _, s := range m.streams {
			if e := s.peek(); e != nil && (next == nil || e.time < next.peek().time) {
				next = s
			}
		}
		if next == nil {
			break
		}
		m.take(next.log, next.pop())
	}
	for _, id := range slices.Sorted(maps.Keys(m.open)) {
		m.judge(id, m.open[id])
	}
}

func (m *merge) take(log int, e event) {
	m.now = max(m.now, e.time)
	if e.kind == recovery.EventStoreRolledBack {
		m.whole.Rollbacks++
	}
	t := m.open[e.transaction]
	if t == nil {
		t = &trail{first: e.time, last: e.time}
	}
	t.Note(e.kind, e.reason, recovery.Recorded{Log: log, Seq: e.seq})
	if t.Empty() { // no step: a stranger's answer, say
		return
	}
	t.first, t.last, t.growing = min(t.first, e.time), max(t.last, e.time), t.growing || e.late
	m.open[e.transaction] = t
	const often = int64(time.Minute)
	if m.now-m.swept < often {
		return
	}
	m.swept = m.now
	for id, t := range m.open {
		if m.now-t.last > int64(keptFor) {
			m.judge(id, t)
			delete(m.open, id)
		}
	}
}

// judge says what is wrong with a transaction that has no more records.
func (m *merge) judge(id recovery.TransactionID, t *trail) {
	m.whole.Transactions++
	if t.Has(recovery.EventPassIssued) {
		m.whole.Passes++
	} else if t.Has(recovery.EventPassIssuing) && !t.Has(recovery.EventPassFailed) && !t.Has(recovery.EventPassRevoked) {
		m.whole.Unended++
	}
	faults := t.Faults()
	if len(faults) > 0 {
		switch {
		case t.growing:
			m.whole.Growing++
			return
		case t.first < m.edge:
			if faults = slices.DeleteFunc(faults, func(f recovery.Fault) bool { return len(f.Missing) > 0 }); len(faults) == 0 {
				m.whole.Earlier++
				return
			}
		}
		if !slices.ContainsFunc(faults, func(f recovery.Fault) bool { return !f.Interrupted }) {
			m.whole.Interrupted++
			return
		}
		m.whole.Faulty++
	}
	for _, f := range faults {
		if len(m.whole.Findings) == maxFindings {
			return
		}
		finding := Finding{Transaction: id, Said: f.Said}
		for _, at := range f.At {
			finding.At = append(finding.At, Place{Log: m.whole.Logs[at.Log].Path, Seq: at.Seq})
		}
		m.whole.Findings = append(m.whole.Findings, finding)
	}
}
