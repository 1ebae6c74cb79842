package bolt_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

// BenchmarkUpdate measures one change of a record among a thousand, without the wait for the disk.
func BenchmarkUpdate(b *testing.B) {
	s := thousand(b)
	record, err := s.Get(b.Context(), "transaction", "0500")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.Update(b.Context(), record); err != nil {
			b.Fatal(err)
		}
		record.Version++
	}
}

// BenchmarkIncrement measures one step of a counter that many use.
func BenchmarkIncrement(b *testing.B) {
	s := thousand(b)
	for b.Loop() {
		if _, err := s.Increment(b.Context(), "attempts", "everybody", time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func thousand(b *testing.B) *bolt.Store {
	b.Helper()
	s, err := bolt.Open(filepath.Join(b.TempDir(), "regain.db"), time.Now, keyring(b, 1))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() }) //nolint:errcheck // the file is thrown away
	s.NoSync()
	for i := range 1000 {
		r := storage.Record{Kind: "transaction", ID: fmt.Sprintf("%04d", i), Data: bytes.Repeat([]byte{byte(i)}, 1500), ExpiresAt: time.Now().Add(time.Hour)}
		if err := s.Create(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkOpenTransactions measures the heap that open transactions take while they are in the file, and that no change
// becomes dearer with them. The file, of 2.5 GB for a million, is in the temporary directory, and nobody waits for the disk.
//
//	go test -run - -bench OpenTransactions -benchtime 2000x -timeout 30m ./storage/bolt
func BenchmarkOpenTransactions(b *testing.B) {
	for _, open := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "regain.db")
			s, err := bolt.Open(path, time.Now, keyring(b, 1))
			if err != nil {
				b.Fatal(err)
			}
			s.NoSync()
			storagetest.BenchmarkOpenTransactions(b, s, open)
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(open), "B/file")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			began := time.Now() // what a start waits for: the sum of the file is made anew
			again, err := bolt.Open(path, time.Now, keyring(b, 1))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(began).Seconds(), "s-to-open")
			if err := again.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
