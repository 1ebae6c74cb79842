package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"regain/storage"
	"regain/storage/mongo"
	"regain/storage/mongo/mongotest"
	"regain/storage/storagetest"
)

const kind = storage.Kind("thing")

// patient is a time-out for calls that succeed in the end: the driver waits half a second after each connection that broke,
// and a busy machine longer.
const patient = 15 * time.Second

// faulty is a store whose connections a test breaks, and another node's store over the same database.
type faulty struct {
	*mongo.Store
	other *mongo.Store
	proxy *mongotest.Proxy
	clock *storagetest.Clock
}

// breakable opens both, over the server that is started here: the driver of a replica set would go round the proxy.
func breakable(t *testing.T, timeout time.Duration) faulty {
	t.Helper()
	s := own(t)
	proxy, err := mongotest.NewProxy(s.Address())
	must(t, err)
	cfg := config(proxy.URI)
	cfg.Timeout = timeout
	clock := storagetest.NewClock()
	f := faulty{proxy: proxy, clock: clock}
	f.Store, err = mongo.Open(t.Context(), cfg, clock.Now)
	must(t, err)
	cfg.URI = mongo.URI(s.URI)
	f.other, err = mongo.Open(t.Context(), cfg, clock.Now)
	must(t, err)
	t.Cleanup(func() {
		must(t, f.Close())
		must(t, f.other.Close())
		must(t, proxy.Close())
		must(t, s.Drop(context.Background(), cfg.Database))
	})
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func thing(data string) storage.Record {
	return storage.Record{Kind: kind, ID: "a", Data: []byte(data)}
}

// a call of the store, what is there before it, and what there has to be after it, seen from another node.
type call struct {
	command string // which of its commands breaks
	before  func(t *testing.T, f faulty)
	do      func(ctx context.Context, s storage.Store) error
	after   func(t *testing.T, s storage.Store)
}

func created(t *testing.T, f faulty) { must(t, f.other.Create(t.Context(), thing("one"))) }

func increments(want int64) func(ctx context.Context, s storage.Store) error {
	return func(ctx context.Context, s storage.Store) error {
		if n, err := s.Increment(ctx, kind, "a", time.Minute); err != nil || n != want {
			return errors.Join(fmt.Errorf("count %d, want %d", n, want), err)
		}
		return nil
	}
}

func counts(want int64) func(t *testing.T, s storage.Store) {
	return func(t *testing.T, s storage.Store) {
		t.Helper()
		if err := increments(want)(t.Context(), s); err != nil {
			t.Error(err)
		}
	}
}

func holds(data string, version int64) func(t *testing.T, s storage.Store) {
	return func(t *testing.T, s storage.Store) {
		t.Helper()
		if r, err := s.Get(t.Context(), kind, "a"); err != nil || string(r.Data) != data || r.Version != version {
			t.Errorf("got %q version %d, %v, want %q version %d", r.Data, r.Version, err, data, version)
		}
	}
}

func gone(t *testing.T, s storage.Store) {
	t.Helper()
	if r, err := s.Get(t.Context(), kind, "a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("got %q, %v, want nothing", r.Data, err)
	}
}

func calls() map[string]call {
	create := func(ctx context.Context, s storage.Store) error { return s.Create(ctx, thing("new")) }
	consume := func(ctx context.Context, s storage.Store) error {
		r, err := s.Consume(ctx, kind, "a")
		if err == nil && string(r.Data) != "one" {
			err = fmt.Errorf("consumed %q, want one", r.Data)
		}
		return err
	}
	return map[string]call{
		"create": {command: "insert", do: create, after: holds("new", 1)},
		"create over what expired": {"update", func(t *testing.T, f faulty) {
			r := thing("one")
			r.ExpiresAt = f.clock.Now().Add(time.Second)
			must(t, f.other.Create(t.Context(), r))
			f.clock.Turn(time.Second)
		}, create, holds("new", 1)},
		"create over what was used up": {"update", func(t *testing.T, f faulty) {
			created(t, f)
			must(t, f.other.Delete(t.Context(), kind, "a"))
		}, create, holds("new", 1)},
		"update": {"update", created, func(ctx context.Context, s storage.Store) error {
			r := thing("two")
			r.Version = 1
			return s.Update(ctx, r)
		}, holds("two", 2)},
		"consume":       {"update", created, consume, gone},
		"delete":        {"update", created, func(ctx context.Context, s storage.Store) error { return s.Delete(ctx, kind, "a") }, gone},
		"first count":   {command: "insert", do: increments(1), after: counts(2)},
		"another count": {"findAndModify", func(t *testing.T, f faulty) { counts(1)(t, f.other) }, increments(2), counts(3)},
		"count in a new window": {"update", func(t *testing.T, f faulty) {
			counts(1)(t, f.other)
			f.clock.Turn(time.Minute)
		}, increments(1), counts(2)},
	}
}

// A lost answer doubles nothing and loses nothing, however the command was lost: the caller is told what became of it.
func TestLostAnswers(t *testing.T) {
	for name, c := range calls() {
		for how, fault := range map[string]mongotest.Fault{
			"carried out":            {Do: mongotest.Lost},
			"carried out, twice":     {Do: mongotest.Lost, Times: 2},
			"not carried out":        {Do: mongotest.Cut},
			"not carried out, twice": {Do: mongotest.Cut, Times: 2},
			"no answer":              {Do: mongotest.Stalled},
			"carried out late":       {Do: mongotest.Late},
			"two late":               {Do: mongotest.Late, Times: 2},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				f := breakable(t, patient)
				if c.before != nil {
					c.before(t, f)
				}
				fault.Command = c.command
				f.proxy.Inject(fault)
				if err := c.do(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				_, err := f.proxy.Release()
				must(t, err)
				c.after(t, f.other)
			})
		}
	}
}

