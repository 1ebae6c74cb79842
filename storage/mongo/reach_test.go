package mongo_test

import (
	"errors"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/mongo/mongotest"
)

// A store knows that its database is away, and that it is back, without being asked for anything.
func TestReachable(t *testing.T) {
	f := breakable(t, time.Second)
	reaches := func(want bool) {
		t.Helper()
		for deadline := time.Now().Add(patient); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			err := f.Reachable()
			if (err == nil) == want {
				return
			}
			if err != nil && !errors.Is(err, storage.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		t.Errorf("never told that it is reachable: %t", want)
	}
	reaches(true)
	f.proxy.Away(true)
	reaches(false)
	f.proxy.Away(false)
	if _, err := f.Increment(t.Context(), kind, "a", time.Minute); err != nil { // which has the driver look at once
		t.Error(err)
	}
	reaches(true)
}

// A call while the database is away fails as one that may succeed later; what the database refuses does not.
func TestUnavailableCalls(t *testing.T) {
	f := breakable(t, time.Second)
	f.proxy.Away(true)
	if _, err := f.Get(t.Context(), kind, "a"); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("away: %v", err)
	}
	f.proxy.Away(false)
	f.proxy.Inject(mongotest.Fault{Command: "find", Do: mongotest.Answered, Answer: answer(13, "Unauthorized")})
	if _, err := f.Get(t.Context(), kind, "a"); err == nil || errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("refused: %v", err)
	}
}
