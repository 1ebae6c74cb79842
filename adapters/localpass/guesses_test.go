package localpass_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regain/adapters/localpass"
	"regain/recovery"
)

// guess verifies a wrong pass and reports whether it was compared with the account's.
func (b *bench) guess(t *testing.T, account recovery.AccountID) bool {
	t.Helper()
	v, ok, err := b.Verify(t.Context(), "idp", account, "WRONG")
	if err != nil || ok {
		t.Errorf("a wrong pass: %t, %v", ok, err)
	}
	return v.RetryAfter == 0
}

// Too many guesses lock the account's pass, whoever guesses, and do not void it: the lock ends by itself.
func TestALockEndsByItself(t *testing.T) {
	for _, once := range []bool{true, false} {
		b := setUp(t)
		pass := b.issue(t, once).Value.Reveal()
		for i := range localpass.MaxGuesses {
			if !b.guess(t, "ada@example.org") {
				t.Fatalf("guess %d was not compared", i+1)
			}
		}
		v, ok, err := b.Verify(t.Context(), "idp", "ada@example.org", pass)
		if err != nil || ok || v.RetryAfter <= 0 || v.RetryAfter > localpass.GuessWindow {
			t.Fatalf("the right pass during the lock: %t, %v, wait %v", ok, err, v.RetryAfter)
		}
		b.now = b.now.Add(v.RetryAfter - 1)
		if b.verify(t, "ada@example.org", pass) {
			t.Error("the lock ended early")
		}
		b.now = b.now.Add(1)
		if !b.verify(t, "ada@example.org", pass) {
			t.Error("the lock did not end, or the pass was void")
		}
	}
}

// However many guess at once, no more than the limit are compared.
func TestManyGuessesAtOnceAreNotCompared(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true).Value.Reveal()
	var compared atomic.Int64
	var group sync.WaitGroup
	for range 256 {
		group.Go(func() {
			if b.guess(t, "ada@example.org") {
				compared.Add(1)
			}
		})
	}
	group.Wait()
	if n := compared.Load(); n != localpass.MaxGuesses {
		t.Errorf("%d of 256 guesses were answered as compared, want %d", n, localpass.MaxGuesses)
	}
	if b.verify(t, "ada@example.org", pass) {
		t.Error("the right pass was compared after too many guesses")
	}
	b.now = b.now.Add(localpass.GuessWindow)
	if !b.verify(t, "ada@example.org", pass) {
		t.Error("the pass did not survive")
	}
}

// The right pass beside two wrong ones is accepted, once, however they race.
func TestTheRightPassBesideWrongOnes(t *testing.T) {
	for range 50 {
		b := setUp(t)
		pass := b.issue(t, true).Value.Reveal()
		var accepted atomic.Int64
		var group sync.WaitGroup
		for _, typed := range []string{"WRONG", pass, "WRONGTOO", pass} {
			group.Go(func() {
				_, ok, err := b.Verify(t.Context(), "idp", "ada@example.org", typed)
				if err != nil || ok && typed != pass {
					t.Errorf("%t, %v", ok, err)
				}
				if ok {
					accepted.Add(1)
				}
			})
		}
		group.Wait()
		if n := accepted.Load(); n != 1 {
			t.Fatalf("accepted %d times", n)
		}
	}
}

// The uses of a pass for many uses are no guesses, and do not make room for more than the limit.
func TestUsesAreNoGuesses(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, false).Value.Reveal()
	for range 2 { // windows
		for i := range localpass.MaxGuesses {
			for range 3 {
				if !b.verify(t, "ada@example.org", pass) {
					t.Fatalf("a use after %d guesses was refused", i)
				}
			}
			b.guess(t, "ada@example.org")
		}
		if b.verify(t, "ada@example.org", pass) {
			t.Error("a use after too many guesses was compared")
		}
		b.now = b.now.Add(localpass.GuessWindow)
	}
}