// A command that the server carries out late must not bring back what was used up since, nor use up what came since.
func TestLateCommandsChangeNothing(t *testing.T) {
	again := func(t *testing.T, f faulty) { must(t, f.other.Create(t.Context(), thing("again"))) }
	consumed := func(t *testing.T, f faulty) {
		_, err := f.other.Consume(t.Context(), kind, "a")
		must(t, err)
	}
	for name, row := range map[string]struct {
		since func(t *testing.T, f faulty)
		after func(t *testing.T, s storage.Store)
	}{
		"create":                       {consumed, gone},
		"create over what expired":     {consumed, gone},
		"create over what was used up": {func(t *testing.T, f faulty) { must(t, f.other.Delete(t.Context(), kind, "a")) }, gone},
		"update":                       {consumed, gone},
		"consume":                      {again, holds("again", 1)},
		"delete":                       {again, holds("again", 1)},
		"first count":                  {func(t *testing.T, f faulty) { counts(2)(t, f.other) }, counts(3)},
		"another count":                {func(t *testing.T, f faulty) { counts(3)(t, f.other) }, counts(4)},
		"count in a new window":        {func(t *testing.T, f faulty) { counts(2)(t, f.other) }, counts(3)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, f := calls()[name], breakable(t, patient)
			if c.before != nil {
				c.before(t, f)
			}
			f.proxy.Inject(mongotest.Fault{Command: c.command, Do: mongotest.Late})
			must(t, c.do(t.Context(), f))
			row.since(t, f)
			answers, err := f.proxy.Release()
			if must(t, err); len(answers) != 1 {
				t.Fatalf("%d commands came late, want 1", len(answers))
			}
			row.after(t, f.other)
		})
	}
}

// Where nobody can find out, the caller is told so; where nothing was sent, that nothing changed.
func TestTheDatabaseStaysAway(t *testing.T) {
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := breakable(t, time.Second)
			if c.before != nil {
				c.before(t, f)
			}
			f.proxy.Inject(mongotest.Fault{Command: c.command, Do: mongotest.Lost, Then: func() { go f.proxy.Away(true) }, Times: 9})
			start := time.Now()
			if err := c.do(t.Context(), f); !errors.Is(err, storage.ErrUncertain) {
				t.Errorf("away after it was carried out: %v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			c.after(t, f.other)
		})
		t.Run(name+", before", func(t *testing.T) {
			t.Parallel()
			f := breakable(t, 3*time.Second)
			if c.before != nil {
				c.before(t, f)
			}
			f.proxy.Away(true)
			if _, err := f.Get(t.Context(), kind, "a"); err == nil { // notices: what is sent over a connection that broke may have come
				t.Error("read a record without a database")
			}
			if err := c.do(t.Context(), f); err == nil || errors.Is(err, storage.ErrUncertain) {
				t.Errorf("away before: %v", err)
			}
			f.proxy.Away(false)
			must(t, c.do(t.Context(), f))
			c.after(t, f.other)
		})
	}
}

