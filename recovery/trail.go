package recovery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Recorded says where an event was recorded: in which of several audit logs, and under which number there.
type Recorded struct {
	Log int
	Seq uint64
}

// Trail collects what audit logs have of one transaction, to say what is missing. Several nodes carry out one recovery, each
// writes a log of its own, and their clocks differ; so the order of events says nothing, and a trail goes by what the
// transition table makes of them: what must have come before, how often, and what excludes what. It keeps one short entry a
// kind of event, however many there are: whoever verifies a log has hundreds of thousands of trails at a time.
type Trail struct{ steps []trailStep }

type trailStep struct {
	first, last place
	count       uint32
	kind        uint8 // its place in the list of trailKinds
}

func (s trailStep) event() EventType { return trailKinds()[s.kind] }

// place is a Recorded in eight octets: of a log's records, there are fewer than 2^48.
type place uint64

const seqBits = 48

func placeOf(r Recorded) place { return place(uint64(r.Log)<<seqBits | r.Seq&(1<<seqBits-1)) } //nolint:gosec // logs are few

func (p place) recorded() Recorded {
	return Recorded{Log: int(p >> seqBits), Seq: uint64(p) & (1<<seqBits - 1)} //nolint:gosec // 16 bits
}

// deniedAtOnce stands for the denial of an attempt beyond a limit, which is all that happens to its transaction.
const deniedAtOnce = EventType("recovery_denied at once")

// trailKinds are the events that change the state of a transaction, in the order of a recovery.
func trailKinds() [20]EventType {
	return [...]EventType{
		EventRecoveryStarted, deniedAtOnce, EventProofingStarted, EventProofingCompleted, EventProofingFailed,
		EventPresentationRequested, EventPresentationPrepared, EventPresentationRenewed, EventPresentationRetrieved, EventPresentationCompleted,
		EventAccountMatched, EventRecoveryEvaluated, EventRecoveryDenied, EventRecoveryExpired, EventRecoveryCancelled, EventBrowserMismatch,
		EventPassIssuing, EventPassIssued, EventPassFailed, EventPassRevoked,
	}
}

// Fault is what is wrong with a trail.
type Fault struct {
	Missing []EventType // one of these is recorded nowhere, or not often enough
	Because EventType   // of an event that is recorded
	At      []Recorded  // where that is; of several that exclude each other, all
	Said    string      // what is wrong, for an administrator
	// Interrupted: a node that was killed in a step, or that did not hear what became of its change, leaves this. A record that
	// need not be durable follows its change, and may be missing. The log of a node that is not there takes durable ones too.
	Interrupted bool
}

// Note takes an event of the transaction. Events that change no state say nothing of others.
func (t *Trail) Note(event EventType, reason Reason, at Recorded) {
	if event == EventRecoveryDenied && reason == ReasonTooManyAttempts {
		event = deniedAtOnce
	}
	kinds := trailKinds()
	kind := slices.Index(kinds[:], event)
	if kind < 0 {
		return
	}
	i := slices.IndexFunc(t.steps, func(s trailStep) bool { return int(s.kind) == kind })
	if i < 0 {
		const usual = 7 // kinds of a recovery
		if t.steps == nil {
			t.steps = make([]trailStep, 0, usual)
		}
		t.steps = append(t.steps, trailStep{kind: uint8(kind), first: placeOf(at)}) //nolint:gosec // of twenty
		i = len(t.steps) - 1
	}
	t.steps[i].count++
	t.steps[i].last = placeOf(at)
}

// Empty reports whether no step of the transaction is recorded.
func (t *Trail) Empty() bool { return len(t.steps) == 0 }

// Has reports whether an event is recorded.
func (t *Trail) Has(event EventType) bool { return t.count(event) > 0 }

func (t *Trail) count(events ...EventType) (n int) {
	for _, s := range t.steps {
		if slices.Contains(events, s.event()) {
			n += int(s.count)
		}
	}
	return n
}

// before is one of the events that must be recorded before another one.
type before struct {
	oneOf []EventType
	each  bool // for each of them there is one of these
}

// comesAfter says what must be recorded before an event. It follows the transition table (next) through the steps that record
// it.
func comesAfter(event EventType) []before {
	switch event {
	case EventProofingStarted, EventPresentationRequested, EventRecoveryExpired, EventRecoveryCancelled:
		return []before{{oneOf: []EventType{EventRecoveryStarted}}}
	case EventProofingCompleted, EventProofingFailed:
		return []before{{oneOf: []EventType{EventProofingStarted}}}
	case EventPresentationPrepared, EventPresentationRenewed, EventPresentationRetrieved:
		return []before{{oneOf: []EventType{EventPresentationRequested}}}
	case EventPresentationCompleted:
		return []before{
			{oneOf: []EventType{EventPresentationRequested}, each: true}, // the answer closes its request; another one asks anew
			{oneOf: []EventType{EventPresentationRetrieved, EventPresentationPrepared, EventPresentationRenewed}, each: true},
		}
	case EventAccountMatched, EventRecoveryEvaluated, EventRecoveryDenied, EventBrowserMismatch:
		return []before{{oneOf: []EventType{EventPresentationCompleted}}}
	case EventPassIssuing:
		return []before{{oneOf: []EventType{EventAccountMatched}}}
	case EventPassIssued, EventPassFailed, EventPassRevoked:
		return []before{{oneOf: []EventType{EventPassIssuing}}}
	}
	return nil
}

