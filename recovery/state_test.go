package recovery_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regain/recovery"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// legal is the transition table once more, as a person would draw it: every pair that is not here must be refused.
func legal() map[recovery.State]map[recovery.Step]recovery.State {
	open := func(more map[recovery.Step]recovery.State) map[recovery.Step]recovery.State {
		more[recovery.StepExpire], more[recovery.StepCancel] = recovery.StateExpired, recovery.StateCancelled
		return more
	}
	type moves = map[recovery.Step]recovery.State
	return map[recovery.State]moves{
		recovery.StateStarted: open(moves{recovery.StepInform: recovery.StateInformed, recovery.StepDeny: recovery.StateDenied}),
		recovery.StateInformed: open(moves{
			recovery.StepProof: recovery.StateProofing, recovery.StepRequest: recovery.StateRequested,
		}),
		recovery.StateProofing: open(moves{
			recovery.StepProof: recovery.StateProofing, recovery.StepInform: recovery.StateInformed, recovery.StepRequest: recovery.StateRequested,
		}),
		recovery.StateRequested: open(moves{
			recovery.StepRequest: recovery.StateRequested, recovery.StepRetrieve: recovery.StateRetrieved, recovery.StepProof: recovery.StateProofing,
		}),
		recovery.StateRetrieved: open(moves{
			recovery.StepRequest: recovery.StateRequested, recovery.StepRetrieve: recovery.StateRetrieved,
			recovery.StepPresent: recovery.StatePresented, recovery.StepProof: recovery.StateProofing,
		}),
		recovery.StatePresented: open(moves{
			recovery.StepRequest: recovery.StateRequested, recovery.StepApprove: recovery.StateApproved,
			recovery.StepEvaluate: recovery.StateEvaluated, recovery.StepDeny: recovery.StateDenied,
		}),
		recovery.StateApproved: {recovery.StepIssue: recovery.StateIssuing, recovery.StepExpire: recovery.StateExpired},
		recovery.StateIssuing:  {recovery.StepRedeem: recovery.StateRedeemed},
	}
}

func transaction(state recovery.State) recovery.Transaction {
	return recovery.Transaction{
		ID: "txn", State: state, StartedAt: noon, ChangedAt: noon, ExpiresAt: noon.Add(15 * time.Minute),
		Presentation: &recovery.PresentationAttempt{Requests: []recovery.PendingRequest{{Channel: recovery.Channel{Flow: recovery.FlowSameDevice}, Secret: "secret"}}},
	}
}

func TestEveryStepFromEveryState(t *testing.T) {
	table := legal()
	for _, from := range recovery.States() {
		for _, step := range recovery.Steps() {
			before := transaction(from)
			after, err := before.Apply(step, noon.Add(time.Minute))
			want, allowed := table[from][step]
			switch {
			case allowed && (err != nil || after.State != want || !after.ChangedAt.Equal(noon.Add(time.Minute))):
				t.Errorf("%s from %s: got %s, %v, want %s", step, from, after.State, err, want)
			case !allowed && (!errors.Is(err, recovery.ErrIllegalStep) || after.State != from):
				t.Errorf("%s from %s: got %s, %v, want it refused", step, from, after.State, err)
			}
			if before.State != from || before.Presentation == nil {
				t.Errorf("%s from %s changed the transaction it was given", step, from)
			}
		}
	}
}

func TestNothingButExpiryAfterTheEnd(t *testing.T) {
	for from, steps := range legal() {
		for step := range steps {
			_, err := transaction(from).Apply(step, noon.Add(15*time.Minute))
			if (err == nil) != (step == recovery.StepExpire) {
				t.Errorf("%s from %s at the end of life: %v", step, from, err)
			}
		}
	}
}

// Keys, nonces and pending answers live no longer than the request they belong to.
func TestStepsThatEndARequestForgetIt(t *testing.T) {
	for from, steps := range legal() {
		for step := range steps {
			after, err := transaction(from).Apply(step, noon)
			if err != nil {
				t.Fatal(err)
			}
			keeps := step == recovery.StepRetrieve || step == recovery.StepPresent || step == recovery.StepInform ||
				step == recovery.StepIssue || step == recovery.StepRedeem
			if (after.Presentation != nil) != keeps {
				t.Errorf("%s from %s: request kept: %t, want %t", step, from, after.Presentation != nil, keeps)
			}
		}
	}
}

// Whatever steps come in whatever order, a pass is only ever reached through a presentation, and an end is an end.
func TestNoWayAroundThePresentation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := transaction(recovery.StateStarted)
		presented := false
		for _, step := range rapid.SliceOfN(rapid.SampledFrom(recovery.Steps()), 1, 40).Draw(t, "steps") {
			after, err := tx.Apply(step, noon)
			if err != nil {
				continue
			}
			if !tx.State.Open() && tx.State != recovery.StateApproved && tx.State != recovery.StateIssuing {
				t.Fatalf("%s left the final state %s", step, tx.State)
			}
			if tx = after; tx.State == recovery.StatePresented {
				presented = true
			}
			if tx.State == recovery.StateRequested {
				presented = false
			}
			reached := tx.State == recovery.StateApproved || tx.State == recovery.StateIssuing || tx.State == recovery.StateRedeemed
			if reached && !presented {
				t.Fatalf("%s without a presentation", tx.State)
			}
		}
	})
}

func TestStatesKnowWhatTheyAre(t *testing.T) {
	for _, s := range recovery.States() {
		if s.Open() && s.Decided() {
			t.Errorf("%s is both open and decided", s)
		}
	}
	if recovery.State("").Open() || recovery.State("invented").Open() || recovery.State("invented").Decided() {
		t.Error("a state that does not exist is open or decided")
	}
}