// Others may have gone on before the call asks what became of it.
func TestOvertaken(t *testing.T) {
	update := calls()["update"]
	for others, want := range map[int]error{0: nil, 1: nil, 7: nil, 8: storage.ErrUncertain} {
		for _, lost := range []bool{true, false} {
			f := breakable(t, patient)
			update.before(t, f)
			fault := mongotest.Fault{Command: "update", Do: mongotest.Cut, Then: func() {
				for n := range others {
					r := thing("other")
					r.Version = int64(n + 1)
					if lost {
						r.Version++
					}
					if err := f.other.Update(context.Background(), r); err != nil {
						t.Error(err)
					}
				}
			}}
			want := want
			switch {
			case lost:
				fault.Do = mongotest.Lost
			case others > 0: // the ring has who made the version
				want = storage.ErrConflict
			}
			f.proxy.Inject(fault)
			if err := update.do(t.Context(), f); !errors.Is(err, want) {
				t.Errorf("%d updates by others, lost %t: %v, want %v", others, lost, err, want)
			}
		}
	}
}

// What was updated and then used up was updated all the same.
func TestOvertakenByItsEnd(t *testing.T) {
	f := breakable(t, patient)
	created(t, f)
	f.proxy.Inject(mongotest.Fault{Command: "update", Do: mongotest.Lost, Then: func() {
		if _, err := f.other.Consume(context.Background(), kind, "a"); err != nil {
			t.Error(err)
		}
	}})
	must(t, calls()["update"].do(t.Context(), f))
}

// An update that nobody heard of, of a record that ended or became another one meanwhile: it may have been made, or may yet
// be and make the record's life longer.
func TestOvertakenByAnotherLife(t *testing.T) {
	for name, row := range map[string]struct {
		do   mongotest.Deed
		then func(f faulty) error
		want error
	}{
		"ended, not carried out": {mongotest.Late, func(f faulty) error { f.clock.Turn(time.Minute); return nil }, storage.ErrUncertain},
		"ended, carried out":     {mongotest.Lost, func(f faulty) error { f.clock.Turn(time.Minute); return nil }, nil},
		"another one": {mongotest.Lost, func(f faulty) error {
			_, err := f.other.Consume(context.Background(), kind, "a")
			return errors.Join(err, f.other.Create(context.Background(), thing("another")))
		}, storage.ErrUncertain},
		"used up, not carried out": {mongotest.Cut, func(f faulty) error { return f.other.Delete(context.Background(), kind, "a") }, storage.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			f := breakable(t, patient)
			r := thing("one")
			r.ExpiresAt = f.clock.Now().Add(time.Minute)
			must(t, f.other.Create(t.Context(), r))
			r.Version = 1
			must(t, f.other.Update(t.Context(), r))
			f.proxy.Inject(mongotest.Fault{Command: "update", Do: row.do, Then: func() { must(t, row.then(f)) }})
			r.Version, r.ExpiresAt = 2, r.ExpiresAt.Add(time.Hour)
			if err := f.Update(t.Context(), r); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

// Whoever consumes gets what was there last: an update between what was read and what is written is not lost.
func TestConsumersGetTheLastVersion(t *testing.T) {
	f := breakable(t, patient)
	created(t, f)
	f.proxy.Inject(mongotest.Fault{Command: "find", Do: mongotest.Held, Then: func() {
		must(t, calls()["update"].do(context.Background(), f.other))
	}})
	r, err := f.Consume(t.Context(), kind, "a")
	if must(t, err); string(r.Data) != "two" || r.Version != 2 {
		t.Errorf("consumed %q version %d, want two version 2", r.Data, r.Version)
	}
	gone(t, f.other)
}

// What is created after a deletion, before its caller hears of it, stays.
func TestADeletionOvertaken(t *testing.T) {
	f := breakable(t, patient)
	created(t, f)
	f.proxy.Inject(mongotest.Fault{Command: "update", Do: mongotest.Lost, Then: func() {
		must(t, f.other.Create(context.Background(), thing("again")))
	}})
	must(t, f.Delete(t.Context(), kind, "a"))
	holds("again", 1)(t, f.other)
}

// The counter remembers 32 operations.
func TestOvertakenCounts(t *testing.T) {
	for others, want := range map[int]error{0: nil, 31: nil, 32: storage.ErrUncertain} {
		f := breakable(t, patient)
		counts(1)(t, f.other)
		f.proxy.Inject(mongotest.Fault{Command: "findAndModify", Do: mongotest.Lost, Then: func() {
			for range others {
				if _, err := f.other.Increment(context.Background(), kind, "a", time.Minute); err != nil {
					t.Error(err)
				}
			}
		}})
		if n, err := f.Increment(t.Context(), kind, "a", time.Minute); !errors.Is(err, want) || err == nil && n != 2 {
			t.Errorf("%d others: count %d, %v, want 2 or %v", others, n, err, want)
		}
		counts(int64(others)+3)(t, f.other)
	}
}

func answer(code int, message string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: code}, {Key: "codeName", Value: message}, {Key: "errmsg", Value: message}}
}

func writeError(code int) bson.D {
	return bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 0}, {Key: "writeErrors", Value: bson.A{bson.D{{Key: "index", Value: 0}, {Key: "code", Value: code}, {Key: "errmsg", Value: "injected"}}}}}
}

