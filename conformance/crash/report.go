package crash

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// NotModelled is what a run on the test server cannot show.
const NotModelled = "The database is the test server, in memory: a restart would lose everything, so in place of it the process is stopped (SIGSTOP), goes on (SIGCONT), and every connection is cut. " +
	"It has no journal, replica set or failover: for those, give --mongo-uri and --mongo-restart."

func (o Options) headline() string {
	text := fmt.Sprintf("crash: --store %s --journeys %d --kills %d --faults %d --workers %d --lifetime %s --seed %d, at most %s: %d node(s)",
		o.Store, o.Journeys, o.Kills, o.Faults, o.Workers, o.Lifetime, o.Seed, o.Duration, o.nodes())
	switch {
	case o.Store == storeMongo && o.MongoURI == "":
		text += "\n" + NotModelled
	case o.Store == storeMongo && o.MongoRestart == "":
		text += "\nWithout --mongo-restart the database is not restarted: its connections are cut in place of that."
	case o.Store == storeMemory:
		text += "\nThe store is in the node's memory: what is open is lost with each kill, and each person must read what to do."
	}
	return text
}

// tell prints a line now and then.
func (r *run) tell(ctx context.Context) {
	const every = 5 * time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
			t := r.tally
			t.mu.Lock()
			fmt.Fprintf(r.out, "%7s  %d of %d journeys, %d finished; %d of %d kills, %d of %d faults; %d pages, %d problems\n",
				time.Since(r.began).Round(time.Second), t.ended, r.o.Journeys, t.finished, sum(t.kills), r.o.Kills, sum(t.faults), r.o.Faults, t.pages, sum(t.problems))
			t.mu.Unlock()
		}
	}
}

// report prints the summary, and says whether a check failed.
func (r *run) report(checks []check) error {
	t := r.tally
	row := func(name string, value any, more string) {
		fmt.Fprintf(r.out, "  %-44s %8v  %s\n", name, value, more)
	}
	fmt.Fprintf(r.out, "\nsummary: store %s, %d node(s), seed %d, %s\n", r.o.Store, r.o.nodes(), r.o.Seed, time.Since(r.began).Round(time.Second))
	if r.cut {
		fmt.Fprintf(r.out, "  ended by --duration %s before everything had come\n", r.o.Duration)
	}
	row("journeys", t.ended, fmt.Sprintf("of %d", r.o.Journeys))
	row("  finished: signed in with the pass", t.finished, "")
	row("  given up", sum(t.gaveUp), "")
	for _, cause := range byCount(t.gaveUp) {
		row("    after", t.gaveUp[cause], cause)
	}
	row("recoveries begun", t.recoveries, "")
	for _, cause := range byCount(t.anew) {
		row("    left for a new one after", t.anew[cause], cause)
	}
	row("passes that clients received", sum(t.passes), "")
	row("pages that nodes rendered", t.pages, fmt.Sprintf("%d of them say that something went wrong (5xx)", t.errors))
	row("502 or 504 of the balancer", t.gateway, "")
	row("requests without an answer", t.broken, "")
	row("kills (SIGKILL)", sum(t.kills), byNode(t.kills))
	row("starts that ended before the node served", t.supervised, "")
	row("faults of the database", sum(t.faults), r.byKind())
	row("worst time to recover: a node", t.worstNode.Round(time.Millisecond), "from its kill until it served")
	if r.cluster.database != nil {
		row("worst time to recover: the database", t.worstDatabase.Round(time.Millisecond), "from the end of a fault until a node was healthy")
	}
	return r.verdict(checks)
}

// verdict prints what each check found.
func (r *run) verdict(checks []check) error {
	fmt.Fprintln(r.out, "checks:")
	failed := 0
	for _, c := range checks {
		verdict := "ok"
		if len(c.wrong) > 0 {
			verdict = "FAIL"
			failed++
		}
		fmt.Fprintf(r.out, "  %-5s %s (%s)\n", verdict, c.name, c.of)
		const most = 10
		for i, wrong := range c.wrong {
			if i == most {
				fmt.Fprintf(r.out, "        and %d more\n", len(c.wrong)-most)
				break
			}
			fmt.Fprintln(r.out, "        "+wrong)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", ErrChecks, failed, len(checks))
	}
	return nil
}

func byNode(kills map[string]int) string {
	var parts []string
	for _, name := range byCount(kills) {
		parts = append(parts, fmt.Sprintf("%s %d", name, kills[name]))
	}
	return strings.Join(parts, ", ")
}

func (r *run) byKind() string {
	var parts []string
	for _, kind := range FaultKinds() {
		if n := r.tally.faults[kind]; n > 0 {
			name := string(kind)
			if kind == FaultRestart && !r.restarts() {
				name = "stopped and cut"
			}
			parts = append(parts, fmt.Sprintf("%s %d", name, n))
		}
	}
	return strings.Join(parts, ", ")
}

// restarts reports whether the database is really restarted.
func (r *run) restarts() bool { return r.o.MongoRestart != "" }
