package crash

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// tally counts what happens in a run.
type tally struct {
	mu sync.Mutex

	ended, finished int            // journeys
	gaveUp          map[string]int // journeys, by cause
	anew            map[string]int // recoveries that a person began anew after, by cause
	recoveries      int            // that were begun

	kills      map[string]int // by node
	supervised int            // starts of a node that ended before it served
	died       int            // nodes that ended by themselves while they served
	faults     map[FaultKind]int

	pages    int            // that a node rendered and a person saw
	errors   int            // of them those that say that something went wrong (5xx)
	gateway  int            // 502 and 504 of the balancer
	broken   int            // requests without a whole answer
	problems map[string]int // what is wrong with a page, or with an answer to a client
	samples  map[string]string

	passes    map[string]int // received, by transaction
	badPasses []string       // transactions whose pass was not good

	worstNode, worstDatabase time.Duration // until it served again
}

func newTally() *tally {
	return &tally{
		gaveUp: map[string]int{}, anew: map[string]int{}, kills: map[string]int{}, faults: map[FaultKind]int{},
		problems: map[string]int{}, samples: map[string]string{}, passes: map[string]int{},
	}
}

// add adds one to a counter of the tally.
func (t *tally) add(counter *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*counter++
}

func (t *tally) killed(node string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kills[node]++
}

// deaths is how often a node went away until now.
func (t *tally) deaths() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return sum(t.kills) + t.died
}

func (t *tally) fault(kind FaultKind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[kind]++
}

// recovered notes how long something was away.
func (t *tally) recovered(worst *time.Duration, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*worst = max(*worst, took)
}

// begunAnew notes why a person began anew.
func (t *tally) begunAnew(cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.anew[cause]++
}

// end notes the end of a journey; cause is "" where it finished.
func (t *tally) end(cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended++
	if cause == "" {
		t.finished++
		return
	}
	t.gaveUp[cause]++
}

// problem notes what must not be, with one sample of each.
func (t *tally) problem(what, sample string) {
	const most = 2000
	t.mu.Lock()
	defer t.mu.Unlock()
	t.problems[what]++
	if t.samples[what] == "" {
		t.samples[what] = sample[:min(len(sample), most)]
	}
}

// pass notes a pass that a client received.
func (t *tally) pass(transaction string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passes[transaction]++
}

// bad notes a pass that was received and is not good.
func (t *tally) bad(transaction string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.badPasses = append(t.badPasses, transaction)
}

func sum[K comparable](of map[K]int) (n int) {
	for _, more := range of {
		n += more
	}
	return n
}

// byCount returns the keys, the most frequent first.
func byCount(of map[string]int) []string {
	return slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
}