// Errors that pass are tried again: two upserts of one id at once, a primary that steps down, a majority that is slow.
func TestErrorsThatPass(t *testing.T) {
	slow := bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 1}, {Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}}}
	for name, answered := range map[string]bson.D{
		"duplicate key":            writeError(11000),
		"duplicate key of command": answer(11000, "DuplicateKey"),
		"write conflict":           answer(112, "WriteConflict"),
		"not the primary":          answer(10107, "NotWritablePrimary"),
		"stepping down":            answer(189, "PrimarySteppedDown"),
		"interrupted":              answer(11602, "InterruptedDueToReplStateChange"),
		"shutting down":            answer(91, "ShutdownInProgress"),
		"majority away":            slow,
	} {
		for _, what := range []string{"create", "update", "consume", "delete", "first count", "another count", "count in a new window"} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				c, f := calls()[what], breakable(t, patient)
				if c.before != nil {
					c.before(t, f)
				}
				f.proxy.Inject(mongotest.Fault{Command: c.command, Do: mongotest.Answered, Answer: answered, Times: 3})
				must(t, c.do(t.Context(), f))
				c.after(t, f.other)
			})
		}
	}
}

// Errors that do not pass are told at once, and that nothing changed.
func TestErrorsThatStay(t *testing.T) {
	for code, message := range map[int]string{13: "Unauthorized", 121: "DocumentValidationFailure", 14031: "OutOfDiskSpace"} {
		f := breakable(t, patient)
		f.proxy.Inject(mongotest.Fault{Command: "insert", Do: mongotest.Answered, Answer: answer(code, message), Times: 99})
		before := f.proxy.Seen("insert")
		err := f.Create(t.Context(), thing("one"))
		if err == nil || errors.Is(err, storage.ErrUncertain) || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v", message, err)
		}
		if n := f.proxy.Seen("insert") - before; n != 1 {
			t.Errorf("%s: sent %d times, want 1", message, n)
		}
		gone(t, f.other)
	}
}

// A majority that never comes leaves the write on the primary, where it may be rolled back.
func TestAMajorityThatStaysAway(t *testing.T) {
	f := breakable(t, time.Second)
	created(t, f)
	slow := bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 1}, {Key: "nModified", Value: 1}, {Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}}}
	f.proxy.Inject(mongotest.Fault{Command: "update", Do: mongotest.Answered, Answer: slow, Times: 9999})
	if err := calls()["update"].do(t.Context(), f); !errors.Is(err, storage.ErrUncertain) || !strings.Contains(err.Error(), "replication") {
		t.Errorf("got %v", err)
	}
}

