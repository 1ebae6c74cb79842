package recovery

import "time"

// EventType is the kind of an audit event.
type EventType string

// The kinds of events. They follow the Microsoft Learn page "Audit log events for Microsoft Entra ID self-service
// account recovery (SSAR)", and add the ones that page has no name for.
const (
	EventRecoveryStarted       EventType = "recovery_started"
	EventProofingStarted       EventType = "proofing_started"
	EventProofingCompleted     EventType = "proofing_completed"
	EventProofingFailed        EventType = "proofing_failed"
	EventPresentationRequested EventType = "presentation_requested"
	EventPresentationPrepared  EventType = "presentation_prepared" // a link that contains the whole request was generated
	EventPresentationRenewed   EventType = "presentation_renewed"  // an expired request was opened again and built anew
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
	EventPassIssuing           EventType = "pass_issuing" // durable before the pass is issued
	EventPassIssued            EventType = "pass_issued"
	EventPassFailed            EventType = "pass_failed"
	EventPassRevoked           EventType = "pass_revoked" // it was issued and could not be handed out
	EventTransitionRefused     EventType = "transition_refused"
	EventBrowserMismatch       EventType = "browser_mismatch"
	EventConfirmationFailed    EventType = "confirmation_failed"
	// EventStoreRolledBack is of no transaction: an older copy of the store was put back, and all that was begun is void.
	EventStoreRolledBack EventType = "store_rolled_back"
)

// EventTypes lists every kind of event, in the order of a recovery.
func EventTypes() []EventType {
	return []EventType{
		EventRecoveryStarted, EventProofingStarted, EventProofingCompleted, EventProofingFailed,
		EventPresentationRequested, EventPresentationPrepared, EventPresentationRenewed, EventPresentationRetrieved,
		EventPresentationCompleted, EventPresentationRefused, EventPresentationRejected, EventPresentationClosed,
		EventAccountMatched, EventRecoveryEvaluated, EventRecoveryDenied, EventRecoveryExpired, EventRecoveryCancelled,
		EventPassIssuing, EventPassIssued, EventPassFailed, EventPassRevoked,
		EventTransitionRefused, EventBrowserMismatch, EventConfirmationFailed, EventStoreRolledBack,
	}
}

// Succeeds reports whether the event records a success rather than a failure.
func (e EventType) Succeeds() bool {
	switch e {
	case EventProofingFailed, EventPresentationRefused, EventPresentationRejected, EventPresentationClosed, EventRecoveryDenied, EventRecoveryExpired, EventRecoveryCancelled,
		EventPassFailed, EventPassRevoked, EventTransitionRefused, EventBrowserMismatch, EventConfirmationFailed, EventStoreRolledBack:
		return false
	}
	return true
}

// Critical reports whether the record must be durable before the service continues. EventPassIssuing (which account,
// which transaction) is on disk before the pass is issued: no record, no pass. EventPassIssued follows it; if that
// one cannot be written, the pass is revoked. EventPassRevoked is durable as well: an administrator who reads
// pass_issued must be able to rely on what follows it. A decision is durable before anybody hears of it, so that a log that
// ends before one can be told from a log of which the end was removed.
func (e EventType) Critical() bool {
	switch e {
	case EventPassIssuing, EventPassRevoked, EventAccountMatched, EventRecoveryEvaluated, EventRecoveryDenied, EventStoreRolledBack:
		return true
	}
	return false
}

// Event is one audit record. It names the account in three ways, since an administrator must see every attempt on it:
// Requested is what the main IdP sent, Account the directory's id of it, AccountName the directory's name of it when the
// recovery began. The last two are empty if there is no such account. An event never contains a credential's claims or a
// pass.
type Event struct {
	Time        time.Time        `json:"time"`
	Type        EventType        `json:"type"`
	Success     bool             `json:"success"`
	Transaction TransactionID    `json:"txn"`
	Client      ClientID         `json:"client"`
	Requested   RequestedAccount `json:"requested_account"`
	Account     AccountID        `json:"account,omitempty"`
	AccountName AccountName      `json:"account_name,omitempty"`
	Profile     ProfileName      `json:"profile,omitempty"`
	Reason      Reason           `json:"reason,omitempty"`
	Results     []RuleResult     `json:"results,omitempty"`
}
