package storagetest_test

import (
	"testing"
	"time"

	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

func TestSharedContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		s, err := memory.New(clock)
		if err != nil {
			t.Fatal(err)
		}
		return &storagetest.Shared{Store: s}
	})
}