// atMostOne lists the events of which a transaction has one at most, in all logs together: each is a change that one
// compare-and-swap makes, and closes the state that the others begin in.
func atMostOne() [][]EventType {
	return [][]EventType{
		{EventRecoveryStarted, deniedAtOnce},
		{EventPassIssuing, EventRecoveryExpired, EventRecoveryCancelled, EventBrowserMismatch},
		{EventPassIssued},
	}
}

// decisions are recorded before they count. A node that is killed in between leaves a record of one that is made again, the
// same, since its answer is stored: so one may be recorded repeatedly, and another one only after another answer.
func decisions() []EventType {
	return []EventType{EventAccountMatched, EventRecoveryEvaluated, EventRecoveryDenied}
}

// Faults returns what is missing in the logs, and what cannot be in them together.
func (t *Trail) Faults() []Fault {
	faults := t.twice()
	for queue := t.recorded(); len(queue) > 0; queue = queue[1:] {
		step := queue[0]
		for _, need := range comesAfter(step.event()) {
			found := t.count(need.oneOf...)
			if found > 0 && (!need.each || found >= int(step.count)) || slices.ContainsFunc(faults, func(f Fault) bool { return slices.Equal(f.Missing, need.oneOf) }) {
				continue
			}
			faults = append(faults, missing(step, need.oneOf, found))
			if found == 0 { // and what must have come before that one
				kinds := trailKinds()
				step.kind = uint8(slices.Index(kinds[:], need.oneOf[0])) //nolint:gosec // of twenty
				queue = append(queue, step)
			}
		}
	}
	return faults
}

// recorded returns the steps, those of the end of a journey first: a fault names the last one that is there.
func (t *Trail) recorded() []trailStep {
	steps := slices.Clone(t.steps)
	slices.SortFunc(steps, func(a, b trailStep) int { return int(b.kind) - int(a.kind) })
	return steps
}

func missing(step trailStep, oneOf []EventType, found int) Fault {
	f := Fault{Missing: oneOf, Because: step.event(), At: []Recorded{step.last.recorded()}, Interrupted: mayBeLost(oneOf)}
	if found == 0 {
		f.Said = fmt.Sprintf("%s is recorded, and %s nowhere", step.event(), names(oneOf))
	} else {
		f.Said = fmt.Sprintf("%s is recorded %d times, and %s %d times", step.event(), step.count, names(oneOf), found)
	}
	return f
}

// twice finds what is recorded more often than it can have happened.
func (t *Trail) twice() (faults []Fault) {
	for _, group := range atMostOne() {
		if t.count(group...) < 2 {
			continue
		}
		var at []Recorded
		var what []string
		for _, s := range t.steps {
			if !slices.Contains(group, s.event()) {
				continue
			}
			at = append(at, s.first.recorded())
			if what = append(what, string(s.event())); s.count > 1 {
				at, what[len(what)-1] = append(at, s.last.recorded()), fmt.Sprintf("%s %d times", s.event(), s.count)
			}
		}
		text := strings.Join(what, " and ") + " of one recovery, which can have one of these"
		if n := t.count(EventPassIssuing); n > 1 && slices.Contains(group, EventPassIssuing) {
			text += ": it may have given " + strconv.Itoa(n) + " passes"
		}
		faults = append(faults, Fault{Because: group[0], At: at, Said: text})
	}
	return append(faults, t.decidedOtherwise()...)
}

// decidedOtherwise finds more decisions than there were answers.
func (t *Trail) decidedOtherwise() []Fault {
	f := Fault{Because: EventPresentationCompleted}
	var kinds []EventType
	for _, s := range t.steps {
		if slices.Contains(decisions(), s.event()) {
			kinds, f.At = append(kinds, s.event()), append(f.At, s.first.recorded())
		}
	}
	if answers := t.count(EventPresentationCompleted); len(kinds) < 2 || len(kinds) <= answers {
		return nil
	}
	f.Said = fmt.Sprintf("%s of one recovery, for fewer answers of a wallet", strings.ReplaceAll(names(kinds), " or ", " and "))
	return []Fault{f}
}

// mayBeLost reports whether a record is missing where a node was killed after its change. That of the start is not: the person
// who could go on was not answered yet.
func mayBeLost(events []EventType) bool {
	return !slices.ContainsFunc(events, func(e EventType) bool { return e == EventRecoveryStarted || e == deniedAtOnce || e.Critical() })
}

func names(events []EventType) string {
	all := make([]string, len(events))
	for i, e := range events {
		all[i] = string(e)
	}
	return strings.Join(all, " or ")
}
