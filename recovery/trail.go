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
// kind of event, however many there are.
type Trail struct{ steps []trailStep }

type trailStep struct {
	event EventType
	count int
	first Recorded
	last  Recorded
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

// deniedAtOnce stands for the denial of an attempt beyond a limit, which is all that happens to its transaction.
const deniedAtOnce = EventType("recovery_denied at once")

// Note takes an event of the transaction. Events that change no state say nothing of others.
func (t *Trail) Note(event EventType, reason Reason, at Recorded) {
	if event == EventRecoveryDenied && reason == ReasonTooManyAttempts {
		event = deniedAtOnce
	}
	if _, changes := comesAfter(event); !changes {
		return
	}
	i := slices.IndexFunc(t.steps, func(s trailStep) bool { return s.event == event })
	if i < 0 {
		t.steps = append(t.steps, trailStep{event: event, first: at})
		i = len(t.steps) - 1
	}
	t.steps[i].count++
	t.steps[i].last = at
}

// Empty reports whether no step of the transaction is recorded.
func (t *Trail) Empty() bool { return len(t.steps) == 0 }

// Has reports whether an event is recorded.
func (t *Trail) Has(event EventType) bool { return t.count(event) > 0 }

func (t *Trail) count(events ...EventType) (n int) {
	for _, s := range t.steps {
		if slices.Contains(events, s.event) {
			n += s.count
		}
	}
	return n
}

// before is one of the events that must be recorded before another one.
type before struct {
	oneOf []EventType
	each  bool // for each of them there is one of these
}

// comesAfter says what must be recorded before an event, and whether it changes the state of a transaction. It follows the
// transition table (next) through the steps that record it.
func comesAfter(event EventType) (needs []before, changes bool) {
	switch event {
	case EventRecoveryStarted, deniedAtOnce:
		return nil, true
	case EventProofingStarted, EventPresentationRequested, EventRecoveryExpired, EventRecoveryCancelled:
		return []before{{oneOf: []EventType{EventRecoveryStarted}}}, true
	case EventProofingCompleted, EventProofingFailed:
		return []before{{oneOf: []EventType{EventProofingStarted}}}, true
	case EventPresentationPrepared, EventPresentationRenewed, EventPresentationRetrieved:
		return []before{{oneOf: []EventType{EventPresentationRequested}}}, true
	case EventPresentationCompleted:
		return []before{
			{oneOf: []EventType{EventPresentationRequested}, each: true}, // the answer closes its request; another one asks anew
			{oneOf: []EventType{EventPresentationRetrieved, EventPresentationPrepared, EventPresentationRenewed}, each: true},
		}, true
	case EventAccountMatched, EventRecoveryEvaluated, EventRecoveryDenied, EventBrowserMismatch:
		return []before{{oneOf: []EventType{EventPresentationCompleted}}}, true
	case EventPassIssuing:
		return []before{{oneOf: []EventType{EventAccountMatched}}}, true
	case EventPassIssued, EventPassFailed, EventPassRevoked:
		return []before{{oneOf: []EventType{EventPassIssuing}}}, true
	}
	return nil, false
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
		needs, _ := comesAfter(step.event)
		for _, need := range needs {
			found := t.count(need.oneOf...)
			if found > 0 && (!need.each || found >= step.count) || slices.ContainsFunc(faults, func(f Fault) bool { return slices.Equal(f.Missing, need.oneOf) }) {
				continue
			}
			faults = append(faults, missing(step, need.oneOf, found))
			if found == 0 { // and what must have come before that one
				queue = append(queue, trailStep{event: need.oneOf[0], count: step.count, first: step.first, last: step.last})
			}
		}
	}
	return faults
}

// recorded returns the steps, those of the end of a journey first: a fault names the last one that is there.
func (t *Trail) recorded() []trailStep {
	order := EventTypes()
	steps := slices.Clone(t.steps)
	slices.SortStableFunc(steps, func(a, b trailStep) int { return slices.Index(order, b.event) - slices.Index(order, a.event) })
	return steps
}

func missing(step trailStep, oneOf []EventType, found int) Fault {
	f := Fault{Missing: oneOf, Because: step.event, At: []Recorded{step.last}, Interrupted: mayBeLost(oneOf)}
	if found == 0 {
		f.Said = fmt.Sprintf("%s is recorded, and %s nowhere", step.event, names(oneOf))
	} else {
		f.Said = fmt.Sprintf("%s is recorded %d times, and %s %d times", step.event, step.count, names(oneOf), found)
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
			if !slices.Contains(group, s.event) {
				continue
			}
			at = append(at, s.first)
			if what = append(what, string(s.event)); s.count > 1 {
				at, what[len(what)-1] = append(at, s.last), fmt.Sprintf("%s %d times", s.event, s.count)
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
		if slices.Contains(decisions(), s.event) {
			kinds, f.At = append(kinds, s.event), append(f.At, s.first)
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
