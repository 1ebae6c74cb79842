package recovery

import (
	"errors"
	"fmt"
	"time"
)

// State is the state of a transaction.
type State string

// The states of a transaction. Approved, Evaluated and Denied are the three outcomes of a decision.
const (
	StateStarted   State = "started"
	StateInformed  State = "informed"
	StateProofing  State = "proofing"
	StateRequested State = "requested"
	StateRetrieved State = "retrieved"
	StatePresented State = "presented"
	StateApproved  State = "approved"
	StateEvaluated State = "evaluated"
	StateDenied    State = "denied"
	StateIssuing   State = "issuing"
	StateRedeemed  State = "redeemed"
	StateExpired   State = "expired"
	StateCancelled State = "cancelled"
)

// States lists every state in the order of the journey.
func States() []State {
	return []State{
		StateStarted, StateInformed, StateProofing, StateRequested, StateRetrieved, StatePresented,
		StateApproved, StateEvaluated, StateDenied, StateIssuing, StateRedeemed, StateExpired, StateCancelled,
	}
}

// Step is an event that changes a transaction's state.
type Step string

// The steps. A StepRequest replaces any earlier request.
const (
	StepInform   Step = "inform"   // the person has read the information page
	StepProof    Step = "proof"    // the person leaves for the proofing provider
	StepRequest  Step = "request"  // a presentation request becomes available to the wallet
	StepRetrieve Step = "retrieve" // the wallet fetched the request
	StepPresent  Step = "present"  // the wallet answered with a genuine presentation
	StepApprove  Step = "approve"
	StepEvaluate Step = "evaluate"
	StepDeny     Step = "deny"
	StepIssue    Step = "issue"  // the client redeems its code: a pass is about to be issued
	StepRedeem   Step = "redeem" // the pass was issued and recorded
	StepExpire   Step = "expire"
	StepCancel   Step = "cancel"
)

// Steps lists every step.
func Steps() []Step {
	return []Step{
		StepInform, StepProof, StepRequest, StepRetrieve, StepPresent, StepApprove,
		StepEvaluate, StepDeny, StepIssue, StepRedeem, StepExpire, StepCancel,
	}
}

// ErrIllegalStep means that the transition table does not list the step for the state.
var ErrIllegalStep = errors.New("illegal step")

// next is the transition table: the state after step, or "" if the state does not allow the step.
func next(from State, step Step) State {
	switch step {
	case StepExpire, StepCancel:
		return endState(from, step)
	case StepDeny:
		// From started: too many attempts. From presented: the decision.
		if from == StateStarted || from == StatePresented {
			return StateDenied
		}
		return ""
	}
	switch from {
	case StateStarted:
		return when(step, StepInform, StateInformed)
	case StateInformed:
		return either(when(step, StepProof, StateProofing), when(step, StepRequest, StateRequested))
	case StateProofing:
		// StepProof: the person goes to the proofing provider a second time. StepInform: the person came back.
		return either(when(step, StepProof, StateProofing), when(step, StepInform, StateInformed), when(step, StepRequest, StateRequested))
	case StateRequested:
		return either(when(step, StepRequest, StateRequested), when(step, StepRetrieve, StateRetrieved), when(step, StepProof, StateProofing))
	case StateRetrieved:
		// A wallet may fetch the request again (OpenID4VP 1.0 does not forbid it), and the person may switch to
		// another flow.
		return either(when(step, StepRequest, StateRequested), when(step, StepRetrieve, StateRetrieved),
			when(step, StepPresent, StatePresented), when(step, StepProof, StateProofing))
	case StatePresented:
		// StepRequest: the answer was not this person's, so the browser starts another attempt.
		return either(when(step, StepRequest, StateRequested), when(step, StepApprove, StateApproved), when(step, StepEvaluate, StateEvaluated))
	case StateApproved:
		return when(step, StepIssue, StateIssuing)
	case StateIssuing:
		return when(step, StepRedeem, StateRedeemed)
	}
	return ""
}

// endState handles StepExpire and StepCancel, which every open state allows. An approved transaction that is not
// redeemed expires too.
func endState(from State, step Step) State {
	if !from.Open() && (from != StateApproved || step != StepExpire) {
		return ""
	}
	if step == StepExpire {
		return StateExpired
	}
	return StateCancelled
}

// repeats reports whether the transition table lets a person take the step repeatedly.
func (s Step) repeats() bool { return s == StepRequest || s == StepProof || s == StepInform }

func when(step, wanted Step, to State) State {
	if step == wanted {
		return to
	}
	return ""
}

func either(states ...State) State {
	for _, s := range states {
		if s != "" {
			return s
		}
	}
	return ""
}

// Open reports whether the person can still act: the transaction is not decided, expired or cancelled.
func (s State) Open() bool {
	switch s {
	case StateStarted, StateInformed, StateProofing, StateRequested, StateRetrieved, StatePresented:
		return true
	}
	return false
}

// expires reports whether the end of its lifetime changes the transaction.
func (t Transaction) expires() bool { return next(t.State, StepExpire) != "" }

// Decided reports whether the decision is effective.
func (s State) Decided() bool {
	switch s {
	case StateApproved, StateEvaluated, StateDenied, StateIssuing, StateRedeemed:
		return true
	}
	return false
}

// Apply returns the transaction after step. It is pure: t is not changed. A step that the transition table does not
// list, and any step but StepExpire after the transaction's lifetime, is ErrIllegalStep.
func (t Transaction) Apply(step Step, now time.Time) (Transaction, error) {
	to := next(t.State, step)
	if to == "" {
		return t, fmt.Errorf("%s from %s: %w", step, t.State, ErrIllegalStep)
	}
	if step != StepExpire && t.Late(now) {
		return t, fmt.Errorf("%s after the transaction expired: %w", step, ErrIllegalStep)
	}
	t.State, t.ChangedAt = to, now
	switch step {
	case StepRequest, StepProof, StepExpire, StepCancel, StepDeny, StepApprove, StepEvaluate:
		// Keys, nonces and a pending answer are kept only while the attempt lasts.
		t.Presentation = nil
	}
	return t, nil
}
