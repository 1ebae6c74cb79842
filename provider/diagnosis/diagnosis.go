// Package diagnosis records for the operator what happens between wallets and this server: for each HTTP request
// about a presentation, what was requested and received, the result of each check, and how long it took. It contains
// names of formats, types, claims and rules, and never a claim's value.
//
// A diagnosis is part of the event record of its HTTP request: one line of the log, with the correlation id that the
// wallet or the person was shown. [Find] collects the lines of one recovery from the logs of any number of nodes;
// `regain diagnose` prints them.
package diagnosis

import (
	"slices"
	"time"

	"regain/presentation/dcql"
)

// Attribute is the key of a diagnosis in an event record.
const Attribute = "presentation"

// Diagnosis describes one HTTP request about a presentation. Create it with New; the zero value cannot be written to.
type Diagnosis struct {
	Wallet string                `json:"wallet"` // the wallet profile
	Flow   string                `json:"flow"`
	Asked  []RequestedCredential `json:"asked,omitempty"`
	Came   []string              `json:"came,omitempty"`         // ids of the credential queries that were answered
	Error  string                `json:"wallet_error,omitempty"` // error code that the wallet reported
	Checks []Check               `json:"checks,omitempty"`
	Query  *dcql.Evaluation      `json:"query,omitempty"` // mismatches between answer and query, if there are any

	clock func() time.Time
	since time.Time
}

// RequestedCredential is one credential query.
type RequestedCredential struct {
	ID     string   `json:"id"`
	Format string   `json:"format"`
	Types  []string `json:"types"`
	Claims []string `json:"claims,omitempty"`
}

// Check is the result of one check.
type Check struct {
	Name   string  `json:"check"`
	Pass   bool    `json:"pass"`
	Detail string  `json:"detail,omitempty"`
	Millis float64 `json:"ms,omitempty"`
}

// New starts a diagnosis.
func New(wallet, flow string, clock func() time.Time) *Diagnosis {
	return &Diagnosis{Wallet: wallet, Flow: flow, clock: clock, since: clock()}
}

// Ask records the query.
func (d *Diagnosis) Ask(q dcql.Query) {
	for _, c := range q.Credentials {
		asked := RequestedCredential{ID: c.ID, Format: c.Format, Types: c.Meta.Names()}
		for _, claim := range c.Claims {
			asked.Claims = append(asked.Claims, claim.Path.Pointer())
		}
		d.Asked = append(d.Asked, asked)
	}
}

// Step records the result of a check and the time since the previous one. It returns err.
func (d *Diagnosis) Step(name string, err error) error {
	const perMilli = 1000
	now := d.clock()
	done := Check{Name: name, Pass: err == nil, Millis: float64(now.Sub(d.since).Microseconds()) / perMilli}
	if err != nil {
		done.Detail = err.Error()
	}
	d.since, d.Checks = now, append(d.Checks, done)
	return err
}

// Note records the result of a check without a duration.
func (d *Diagnosis) Note(name string, pass bool, detail string) {
	d.Checks = append(d.Checks, Check{Name: name, Pass: pass, Detail: detail})
}

// Failed reports whether any check failed.
func (d *Diagnosis) Failed() bool {
	return slices.ContainsFunc(d.Checks, func(c Check) bool { return !c.Pass })
}