// A database that takes commands and never answers holds a caller no longer than the time-out says.
func TestADatabaseThatStalls(t *testing.T) {
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := breakable(t, time.Second)
			if c.before != nil {
				c.before(t, f)
			}
			f.proxy.Inject(mongotest.Fault{Command: c.command, Do: mongotest.Stalled, Times: 99})
			f.proxy.Inject(mongotest.Fault{Command: "find", Do: mongotest.Stalled, Times: 99})
			start := time.Now()
			err := c.do(t.Context(), f)
			if !errors.Is(err, storage.ErrUncertain) && (err == nil || f.proxy.Seen(c.command) > 1) { // one that reads first sends nothing
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A survey that its caller has no more time for ends so, and not as a fault of the database: a node starts without what it did
// not get to see.
func TestASurveyThatTakesTooLong(t *testing.T) {
	f := breakable(t, patient)
	must(t, f.Create(t.Context(), storage.Record{Kind: "kind", ID: "1", Data: []byte("key.data")}))
	f.proxy.Inject(mongotest.Fault{Command: "find", Do: mongotest.Stalled, Times: 99})
	ctx, end := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer end()
	if err := f.Survey(ctx, nil, func(storage.Trace) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// What keeps a node from starting is told with its cause and the cure.
func TestStartsThatAreRefused(t *testing.T) {
	f := breakable(t, time.Second)
	for name, row := range map[string]struct {
		fault mongotest.Fault
		says  []string
	}{
		"wrong password": {mongotest.Fault{Command: "ping", Do: mongotest.Answered, Answer: answer(18, "AuthenticationFailed")}, []string{"AuthenticationFailed", "check user, password and authSource"}},
		"read only":      {mongotest.Fault{Command: "insert", Do: mongotest.Answered, Answer: answer(13, "Unauthorized")}, []string{"Unauthorized", "role readWrite"}},
		"no indexes":     {mongotest.Fault{Command: "createIndexes", Do: mongotest.Answered, Answer: answer(13, "Unauthorized")}, []string{"migrate the schema from version 0", "create index sweep of records", "Unauthorized"}},
		"no answer":      {mongotest.Fault{Command: "ping", Do: mongotest.Stalled, Times: 9}, []string{"no primary answers", "whether the database runs"}},
	} {
		f.proxy.Inject(row.fault)
		cfg := config(f.proxy.URI)
		cfg.Timeout = time.Second
		s, err := mongo.Open(t.Context(), cfg, time.Now)
		for _, says := range row.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %v, want it to say %q", name, err, says)
			}
		}
		if err == nil {
			must(t, s.Close())
		}
		f.proxy.Forget()
		must(t, own(t).Drop(context.Background(), cfg.Database))
	}
}

func TestAnOldServer(t *testing.T) {
	old, err := mongotest.StartOwn("8")
	must(t, err)
	defer func() { must(t, old.Stop()) }()
	cfg := config(old.URI)
	cfg.Timeout = time.Second
	if _, err := mongo.Open(t.Context(), cfg, time.Now); err == nil || !strings.Contains(err.Error(), "MongoDB 4.4") {
		t.Errorf("got %v, want it to say which version is needed", err)
	}
}

// Every write asks for a majority and its journals, every read for what a majority has.
func TestConcerns(t *testing.T) {
	f := breakable(t, patient)
	must(t, f.Create(t.Context(), thing("one")))
	must(t, calls()["consume"].do(t.Context(), f))
	counts(1)(t, f)
	counts(2)(t, f)
	for _, command := range []string{"insert", "update", "findAndModify"} {
		last, err := f.proxy.Last(command)
		must(t, err)
		if got := fmt.Sprint(last["writeConcern"]); !strings.Contains(got, `"w":"majority"`) || !strings.Contains(got, `"j":true`) {
			t.Errorf("%s has write concern %s", command, got)
		}
	}
	last, err := f.proxy.Last("find")
	must(t, err)
	if got := fmt.Sprint(last["readConcern"]); !strings.Contains(got, "majority") {
		t.Errorf("find has read concern %s", got)
	}
}
