package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"regain/conformance/people"
)

// record is an event of the audit log (docs/audit.md).
type record struct {
	Time        time.Time `json:"time"`
	Type        string    `json:"type"`
	Transaction string    `json:"txn"`
	Requested   string    `json:"requested_account"`
	Account     string    `json:"account"`
	AccountName string    `json:"account_name"`
	Reason      string    `json:"reason"`
}

// lastRecord returns the last event of a type for the account as the walker's relying party named it, or the zero record
// where there is none, from the logs of all nodes. On the way it holds each event against the directory: a log that names an
// account by anything but its id tells nothing about an account that has been renamed since.
func (k *walker) lastRecord(kind string) (last record, err error) {
	for _, path := range k.env.AuditLogs() {
		events, err := readLog(path)
		if err != nil {
			return record{}, err
		}
		for _, event := range events {
			if event.Type == kind && event.Requested == k.account && !event.Time.Before(last.Time) {
				last = event
			}
		}
	}
	return last, nil
}

// readLog returns the events of one log. Each names an account as the directory does.
func readLog(path string) (events []record, err error) {
	log, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	names := map[string]string{"": ""} // by id; nobody's has neither
	for _, p := range people.Samples() {
		names[p.AccountID] = p.Account
	}
	for line := range bytes.Lines(log) {
		var entry struct {
			Event record `json:"event"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, err
		}
		event := entry.Event
		if name, known := names[event.Account]; !known || event.AccountName != name {
			return nil, fmt.Errorf("the audit log has a %s of account %q with the name %q, which is not what the directory has", event.Type, event.Account, event.AccountName)
		}
		events = append(events, event)
	}
	return events, nil
}
