package recovery

import "time"

// EventType names what happened.
type EventType string

// The catalogue of events, after Entra ID's audit events for account recovery.
const (
	EventRecoveryStarted       EventType = "recovery_started"
	EventProofingStarted       EventType = "proofing_started"
	EventProofingCompleted     EventType = "proofing_completed"
	EventProofingFailed        EventType = "proofing_failed"
	EventPresentationRequested EventType = "presentation_requested"
	EventPresentationPrepared  EventType = "presentation_prepared" // a link with the whole request in it was made
	EventPresentationRenewed   EventType = "presentation_renewed"  // the request had expired, and somebody came back to it
	EventPresentationRetrieved EventType = "presentation_retrieved"
	EventPresentationCompleted EventType = "presentation_completed"
	EventPresentationRefused   EventType = "presentation_refused"  // the wallet reported an error
	EventPresentationRejected  EventType = "presentation_rejected" // the response was not a valid answer to its request
	EventPresentationClosed    EventType = "presentation_closed"   // too many invalid responses; channel closed
	EventAccountMatched        EventType = "account_matched"
	EventRecoveryEvaluated     EventType = "recovery_evaluated"
	EventRecoveryDenied        EventType = "recovery_denied"
	EventRecoveryExpired       EventType = "recovery_expired"
	EventRecoveryCancelled     EventType = "recovery_cancelled"
	EventPassIssuing           EventType = "pass_issuing" // durable before the pass is made
	EventPassIssued            EventType = "pass_issued"
	EventPassFailed            EventType = "pass_failed"
	EventTransitionRefused     EventType = "transition_refused"
	EventBrowserMismatch       EventType = "browser_mismatch"
	EventConfirmationFailed    EventType = "confirmation_failed"
)

// Succeeds reports whether the event is good news.
func (e EventType) Succeeds() bool {
	switch e {
	case EventProofingFailed, EventPresentationRefused, EventPresentationRejected, EventPresentationClosed, EventRecoveryDenied, EventRecoveryExpired, EventRecoveryCancelled,
		EventPassFailed, EventTransitionRefused, EventBrowserMismatch, EventConfirmationFailed:
		return false
	}
	return true
}

// Critical reports whether the record must be durable before anything else happens: no record, no pass. The record that
// a pass is about to be made, for whom and by which transaction, is on disk before it is made; that it was made follows,
// and revokes the pass if it cannot be written.
func (e EventType) Critical() bool { return e == EventPassIssuing }

// Event is one audit record. The account is named, since an administrator must see every attempt on it; nothing of a
// credential and no pass is in it.
type Event struct {
	Time        time.Time     `json:"time"`
	Type        EventType     `json:"type"`
	Success     bool          `json:"success"`
	Transaction TransactionID `json:"txn"`
	Client      ClientID      `json:"client"`
	Account     AccountName   `json:"account"`
	Profile     ProfileName   `json:"profile,omitempty"`
	Reason      Reason        `json:"reason,omitempty"`
	Results     []RuleResult  `json:"results,omitempty"`
}
