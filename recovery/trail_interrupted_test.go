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
	denied := append(slices.Clone(approved[:4]), recovery.EventRecoveryDenied)
	for name, row := range map[string]struct {
		events      []recovery.EventType
		without     recovery.EventType
		more        []recovery.EventType
		interrupted bool
	}{
		"no request":                         {approved, recovery.EventPresentationRequested, nil, true},
		"no retrieval":                       {approved, recovery.EventPresentationRetrieved, nil, true},
		"no answer":                          {approved, recovery.EventPresentationCompleted, nil, true},
		"approved twice":                     {approved, "", []recovery.EventType{recovery.EventAccountMatched}, true},
		"denied three times":                 {denied, "", []recovery.EventType{recovery.EventRecoveryDenied, recovery.EventRecoveryDenied}, true},
		"a denial in whose place it expired": {denied, "", []recovery.EventType{recovery.EventRecoveryExpired}, true},
		"an approval, and it was cancelled":  {approved[:5], "", []recovery.EventType{recovery.EventRecoveryCancelled}, true},
		"no start":                           {approved, recovery.EventRecoveryStarted, nil, false},
		"no decision":                        {approved, recovery.EventAccountMatched, nil, false},
		"no order":                           {approved, recovery.EventPassIssuing, nil, false},
		"two orders":                         {approved, "", []recovery.EventType{recovery.EventPassIssuing}, false},
		"two passes":                         {approved, "", []recovery.EventType{recovery.EventPassIssued}, false},
		"two decisions":                      {approved, "", []recovery.EventType{recovery.EventRecoveryDenied}, false},
		"a pass, and it was cancelled":       {approved, "", []recovery.EventType{recovery.EventRecoveryCancelled}, false},
		"a pass, and it expired":             {approved, "", []recovery.EventType{recovery.EventRecoveryExpired}, false},
		"denied, and it ended twice":         {denied, "", []recovery.EventType{recovery.EventRecoveryCancelled, recovery.EventRecoveryExpired}, false},
	} {
		var events []recovery.Event
		for _, kind := range append(slices.Clone(row.events), row.more...) {
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
