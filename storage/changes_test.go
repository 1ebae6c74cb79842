package storage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regain/recovery"
	"regain/storage"
	"regain/storage/storagetest"
)

// open stores a transaction.
func open(t *testing.T, repo *storage.Transactions, id recovery.TransactionID) recovery.Transaction {
	t.Helper()
	tx := recovery.Transaction{ID: id, ExpiresAt: time.Now().Add(time.Hour)}
	if err := repo.Create(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	tx.Version = 1
	return tx
}

// update changes a transaction.
func update(t *testing.T, repo *storage.Transactions, tx *recovery.Transaction) {
	t.Helper()
	var err error
	if tx.Version, err = repo.Update(t.Context(), *tx); err != nil {
		t.Fatal(err)
	}
}

// told reports whether a watch was told of a change.
func told(changed <-chan int64) bool {
	select {
	case <-changed:
		return true
	default:
		return false
	}
}

// What this node changes is told at once, once, to everybody who waits for it and to nobody else.
func TestChangesOfThisNode(t *testing.T) {
	repo := storage.NewTransactions(backend(t, time.Now))
	tx, other := open(t, repo, "txn"), open(t, repo, "other")
	first, stopFirst := repo.Watch(tx.ID, tx.Version)
	second, stopSecond := repo.Watch(tx.ID, tx.Version)
	elsewhere, stopElsewhere := repo.Watch(other.ID, other.Version)
	defer stopElsewhere()
	if told(first) || told(second) {
		t.Error("told of nothing")
	}
	update(t, repo, &tx)
	update(t, repo, &tx)
	if version := <-first; version != tx.Version {
		t.Errorf("told of version %d after two changes, want %d", version, tx.Version)
	}
	if !told(second) {
		t.Error("somebody was not told")
	}
	if told(first) || told(second) {
		t.Error("two changes that nobody looked at are told twice")
	}
	stale := tx
	stale.Version--
	if _, err := repo.Update(t.Context(), stale); !errors.Is(err, recovery.ErrConflict) || told(first) {
		t.Errorf("told of a change that was refused: %v", err)
	}
	stopFirst()
	stopFirst() // twice is once
	update(t, repo, &tx)
	if told(first) || !told(second) {
		t.Error("the one who left is told, or the other one is not")
	}
	stopSecond()
	if told(elsewhere) {
		t.Error("told of another transaction's changes")
	}
}

// lost is a store whose answers to changes are lost.
type lost struct{ storage.Store }

func (s lost) Update(ctx context.Context, r storage.Record) error {
	return errors.Join(s.Store.Update(ctx, r), errDisk)
}

// A change whose answer is lost may have been made.
func TestAChangeWithoutAnAnswerIsTold(t *testing.T) {
	repo := storage.NewTransactions(lost{backend(t, time.Now)})
	tx := open(t, repo, "txn")
	changed, stop := repo.Watch(tx.ID, tx.Version)
	defer stop()
	if _, err := repo.Update(t.Context(), tx); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	select {
	case version := <-changed:
		if version != 0 {
			t.Errorf("told of version %d, which may not be there", version)
		}
	default:
		t.Error("not told")
	}
}

// Whoever watches, then reads, then waits, comes to the last version, however its steps fall between the changes.
func TestNoChangeIsMissed(t *testing.T) {
	const versions = 300
	repo := storage.NewTransactions(backend(t, time.Now))
	tx := open(t, repo, "txn")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			changed, stop := repo.Watch(tx.ID, 1)
			for {
				read, err := repo.Get(ctx, tx.ID)
				if err != nil {
					t.Error(err)
				}
				if read.Version == versions {
					stop()
					return
				}
				select {
				case <-changed:
				case <-ctx.Done():
					t.Errorf("still at version %d", read.Version)
					return
				}
				if i%2 == 0 { // a connection that ended, and its page connects again
					stop()
					changed, stop = repo.Watch(tx.ID, read.Version)
				}
			}
		})
	}
	for tx.Version < versions {
		update(t, repo, &tx)
	}
	wg.Wait()
}

// node is the repository of one node over a store that it shares with others.
func node(shared *storagetest.Shared) *storage.Transactions {
	return storage.NewSharedTransactions(shared, shared)
}

