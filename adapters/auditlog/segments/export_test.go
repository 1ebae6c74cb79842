package segments

import (
	"encoding/json"
	"fmt"
	"testing"

	"regain/recovery"
	"regain/recovery/chain"
)

// EventOf is what the whole reads of an event, and what its decoding says.
func EventOf(t *testing.T, e recovery.Event, key chain.Key) (cut, decoded string) {
	t.Helper()
	link, err := key.Next(chain.Head{}, e)
	if err != nil {
		return "", "" // such as a year of five digits
	}
	var want recovery.Event
	if err := json.Unmarshal(link.Event, &want); err != nil {
		t.Fatal(err)
	}
	got := eventOf(link, 0)
	if got.kind != recovery.EventRecoveryDenied {
		want.Reason = ""
		got.reason = ""
	}
	return fmt.Sprintf("%d %s %s %s", got.time, got.kind, got.transaction, got.reason), fmt.Sprintf("%d %s %s %s", want.Time.UnixNano(), want.Type, want.Transaction, want.Reason)
}
