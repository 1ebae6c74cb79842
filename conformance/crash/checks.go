package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"regain/adapters/auditlog/segments"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/recovery/chain"
)

// check is what was looked at, and what is wrong.
type check struct {
	name  string
	of    string // how much was looked at
	wrong []string
}

// key returns the key of the nodes' audit logs.
func (c *cluster) key() (chain.Key, error) {
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: c.nodes[0].config}, &cfg); err != nil {
		return chain.Key{}, err
	}
	options, err := keep.AuditOptions(cfg.Audit)
	return options.Key, err
}

// event is a record of an audit log (docs/audit.md).
type event struct {
	Type        string `json:"type"`
	Transaction string `json:"txn"`
}

// audited is what the audit logs of all nodes say.
type audited struct {
	records int
	events  map[string]map[string]int // by transaction and type
}

// read reads the log of a node.
func (a *audited) read(path string, key chain.Key) error {
	files, _, err := segments.All(path, key)
	if err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(files)) {
		text, err := os.ReadFile(files[number][0])
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		const longest = 1 << 20
		lines.Buffer(nil, longest)
		for lines.Scan() {
			var record struct {
				Event *event `json:"event"`
			}
			if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if record.Event == nil { // the first line of a segment
				continue
			}
			a.records++
			if a.events[record.Event.Transaction] == nil {
				a.events[record.Event.Transaction] = map[string]int{}
			}
			a.events[record.Event.Transaction][record.Event.Type]++
		}
		if err := lines.Err(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// checks holds everything against everything.
func (r *run) checks(key chain.Key) []check {
	logs := &audited{events: map[string]map[string]int{}}
	verified := check{name: "the audit logs verify, each and together"}
	var each []segments.Verification
	for _, n := range r.cluster.nodes {
		each = append(each, segments.Verification{Path: n.audit, Key: key})
		if err := logs.read(n.audit, key); err != nil {
			verified.wrong = append(verified.wrong, n.name+": "+err.Error())
		}
	}
	together, err := segments.VerifyAll(each)
	if err = errors.Join(err, together.Err()); err != nil {
		verified.wrong = append(verified.wrong, err.Error())
	}
	for _, f := range together.Findings {
		verified.wrong = append(verified.wrong, fmt.Sprintf("%s: %s", f.Transaction, f.Said))
	}
	verified.of = fmt.Sprintf("%d records of %d transactions in %d logs; %d were interrupted by a kill or a fault", logs.records, len(logs.events), len(each), together.Interrupted)
	return append(r.hold(logs), verified)
}

// hold holds what clients and people saw against what the logs say.
func (r *run) hold(logs *audited) []check {
	return []check{r.oncePassed(logs), r.recorded(logs), r.whole(logs), r.goodPasses(), r.ended(), r.pagesSay(), r.alive()}
}

// oncePassed: no transaction has two passes, as the clients and as the logs have it.
func (r *run) oncePassed(logs *audited) check {
	c := check{name: "no transaction has two passes", of: fmt.Sprintf("%d passes received", sum(r.tally.passes))}
	for txn, n := range r.tally.passes {
		if n > 1 {
			c.wrong = append(c.wrong, fmt.Sprintf("%s: clients received %d", txn, n))
		}
	}
	issuing := 0
	for txn, events := range logs.events {
		issuing += events["pass_issuing"]
		for _, kind := range []string{"pass_issuing", "pass_issued"} {
			if n := events[kind]; n > 1 {
				c.wrong = append(c.wrong, fmt.Sprintf("%s: %d records of %s", txn, n, kind))
			}
		}
	}
	c.of += fmt.Sprintf(", %d in the logs", issuing)
	return c
}

// recorded: a pass that a client has is in a log.
func (r *run) recorded(logs *audited) check {
	c := check{name: "no pass is without its record", of: fmt.Sprintf("%d transactions with a pass", len(r.tally.passes))}
	for txn := range r.tally.passes {
		events := logs.events[txn]
		if events["pass_issuing"] == 0 || events["pass_issued"] == 0 {
			c.wrong = append(c.wrong, fmt.Sprintf("%s: the logs have only %v", txn, events))
		}
		if events["pass_revoked"] > 0 {
			c.wrong = append(c.wrong, txn+": the client has a pass that was revoked")
		}
	}
	return c
}

// durable are the records that every pass of a person here has before it. Those of others may be missing
// where a node was killed in the step, or did not hear what became of its change (docs/audit.md).
func durable() []string { return []string{"recovery_started", "account_matched", "pass_issuing"} }

func others() []string {
	return []string{"presentation_requested", "presentation_retrieved", "presentation_completed"}
}

// whole: of a transaction with a pass each step before it is in a log. It counts the records that failures took.
func (r *run) whole(logs *audited) check {
	c := check{name: "of no transaction with a pass a durable record is missing"}
	passes, lost := 0, 0
	for txn, events := range logs.events {
		if events["pass_issuing"] == 0 {
			continue
		}
		passes++
		for _, step := range durable() {
			if events[step] == 0 {
				c.wrong = append(c.wrong, txn+": no "+step)
			}
		}
		for _, step := range others() {
			if events[step] == 0 {
				lost++
			}
		}
	}
	c.of = fmt.Sprintf("%d transactions; %d records that need not be durable went with a kill or a fault", passes, lost)
	// Each kill, and each fault, ends at most what every worker is doing.
	if most := (sum(r.tally.kills) + sum(r.tally.faults)) * r.o.Workers; lost > most {
		c.wrong = append(c.wrong, fmt.Sprintf("%d records are missing, and what failed can have taken %d at most", lost, most))
	}
	return c
}

func (r *run) goodPasses() check {
	c := check{name: "each pass that a client received is good", of: fmt.Sprintf("%d passes", sum(r.tally.passes))}
	for _, txn := range r.tally.badPasses {
		c.wrong = append(c.wrong, txn+": it is not")
	}
	return c
}

// ended: what did not finish has ended.
func (r *run) ended() check {
	return r.problemsThat("each stuck recovery ends by itself", fmt.Sprintf("%d looked at again after %s", len(r.stuck.left), r.o.Lifetime), true)
}

func (r *run) pagesSay() check {
	return r.problemsThat("each person saw a page that says what to do", fmt.Sprintf("%d pages", r.tally.pages), false)
}

func (r *run) problemsThat(name, of string, stuck bool) check {
	c := check{name: name, of: of}
	for _, what := range byCount(r.tally.problems) {
		if strings.HasPrefix(what, "a stuck recovery") == stuck {
			c.wrong = append(c.wrong, fmt.Sprintf("%d times %s; such as: %s", r.tally.problems[what], what, r.tally.samples[what]))
		}
	}
	return c
}

// alive: no node ended by itself while it served, and none wrote a stack trace.
func (r *run) alive() check {
	c := check{name: "no node ended by itself, or panicked", of: fmt.Sprintf("%d nodes", len(r.cluster.nodes))}
	if r.tally.died > 0 {
		c.wrong = append(c.wrong, fmt.Sprintf("%d times a node that served ended by itself", r.tally.died))
	}
	for _, n := range r.cluster.nodes {
		if err := quiet(n.log); err != nil {
			c.wrong = append(c.wrong, n.name+": "+err.Error())
		}
	}
	return c
}

// quiet reports a stack trace in a log.
func quiet(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const shown = 1000
	for _, trace := range []string{"panic", "goroutine ", "fatal error", "DATA RACE"} {
		if at := bytes.Index(text, []byte(trace)); at >= 0 {
			return errors.New(string(text[at:min(len(text), at+shown)]))
		}
	}
	return nil
}
