// Package diagnosis is the operator's eye on what happens between wallets and us: for each contact what was asked, what
// came, which check said what, and how long it took. It holds names of formats, types, claims and rules, and never a value
// of a person's.
//
// A diagnosis goes into the event record of its request, under the correlation id that the wallet or the person was told:
// one line of the log, wherever the operator keeps logs. [Find] puts the lines of one recovery together, from any number of
// nodes; `regain diagnose` prints them.
package diagnosis

import (
	"slices"
	"time"

	"regain/presentation/dcql"
)

// Attribute is the key under which a diagnosis stands in an event record.
const Attribute = "presentation"

// Diagnosis is of one contact. Only New makes one that can be written to.
type Diagnosis struct {
	Wallet string                `json:"wallet"` // the wallet profile
	Flow   string                `json:"flow"`
	Asked  []RequestedCredential `json:"asked,omitempty"`
	Came   []string              `json:"came,omitempty"`         // ids of the credential queries that were answered
	Error  string                `json:"wallet_error,omitempty"` // the wallet's own
	Checks []Check               `json:"checks,omitempty"`
	Query  *dcql.Evaluation      `json:"query,omitempty"` // how what came compares with what was asked, where it does not match

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

// Check is what one step said.
type Check struct {
	Name   string  `json:"check"`
	Pass   bool    `json:"pass"`
	Detail string  `json:"detail,omitempty"`
	Millis float64 `json:"ms,omitempty"`
}

// New begins a diagnosis.
func New(wallet, flow string, clock func() time.Time) *Diagnosis {
	return &Diagnosis{Wallet: wallet, Flow: flow, clock: clock, since: clock()}
}

// Ask notes the query.
func (d *Diagnosis) Ask(q dcql.Query) {
	for _, c := range q.Credentials {
		asked := RequestedCredential{ID: c.ID, Format: c.Format, Types: c.Meta.Names()}
		for _, claim := range c.Claims {
			asked.Claims = append(asked.Claims, claim.Path.Pointer())
		}
		d.Asked = append(d.Asked, asked)
	}
}

// Step notes what a check said, and how long it took since the one before. It returns err.
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

// Note adds what a check said that took no time of its own.
func (d *Diagnosis) Note(name string, pass bool, detail string) {
	d.Checks = append(d.Checks, Check{Name: name, Pass: pass, Detail: detail})
}

// Failed reports whether some check did not pass.
func (d *Diagnosis) Failed() bool {
	return slices.ContainsFunc(d.Checks, func(c Check) bool { return !c.Pass })
}