// Nor are the uses of one pass after the other; but those of another client's passes make no room for this one's guesses.
func TestUsesOfManyPassesAreNoGuesses(t *testing.T) {
	b := setUp(t)
	for i := range 3 * localpass.MaxGuesses {
		if !b.verify(t, "ada@example.org", b.issue(t, true).Value.Reveal()) {
			t.Fatalf("pass %d was refused", i+1)
		}
	}
	other, err := b.Issue(t.Context(), recovery.PassOrder{
		Client: "another", Account: recovery.Account{ID: "ada@example.org"}, Now: b.now, Policy: recovery.PassPolicy{Lifetime: time.Hour, Length: 12},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range localpass.MaxGuesses {
		if _, ok, err := b.Verify(t.Context(), "another", "ada@example.org", "WRONG"); ok || err != nil {
			t.Fatalf("%t, %v", ok, err)
		}
	}
	if _, ok, err := b.Verify(t.Context(), "another", "ada@example.org", other.Value.Reveal()); ok || err != nil {
		t.Errorf("the other client's pass after too many guesses: %t, %v", ok, err)
	}
	b.now = b.now.Add(localpass.GuessWindow)
	if _, ok, err := b.Verify(t.Context(), "another", "ada@example.org", other.Value.Reveal()); !ok || err != nil {
		t.Errorf("the other client's pass: %t, %v", ok, err)
	}
}

// How a wrong guess is answered does not tell that a pass of the account was used in the same window.
func TestALockDoesNotTellOfUses(t *testing.T) {
	b := setUp(t)
	for _, account := range []recovery.AccountID{"ada@example.org", "nobody@example.org"} {
		b.now = b.now.Add(localpass.GuessWindow)
		for i := range 3 * localpass.MaxGuesses {
			if account == "ada@example.org" && i%2 == 0 {
				b.verify(t, account, b.issue(t, true).Value.Reveal())
			} else if unlocked := b.guess(t, account); unlocked != (i < localpass.MaxGuesses) {
				t.Fatalf("%s: guess %d is answered with a lock: %t", account, i+1, !unlocked)
			}
		}
	}
}

// However many use a pass for many uses at once, none of them hears of an outage.
func TestManyUsesAtOnce(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, false).Value.Reveal()
	var group sync.WaitGroup
	var used atomic.Int64
	for range 64 {
		group.Go(func() {
			if b.verify(t, "ada@example.org", pass) {
				used.Add(1)
			}
		})
	}
	group.Wait()
	if used.Load() < localpass.MaxGuesses {
		t.Errorf("%d of 64 were accepted", used.Load())
	}
}

// Neither another client, nor guesses at another account, nor a new pass changes how many guesses are left.
func TestGuessesAreCountedForClientAndAccount(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true).Value.Reveal()
	for range 2 * localpass.MaxGuesses {
		b.guess(t, "bob@example.org")
		if _, _, err := b.Verify(t.Context(), "another", "ada@example.org", "WRONG"); err != nil {
			t.Fatal(err)
		}
	}
	for range localpass.MaxGuesses - 1 {
		b.guess(t, "ada@example.org")
	}
	if !b.verify(t, "ada@example.org", pass) {
		t.Error("guesses elsewhere locked the pass")
	}
	b.guess(t, "ada@example.org") // the last one
	fresh := b.issue(t, true).Value.Reveal()
	if b.verify(t, "ada@example.org", fresh) {
		t.Error("a new pass began a new count in the same window")
	}
	b.now = b.now.Add(localpass.GuessWindow)
	if !b.verify(t, "ada@example.org", fresh) {
		t.Error("the new pass is not good in the next window")
	}
}

// A pass that was replaced while it was verified takes nothing from the new one.
func TestAReplacedPassDoesNotUseUpTheNew(t *testing.T) {
	for range 50 {
		b := setUp(t)
		old := b.issue(t, true).Value.Reveal()
		var group sync.WaitGroup
		group.Go(func() { b.verify(t, "ada@example.org", old) })
		fresh := b.issue(t, true).Value.Reveal()
		group.Wait()
		if !b.verify(t, "ada@example.org", fresh) {
			t.Fatal("the new pass was used up by the old one")
		}
	}
}

// The bound that the package comment promises: guessing for the whole lifetime of the most guessable pass that a policy
// allows succeeds less than once in a million times.
func TestGuessingIsHopeless(t *testing.T) {
	odds := func(lifetime time.Duration, length int) float64 {
		windows := math.Ceil(float64(lifetime)/float64(localpass.GuessWindow)) + 1
		return windows * localpass.MaxGuesses / math.Pow(32, float64(length))
	}
	if worst := odds(recovery.MaxPassLifetime, recovery.MinPassLength); worst > 1e-6 {
		t.Errorf("the worst pass is guessed with a chance of %g", worst)
	}
	if got := fmt.Sprintf("%.1f", 1e-6/odds(recovery.MaxPassLifetime, recovery.MinPassLength)); got != "2.5" {
		t.Errorf("one in %s million: correct the package comment", got)
	}
	if usual := odds(time.Hour, 12); usual > 1e-15 {
		t.Errorf("the default pass is guessed with a chance of %g", usual)
	}
}
