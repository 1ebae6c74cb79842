package crash

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// kill is a SIGKILL to come.
type kill struct {
	node int
	at   float64       // share of the journeys that have ended by then
	down time.Duration // until the node is started again
}

// FaultKind is what befalls the connection to the database.
type FaultKind string

// The kinds of faults.
const (
	// FaultCut closes every connection and takes no new one.
	FaultCut FaultKind = "cut"
	// FaultReset resets every connection, several times in a row (a TCP reset: what was on its way is lost).
	FaultReset FaultKind = "reset"
	// FaultSlow delays everything that passes.
	FaultSlow FaultKind = "slow"
	// FaultSliced passes everything in small pieces, with a pause between them.
	FaultSliced FaultKind = "sliced"
	// FaultTorn ends each connection after some octets of its answers: the database did what it was told, and nobody hears.
	FaultTorn FaultKind = "torn"
	// FaultRestart restarts the database's process, or, where it would lose everything by that, stops it for a while and
	// cuts the connections when it goes on.
	FaultRestart FaultKind = "restart"
)

// FaultKinds lists every kind.
func FaultKinds() []FaultKind {
	return []FaultKind{FaultCut, FaultReset, FaultSlow, FaultSliced, FaultTorn, FaultRestart}
}

// fault is a fault to come.
type fault struct {
	kind   FaultKind
	at     float64 // as of kill
	lasts  time.Duration
	amount int64 // milliseconds of delay, octets: as the kind has it
}

const (
	// callTimeout is how long a node takes for a call of the database, with what it repeats: shorter than the default, so that
	// many a fault outlasts it, and calls end without an answer.
	callTimeout = 1500 * time.Millisecond
	longest     = 2500 * time.Millisecond // that a fault lasts
)

// schedule is what the seed decides.
type schedule struct {
	kills  [][]kill // of each node, in order
	faults []fault  // in order
}

// newSchedule returns the same faults for the same options.
func newSchedule(o Options) schedule {
	source := rand.New(rand.NewPCG(o.Seed, uint64(len(o.Store)))) //nolint:gosec // repeatable, and no secret
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(source.Int64N(int64(most-least+1)))
	}
	s := schedule{kills: make([][]kill, o.nodes())}
	for range o.Kills {
		k := kill{node: source.IntN(o.nodes()), at: source.Float64(), down: between(10*time.Millisecond, 600*time.Millisecond)}
		s.kills[k.node] = append(s.kills[k.node], k)
	}
	for _, of := range s.kills {
		slices.SortFunc(of, func(a, b kill) int { return cmp.Compare(a.at, b.at) })
	}
	for range o.Faults {
		f := fault{kind: FaultKinds()[source.IntN(len(FaultKinds()))], at: source.Float64(), lasts: between(100*time.Millisecond, longest)}
		switch f.kind {
		case FaultSlow:
			f.amount = 5 + source.Int64N(100)
		case FaultSliced:
			f.amount = 20 + source.Int64N(400)
		case FaultTorn:
			f.amount = source.Int64N(4000)
		}
		s.faults = append(s.faults, f)
	}
	slices.SortFunc(s.faults, func(a, b fault) int { return cmp.Compare(a.at, b.at) })
	return s
}
