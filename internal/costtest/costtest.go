// Package costtest holds what a stranger can send against what it may cost: 50 ms of CPU, and 8 MB of memory.
//
// Both are measured so that a busy machine changes nothing. Memory is what is allocated altogether, which is never less
// than what is held at one time. CPU is what the process used, in verifications of an ECDSA signature on P-256 that are
// measured beside it: 50 ms are 800 of them on the slowest machines that we know.
package costtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"runtime"
	"slices"
	"testing"
	"time"
)

// What one message of a stranger may cost.
const (
	MaxBytes      = 8 << 20
	MaxSignatures = 800
)

// rounds is how often a cost is measured: the least is what it is, the rest is what else the process did.
const rounds = 2

// Cost is what something costs.
type Cost struct {
	CPU        time.Duration
	Bytes      uint64
	Signatures float64 // the CPU time in verifications of a signature
}

// Check runs something that reads the worst of its kind, and fails the test if it costs too much.
func Check(t testing.TB, name string, do func()) {
	t.Helper()
	c := Measure(t, do)
	t.Logf("%-50s %8.2f ms %8.1f signatures %8.2f MB", name, float64(c.CPU)/float64(time.Millisecond), c.Signatures, float64(c.Bytes)/(1<<20))
	c.Hold(t, name)
}

// Hold fails the test if something costs too much.
func (c Cost) Hold(t testing.TB, name string) {
	t.Helper()
	if c.Bytes > MaxBytes {
		t.Errorf("%s: it allocates %d bytes; %d are the most", name, c.Bytes, MaxBytes)
	}
	if c.Signatures > MaxSignatures*raceFactor {
		t.Errorf("%s: it takes as long as %.0f signatures; %d are the most", name, c.Signatures, MaxSignatures)
	}
}

// Measure runs something several times and returns the least that it cost.
func Measure(t testing.TB, do func()) Cost {
	t.Helper()
	verify := signature(t)
	least := Cost{Bytes: 1 << 62, CPU: 1 << 62}
	var one []time.Duration
	runtime.GC() // what was left before is not its work
	for range rounds {
		const many = 10
		one = append(one, used(func() {
			for range many {
				verify()
			}
		})/many)
		least.Bytes = min(least.Bytes, allocated(do))
		least.CPU = min(least.CPU, used(do))
	}
	least.Signatures = float64(least.CPU) / float64(slices.Max(one))
	return least
}

// signature returns the verification of one signature.
func signature(t testing.TB) func() {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	signed, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signed) {
			t.Fatal("the signature does not verify")
		}
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func used(do func()) time.Duration {
	before := cpu()
	do()
	return cpu() - before
}