// What another node changes is told within a second, and once; what this one changes is not told again.
func TestChangesOfAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &storagetest.Shared{Store: backend(t, time.Now)}
		here, there := node(shared), node(shared)
		tx := open(t, there, "txn")
		changed, stop := here.Watch(tx.ID, tx.Version)
		defer stop()
		await := func(what string) {
			t.Helper()
			began := time.Now()
			if version := <-changed; version != tx.Version {
				t.Errorf("%s: told of version %d, want %d", what, version, tx.Version)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("%s: told after %s", what, took)
			}
			time.Sleep(10 * time.Second)
			if synctest.Wait(); told(changed) {
				t.Errorf("%s: told twice", what)
			}
		}
		time.Sleep(10 * time.Second)
		if synctest.Wait(); told(changed) {
			t.Error("told of nothing")
		}
		update(t, there, &tx)
		await("another node's change")
		update(t, here, &tx)
		await("a change of this node")
		if err := shared.Delete(t.Context(), "transaction", "txn"); err != nil {
			t.Fatal(err)
		}
		if version := <-changed; version != 0 { // what is gone has none, and has to be looked at
			t.Errorf("what is gone has version %d", version)
		}
	})
}

// A change that was made before the first round, and after the version that the caller has, is not lost.
func TestAChangeBeforeTheFirstRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &storagetest.Shared{Store: backend(t, time.Now)}
		here, there := node(shared), node(shared)
		tx := open(t, there, "txn")
		read := tx
		update(t, there, &tx)
		changed, stop := here.Watch(read.ID, read.Version)
		defer stop()
		<-changed // synctest ends the test if this never comes
	})
}

// However many wait, a node asks twice a second, in operations of a bounded size, and not at all while nobody waits.
func TestOnePollForAll(t *testing.T) {
	for _, waiting := range []int{1, storage.MaxVersions, 2*storage.MaxVersions + 1} {
		synctest.Test(t, func(t *testing.T) {
			shared := &storagetest.Shared{Store: backend(t, time.Now)}
			here := node(shared)
			var stops []func()
			for i := range waiting {
				tx := open(t, here, recovery.TransactionID(fmt.Sprint(i)))
				for range 3 { // pages of one transaction
					_, stop := here.Watch(tx.ID, tx.Version)
					stops = append(stops, stop)
				}
			}
			time.Sleep(10*time.Second + time.Millisecond)
			operations := int64((waiting + storage.MaxVersions - 1) / storage.MaxVersions)
			if got := shared.Polls.Load(); got != 20*operations {
				t.Errorf("%d waiting: %d operations in ten seconds, want %d", waiting, got, 20*operations)
			}
			for _, stop := range stops {
				stop()
			}
			shared.Polls.Store(0)
			time.Sleep(10 * time.Second)
			if got := shared.Polls.Load(); got != 0 {
				t.Errorf("%d operations while nobody waits", got)
			}
			tx := open(t, here, "again")
			_, stop := here.Watch(tx.ID, tx.Version)
			time.Sleep(10*time.Second + time.Millisecond)
			if got := shared.Polls.Load(); got != 20 {
				t.Errorf("%d operations for the next one who waits, want 20", got)
			}
			stop()
		})
	}
}

// away is a shared store that does not answer while it is away.
type away struct {
	*storagetest.Shared
	is atomic.Bool
}

func (a *away) Versions(ctx context.Context, kind storage.Kind, ids []string) (map[string]int64, error) {
	if a.is.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return a.Shared.Versions(ctx, kind, ids)
}

// While the store does not answer, nobody waits for it longer than seconds; what was changed meanwhile is told when it does.
func TestAStoreThatWasAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &away{Shared: &storagetest.Shared{Store: backend(t, time.Now)}}
		here, there := storage.NewSharedTransactions(shared, shared), node(shared.Shared)
		tx := open(t, there, "txn")
		changed, stop := here.Watch(tx.ID, tx.Version)
		defer stop()
		shared.is.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		update(t, there, &tx)
		time.Sleep(time.Minute)
		if synctest.Wait(); told(changed) {
			t.Error("told by a store that is away")
		}
		shared.is.Store(false)
		back := time.Now()
		<-changed
		if took := time.Since(back); took > 6*time.Second {
			t.Errorf("told %s after it is back", took)
		}
	})
}
