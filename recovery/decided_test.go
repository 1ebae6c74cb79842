package recovery_test

import (
	"errors"
	"testing"

	"regain/recovery"
)

// Nobody sees a decision that no log has: its record is there before it is stored. A node may be killed between the two, and a
// change whose answer was lost may have been made; what is left then is a record, and the same decision to be made again.
func TestADecisionIsRecordedBeforeItCounts(t *testing.T) {
	for account, want := range map[recovery.RequestedAccount]recovery.EventType{
		"ada@example.org": recovery.EventAccountMatched, "tom@example.org": recovery.EventRecoveryEvaluated, "nobody@example.org": recovery.EventRecoveryDenied,
	} {
		t.Run(string(want), func(t *testing.T) {
			b := setUp(t, nil)
			started, _ := b.start(t, account)
			receipt := b.present(t, started, recovery.FlowSameDevice, nil)

			full := errors.New("the volume is full")
			b.failAudit = on(want, full)
			_, err := b.Return(t.Context(), b.stored(started.ID), receipt.ResponseCode)
			if wantErr(t, err, full); b.state(started.ID) != recovery.StatePresented {
				t.Errorf("%s, though it could not be recorded", b.state(started.ID))
			}
			b.failAudit = nil

			killed := errors.New("killed before the store heard of it")
			b.failStore = func(recovery.Transaction) error { return killed }
			_, err = b.Return(t.Context(), b.stored(started.ID), receipt.ResponseCode)
			if wantErr(t, err, killed); b.last().Type != want || b.last().Transaction != started.ID {
				t.Errorf("the last record is %s when the store is asked", b.last().Type)
			}
			b.failStore = nil

			tx, err := b.Return(t.Context(), b.stored(started.ID), receipt.ResponseCode)
			if err != nil || !tx.State.Decided() || b.last().Type != want {
				t.Errorf("decided again: %s, %v, and the last record is %s", tx.State, err, b.last().Type)
			}
		})
	}
}
