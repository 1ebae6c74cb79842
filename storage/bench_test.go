package storage_test

import (
	"bytes"
	"testing"
	"time"

	"regain/recovery"
	"regain/storage"
	"regain/storage/memory"
)

// BenchmarkReadTransaction measures the parts of reading a transaction whose wallet is being asked, of about 2 KB: what a page
// does when it is told of a change, and a recovery nine times.
func BenchmarkReadTransaction(b *testing.B) {
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		b.Fatal(err)
	}
	backend, err := memory.New(time.Now)
	if err != nil {
		b.Fatal(err)
	}
	store, err := storage.NewSealed(backend, ring)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	request := func(flow recovery.Flow) recovery.PendingRequest {
		return recovery.PendingRequest{
			Channel: recovery.Channel{Wallet: "any", Flow: flow}, Secret: "0123456789abcdefghijkl", Since: now, Before: "0123456789abcdefghijkl",
			Request: bytes.Repeat([]byte{2}, 500),
		}
	}
	tx := recovery.Transaction{
		ID: "0123456789abcdefghijkl", State: recovery.StateRetrieved, Client: "main-idp", Requested: "ada@example.org", Account: "A1",
		AccountName: "ada@example.org", Profile: "employees", Mode: recovery.ModeProduction, Browser: recovery.DigestOf("secret"), Network: recovery.DigestOf("network"),
		Agent: "Firefox on Linux", Authorization: bytes.Repeat([]byte{3}, 600), StartedAt: now, ChangedAt: now, ExpiresAt: now.Add(time.Hour),
		Presentation: &recovery.PresentationAttempt{Requests: []recovery.PendingRequest{request(recovery.FlowSameDevice), request(recovery.FlowCrossDevice)}},
	}
	repo := storage.NewTransactions(store)
	if err := repo.Create(b.Context(), tx); err != nil {
		b.Fatal(err)
	}
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := repo.Get(b.Context(), tx.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		r, err := store.Get(b.Context(), "transaction", string(tx.ID))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			var read recovery.Transaction
			if err := storage.Decode(r.Data, &read); err != nil {
				b.Fatal(err)
			}
		}
	})
}
