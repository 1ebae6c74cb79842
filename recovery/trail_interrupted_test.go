package recovery_test

import (
	"slices"
	"testing"

	"regain/recovery"
)

// What a node leaves that is killed in a step is told from what it does not leave: the log of a node that is missing, or a store
// that somebody changed.
func TestWhatAKilledNodeLeaves(t *testing.T) {
	approved := []recovery.EventType{
		recovery.EventRecoveryStarted, recovery.EventPresentationRequested, recovery.EventPresentationRetrieved, recovery.EventPresentationCompleted,
		recovery.EventAccountMatched, recovery.EventPassIssuing, recovery.EventPassIssued,
	}
	for name, row := range map[string]struct {
		without     recovery.EventType
		more        []recovery.EventType
		interrupted bool
	}{
		"no request":                   {recovery.EventPresentationRequested, nil, true},
		"no retrieval":                 {recovery.EventPresentationRetrieved, nil, true},
		"no answer":                    {recovery.EventPresentationCompleted, nil, true},
		"no start":                     {recovery.EventRecoveryStarted, nil, false},
		"no decision":                  {recovery.EventAccountMatched, nil, false},
		"no order":                     {recovery.EventPassIssuing, nil, false},
		"two orders":                   {"", []recovery.EventType{recovery.EventPassIssuing}, false},
		"two passes":                   {"", []recovery.EventType{recovery.EventPassIssued}, false},
		"two decisions":                {"", []recovery.EventType{recovery.EventRecoveryDenied}, false},
		"a pass, and it was cancelled": {"", []recovery.EventType{recovery.EventRecoveryCancelled}, false},
		"a pass, and it expired":       {"", []recovery.EventType{recovery.EventRecoveryExpired}, false},
	} {
		var events []recovery.Event
		for _, kind := range append(slices.Clone(approved), row.more...) {
			if kind != row.without {
				events = append(events, recovery.Event{Type: kind})
			}
		}
		faults := trailOf(events).Faults()
		all := !slices.ContainsFunc(faults, func(f recovery.Fault) bool { return !f.Interrupted })
		if len(faults) == 0 || all != row.interrupted {
			t.Errorf("%s: %+v", name, faults)
		}
	}
}
