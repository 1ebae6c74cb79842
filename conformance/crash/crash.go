package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"regain/conformance/load"
	"regain/conformance/testenv"
)

// ErrChecks means that a check failed.
var ErrChecks = errors.New("crash: a check failed")

// Run runs people, kills and faults, checks what is left, and prints the summary. It returns ErrChecks if a check failed.
func Run(ctx context.Context, o Options, out io.Writer) error {
	o = o.complete()
	if err := o.validate(); err != nil {
		return err
	}
	// The tail of a run waits for what is stuck to expire, and looks at each of it.
	const tail = 10 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, o.Duration+o.Lifetime+tail)
	defer cancel()
	place, err := o.directory()
	if err != nil {
		return err
	}
	r := &run{o: o, out: out, tally: newTally(), stuck: &stuck{}, schedule: newSchedule(o), began: time.Now()}
	r.cluster = &cluster{o: o, place: place, tally: r.tally}
	err = r.all(ctx)
	switch {
	case o.Keep == "" && errors.Is(err, context.Canceled): // by who runs it
		return errors.Join(err, os.RemoveAll(place))
	case err != nil:
		return fmt.Errorf("%w (what the nodes wrote is in %s)", err, place)
	case o.Keep == "":
		return os.RemoveAll(place)
	}
	return nil
}

// directory makes a place for the nodes' files.
func (o Options) directory() (string, error) {
	if o.Keep == "" {
		return os.MkdirTemp("", "regain-crash-")
	}
	if err := os.Mkdir(o.Keep, 0o700); err != nil {
		return "", fmt.Errorf("crash: --keep: give a directory that does not exist yet: %w", err)
	}
	return o.Keep, nil
}

// run is one run.
type run struct {
	o        Options
	out      io.Writer
	tally    *tally
	stuck    *stuck
	schedule schedule
	cluster  *cluster
	began    time.Time
	cut      bool // by its duration
}

func (r *run) all(ctx context.Context) (err error) {
	fmt.Fprintln(r.out, r.o.headline())
	if r.o.Store == storeMongo {
		if r.cluster.database, err = openDatabase(r.o, r.cluster.place); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.cluster.database.close()) }()
	}
	kept := r.o.Store
	if r.cluster.database != nil {
		kept = "" // the nodes' own configuration has it
	}
	env, err := testenv.Start(testenv.Options{
		Logger: slog.New(slog.DiscardHandler), Namesakes: r.o.Workers, Store: kept, Elsewhere: r.cluster.start,
	})
	if err != nil {
		return err
	}
	closing := sync.OnceValue(env.Close)
	defer func() { err = errors.Join(err, closing()) }()
	for i, n := range r.cluster.nodes {
		n.kills = r.schedule.kills[i]
	}
	if err := r.drive(ctx, env); err != nil {
		return err
	}
	r.lookAgain(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("crash: the run did not come to its checks: %w", context.Cause(ctx))
	}
	key, err := r.cluster.key()
	if err != nil {
		return err
	}
	if err := closing(); err != nil { // the nodes write no more
		return err
	}
	return r.report(r.checks(key))
}

// drive has people recover while nodes are killed and the database fails.
func (r *run) drive(ctx context.Context, env *testenv.Env) error {
	within, stop := context.WithTimeout(ctx, r.o.Duration)
	defer stop()
	wallet, err := load.NewPresenter(within, env)
	if err != nil {
		return err
	}
	shared := &people{env: env, wallet: wallet, tally: r.tally, stuck: r.stuck, life: r.o.Lifetime, forgets: r.o.Store == storeMemory}
	living, end := context.WithCancel(ctx)
	defer end()
	var failures sync.WaitGroup
	problems := make([]error, len(r.cluster.nodes)+1)
	for i, n := range r.cluster.nodes {
		failures.Go(func() {
			if problems[i] = n.live(living, r.progress); problems[i] != nil {
				stop() // nobody gets any further
			}
		})
	}
	if r.cluster.database != nil {
		failures.Go(func() {
			if problems[len(problems)-1] = r.fail(living); problems[len(problems)-1] != nil {
				stop()
			}
		})
	}
	failures.Go(func() { r.tell(living) })
	var workers sync.WaitGroup
	for i := range r.o.Workers {
		client, err := newClient(env, i)
		if err != nil {
			return err
		}
		defer client.CloseIdleConnections()
		p := &person{people: shared, account: testenv.Namesake(i), client: client, chance: rand.New(rand.NewPCG(r.o.Seed, uint64(i)))} //nolint:gosec // no secret
		workers.Go(func() {
			for r.more(within) {
				if cause := p.journey(ctx); ctx.Err() == nil {
					r.tally.end(cause)
				}
			}
		})
	}
	workers.Wait()
	r.cut = within.Err() != nil
	end()
	failures.Wait()
	return errors.Join(problems...)
}

// more reports whether another person begins: until there were enough, and all kills and faults have come.
func (r *run) more(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	r.tally.mu.Lock()
	defer r.tally.mu.Unlock()
	return r.tally.ended < r.o.Journeys || sum(r.tally.kills) < r.o.Kills || sum(r.tally.faults) < r.o.Faults
}

// progress is the share of the journeys that have ended.
func (r *run) progress() float64 {
	r.tally.mu.Lock()
	defer r.tally.mu.Unlock()
	return float64(r.tally.ended) / float64(r.o.Journeys)
}

// lookAgain has each person look again at the recovery that did not finish, when its time is over: it must have ended.
func (r *run) lookAgain(ctx context.Context) {
	for _, o := range r.stuck.left {
		const grace = time.Second
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(o.until.Add(grace))):
		}
		page, err := o.browser.Open(ctx, o.page.String())
		if err != nil {
			r.tally.problem("a stuck recovery that nobody can look at", err.Error())
			continue
		}
		r.tally.see(page)
		if !hasOneOf(page, ends()) {
			r.tally.problem("a stuck recovery that does not end", fmt.Sprintf("%s: %d %s: %s", page.URL, page.Status, page.Title, page.Text()))
		}
	}
}
