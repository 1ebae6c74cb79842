package recovery_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// journeys returns what each of the walks records, by transaction.
func journeys(t *testing.T) map[string][]recovery.Event {
	t.Helper()
	all := make(map[string][]recovery.Event)
	for name, journey := range walks() {
		b := setUp(t, limited(recovery.Limit{Name: "l", Per: recovery.PerNetwork, Max: 2, Window: time.Hour}))
		w := &walker{bench: b, ctx: t.Context()}
		if journey(w); w.err != nil {
			t.Fatalf("%s: %v", name, w.err)
		}
		for _, e := range b.events {
			all[name+" "+string(e.Transaction)] = append(all[name+" "+string(e.Transaction)], e)
		}
	}
	return all
}

func trailOf(events []recovery.Event) *recovery.Trail {
	var trail recovery.Trail
	for i, e := range events {
		trail.Note(e.Type, e.Reason, recovery.Recorded{Log: i % 3, Seq: uint64(i + 1)})
	}
	return &trail
}

// said joins what the faults of a trail say.
func said(trail *recovery.Trail) string {
	var all []string
	for _, f := range trail.Faults() {
		all = append(all, f.Said)
	}
	return strings.Join(all, "; ")
}

// Whatever the service records is a whole trail, in whatever order the logs are read, and at every moment of the journey.
func TestTrailsOfJourneysAreWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // an order
	for name, events := range journeys(t) {
		for n := range len(events) + 1 {
			read := slices.Clone(events[:n])
			random.Shuffle(n, func(i, j int) { read[i], read[j] = read[j], read[i] })
			if faults := said(trailOf(read)); faults != "" {
				t.Errorf("%s, after %d events: %s", name, n, faults)
			}
		}
	}
}

