package storagetest

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"regain/recovery"
	"regain/storage"
)

// BenchmarkOpenTransactions measures what open transactions cost a store: the heap that each needs, in octets, with and
// without its counters of attempts, and how long it takes to read and change one among many.
func BenchmarkOpenTransactions(b *testing.B, backend storage.Store, open int) {
	b.Helper()
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		b.Fatal(err)
	}
	store, err := storage.NewSealed(backend, ring)
	if err != nil {
		b.Fatal(err)
	}
	repo, counters := storage.NewTransactions(store), storage.NewAttempts(store)
	before := heap()
	for i := range open {
		if err := repo.Create(b.Context(), waiting(i)); err != nil {
			b.Fatal(err)
		}
	}
	transactions := heap() - before
	for i := range 3 * open { // the limits of a network, of a requested name, and of an account
		if _, err := counters.Increment(b.Context(), storage.Digest(fmt.Sprint("attempts", i)), time.Hour); err != nil {
			b.Fatal(err)
		}
	}
	all := heap() - before
	for n := 0; b.Loop(); n++ {
		tx, err := repo.Get(b.Context(), waiting(n%open).ID)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := repo.Update(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(transactions)/float64(open), "B/transaction")
	b.ReportMetric(float64(all)/float64(open), "B/with-counters")
	b.ReportMetric(float64(all)/1e6, "MB")
	runtime.KeepAlive(store)
}

// heap is how many octets live.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is that large
}

// waiting is a transaction as package provider makes it for a client of the test environment, once its page waits for a
// wallet: 1.3 KB are stored.
func waiting(n int) recovery.Transaction {
	now := time.Now().UTC()
	request := func(flow recovery.Flow) recovery.PendingRequest {
		return recovery.PendingRequest{Channel: recovery.Channel{Wallet: "default", Flow: flow}, Secret: "0123456789abcdefghijkl"}
	}
	qr := request(recovery.FlowCrossDevice)
	qr.Since, qr.Seed, qr.Asked = now, "0123456789abcdefghijkl", now
	return recovery.Transaction{
		ID: recovery.TransactionID(fmt.Sprintf("%022d", n)), State: recovery.StateRequested, Client: "main-idp", Requested: "ada.lindqvist@example.org",
		Account: "1978e91f-65d7-4cbf-b14c-f6e1641c271f", AccountName: "ada.lindqvist@example.org", Profile: "employees", Mode: recovery.ModeProduction,
		Browser: recovery.DigestOf("secret"), Network: recovery.DigestOf("network"), Authorization: bytes.Repeat([]byte{3}, 282),
		StartedAt: now, ChangedAt: now, ExpiresAt: now.Add(recovery.MaxLifetime),
		Presentation: &recovery.PresentationAttempt{Requests: []recovery.PendingRequest{request(recovery.FlowBrowser), request(recovery.FlowSameDevice), qr}},
	}
}
