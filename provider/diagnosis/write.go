package diagnosis

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"regain/recovery"
)

// Write prints the records for people.
func Write(out io.Writer, records []Record) error {
	w := bufio.NewWriter(out)
	for i, r := range records {
		if i == 0 && r.Transaction.ID != "" {
			fmt.Fprintf(w, "recovery %s\n", r.Transaction.ID)
		}
		if r.Event != nil {
			writeEvent(w, r)
			continue
		}
		fmt.Fprintf(w, "\n%s  %s %s → %d in %s", r.Time.UTC().Format("15:04:05.000"), r.Method, r.Route, r.Status, r.Took.Round(10*time.Microsecond))
		if r.Transaction.State != "" {
			fmt.Fprintf(w, ", %s", r.Transaction.State)
		}
		fmt.Fprintf(w, "  (%s)%s\n", r.Correlation, of(r))
		if r.Presentation != nil {
			r.Presentation.write(w)
		}
		if r.Cause != "" && (r.Presentation == nil || !r.Presentation.Failed()) {
			fmt.Fprintf(w, "    cause: %s\n", r.Cause)
		}
	}
	writeLacks(w, records)
	return w.Flush()
}

// of names the log of a record, where there are several.
func of(r Record) string {
	if r.Log == "" {
		return ""
	}
	return "  " + r.Log
}

// writeEvent prints a record of an audit log, without what it says of the account.
func writeEvent(w io.Writer, r Record) {
	fmt.Fprintf(w, "\n%s  recorded %s", r.Time.UTC().Format("15:04:05.000"), r.Event.Type)
	if r.Event.Reason != "" {
		fmt.Fprintf(w, ": %s", r.Event.Reason)
	}
	fmt.Fprintf(w, "  (record %d)%s\n", r.Seq, of(r))
	for _, result := range r.Event.Results {
		Check{Name: result.Rule, Pass: result.Pass, Detail: result.Detail}.write(w)
	}
}

// writeLacks says what the audit logs that were read do not have of the recovery.
func writeLacks(w io.Writer, records []Record) {
	var trail recovery.Trail
	for _, r := range records {
		if r.Event != nil {
			trail.Note(r.Event.Type, r.Event.Reason, recovery.Recorded{Seq: r.Seq})
		}
	}
	for _, fault := range trail.Faults() {
		fmt.Fprintf(w, "\nof the audit logs that were read: %s\n", fault.Said)
	}
}

func (d *Diagnosis) write(w io.Writer) {
	fmt.Fprintf(w, "    wallet profile %s, %s\n", d.Wallet, strings.ReplaceAll(d.Flow, "_", " "))
	for _, a := range d.Asked {
		fmt.Fprintf(w, "    asked  %s: %s %s", a.ID, a.Format, strings.Join(a.Types, " or "))
		if len(a.Claims) > 0 {
			fmt.Fprintf(w, " with %s", strings.Join(a.Claims, ", "))
		}
		fmt.Fprintln(w)
	}
	if len(d.Came) > 0 {
		fmt.Fprintf(w, "    came   %s\n", strings.Join(d.Came, ", "))
	}
	if d.Error != "" {
		fmt.Fprintf(w, "    came   the wallet's own error: %s\n", d.Error)
	}
	for _, c := range d.Checks {
		c.write(w)
	}
	if d.Query == nil {
		return
	}
	for _, credential := range d.Query.Credentials {
		for _, p := range credential.Presentations {
			for _, m := range p.Mismatches {
				fmt.Fprintf(w, "           %s: %s\n", credential.ID, m)
			}
		}
	}
}

func (c Check) write(w io.Writer) {
	verdict := "ok    "
	if !c.Pass {
		verdict = "FAILED"
	}
	fmt.Fprintf(w, "    %s %s", verdict, c.Name)
	if c.Millis > 0 {
		fmt.Fprintf(w, " (%.2f ms)", c.Millis)
	}
	if c.Detail != "" {
		fmt.Fprintf(w, ": %s", strings.ReplaceAll(c.Detail, "\n", "; "))
	}
	fmt.Fprintln(w)
}