// Every state that the transition table leads to by the steps that record an event is one that a trail lets be, for random
// walks through the table.
func TestTrailsFollowTheTransitionTable(t *testing.T) {
	records := map[recovery.EventType][]recovery.Step{
		recovery.EventProofingStarted: {recovery.StepProof}, recovery.EventProofingCompleted: {recovery.StepInform},
		recovery.EventPresentationRequested: {recovery.StepRequest}, recovery.EventPresentationRetrieved: {recovery.StepRetrieve},
		recovery.EventPresentationCompleted: {recovery.StepPresent},
		recovery.EventAccountMatched:        {recovery.StepApprove}, recovery.EventRecoveryEvaluated: {recovery.StepEvaluate},
		recovery.EventRecoveryDenied: {recovery.StepDeny}, recovery.EventRecoveryExpired: {recovery.StepExpire},
		recovery.EventRecoveryCancelled: {recovery.StepCancel}, recovery.EventPassIssuing: {recovery.StepIssue}, recovery.EventPassIssued: {recovery.StepRedeem},
	}
	var kinds []recovery.EventType
	for kind := range records {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a walk
	ends := map[recovery.State]int{}
	for range 5000 {
		tx := recovery.Transaction{State: recovery.StateInformed, ExpiresAt: noon.Add(time.Hour)}
		events := []recovery.Event{{Type: recovery.EventRecoveryStarted}}
		for range 20 {
			kind := kinds[random.IntN(len(kinds))]
			if kind == recovery.EventProofingCompleted && tx.State != recovery.StateProofing { // its caller looks
				continue
			}
			if next, err := tx.Apply(records[kind][0], noon); err == nil {
				tx, events = next, append(events, recovery.Event{Type: kind})
			}
		}
		ends[tx.State]++
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if faults := said(trailOf(events)); faults != "" {
			t.Fatalf("%v: %s", events, faults)
		}
	}
	for _, state := range []recovery.State{recovery.StateRedeemed, recovery.StateEvaluated, recovery.StateDenied, recovery.StateExpired, recovery.StateCancelled} {
		if ends[state] == 0 {
			t.Errorf("no walk ends %s", state)
		}
	}
}

// Of a recovery that ended with a pass, each step is missed by the ones after it; what cannot happen twice is told.
func TestWhatATrailLacks(t *testing.T) {
	whole := []recovery.EventType{
		recovery.EventRecoveryStarted, recovery.EventProofingStarted, recovery.EventProofingCompleted, recovery.EventPresentationRequested,
		recovery.EventPresentationRetrieved, recovery.EventPresentationCompleted, recovery.EventAccountMatched, recovery.EventPassIssuing, recovery.EventPassIssued,
	}
	trail := func(without []recovery.EventType, more ...recovery.EventType) *recovery.Trail {
		var events []recovery.Event
		for _, kind := range append(slices.Clone(whole), more...) {
			if !slices.Contains(without, kind) {
				events = append(events, recovery.Event{Type: kind})
			}
		}
		return trailOf(events)
	}
	if faults := said(trail(nil)); faults != "" {
		t.Fatalf("a whole one: %s", faults)
	}
	type kinds = []recovery.EventType
	// Recorded, and the node was killed before it counted: made again, or otherwise after another answer.
	for _, again := range []kinds{{recovery.EventAccountMatched}, {recovery.EventPresentationRequested, recovery.EventPresentationRetrieved, recovery.EventPresentationCompleted, recovery.EventRecoveryDenied}} {
		if faults := said(trail(nil, again...)); faults != "" {
			t.Errorf("%v: %s", again, faults)
		}
	}
	for name, row := range map[string]struct {
		trail *recovery.Trail
		says  string
	}{
		"no start":          {trail(kinds{recovery.EventRecoveryStarted}), "presentation_requested is recorded, and recovery_started nowhere"},
		"no proofing":       {trail(kinds{recovery.EventProofingStarted}), "proofing_completed is recorded, and proofing_started nowhere"},
		"no request":        {trail(kinds{recovery.EventPresentationRequested}), "presentation_completed is recorded, and presentation_requested nowhere"},
		"no retrieval":      {trail(kinds{recovery.EventPresentationRetrieved}), "presentation_completed is recorded, and presentation_retrieved or presentation_prepared or presentation_renewed nowhere"},
		"no answer":         {trail(kinds{recovery.EventPresentationCompleted}), "account_matched is recorded, and presentation_completed nowhere"},
		"no decision":       {trail(kinds{recovery.EventAccountMatched}), "pass_issuing is recorded, and account_matched nowhere"},
		"no order":          {trail(kinds{recovery.EventPassIssuing}), "pass_issued is recorded, and pass_issuing nowhere"},
		"the pass alone":    {trail(whole[:7]), "account_matched is recorded, and presentation_completed nowhere"},
		"two issuings":      {trail(nil, recovery.EventPassIssuing), "pass_issuing 2 times of one recovery, which can have one of these: it may have given 2 passes"},
		"two passes":        {trail(nil, recovery.EventPassIssued), "pass_issued 2 times of one recovery"},
		"two decisions":     {trail(nil, recovery.EventRecoveryDenied), "account_matched and recovery_denied of one recovery, for fewer answers"},
		"cancelled, and on": {trail(nil, recovery.EventRecoveryCancelled), "pass_issuing and recovery_cancelled"},
		"another browser's": {trail(nil, recovery.EventBrowserMismatch), "pass_issuing and browser_mismatch"},
		"after its end":     {trail(nil, recovery.EventRecoveryExpired), "pass_issuing and recovery_expired"},
		"two answers":       {trail(nil, recovery.EventPresentationCompleted), "presentation_completed is recorded 2 times, and presentation_requested 1 times"},
		"started twice":     {trail(nil, recovery.EventRecoveryStarted), "recovery_started 2 times"},
		"a pass of nothing": {trailOf([]recovery.Event{{Type: recovery.EventPassRevoked}}), "presentation_requested is recorded, and recovery_started nowhere"},
		"beyond a limit, and on": {trailOf([]recovery.Event{
			{Type: recovery.EventRecoveryDenied, Reason: recovery.ReasonTooManyAttempts}, {Type: recovery.EventPresentationRequested},
		}), "recovery_started nowhere"},
	} {
		if got := said(row.trail); !strings.Contains(got, row.says) {
			t.Errorf("%s: %q, want %q", name, got, row.says)
		}
	}
	for _, kind := range []recovery.EventType{recovery.EventPresentationRejected, recovery.EventTransitionRefused, recovery.EventStoreRolledBack, recovery.EventConfirmationFailed} {
		if trail := trailOf([]recovery.Event{{Type: kind}}); !trail.Empty() || len(trail.Faults()) != 0 {
			t.Errorf("%s is a step", kind)
		}
	}
	fault := trail(kinds{recovery.EventAccountMatched}).Faults()[0]
	if len(fault.At) != 1 || fault.At[0] != (recovery.Recorded{Log: 0, Seq: 7}) {
		t.Errorf("the fault is at %+v", fault.At)
	}
}
