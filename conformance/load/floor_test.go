package load

import (
	"hash"
	"testing"
)

// countedHash counts what is hashed.
type countedHash struct {
	hash.Hash
	sums, bytes int
}

func (c *countedHash) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return c.Hash.Write(p)
}

func (c *countedHash) Sum(b []byte) []byte {
	c.sums++
	return c.Hash.Sum(b)
}

// The HMACs of the floor are as many as a recovery was counted to have, of the node and of its store.
func TestFloorHashesAsMuchAsARecovery(t *testing.T) {
	for _, kept := range stores() {
		h := newHasher(make([]byte, 32), hashesOfNode(), kept.hashes)
		short, long := &countedHash{Hash: h.hmacSHA256}, &countedHash{Hash: h.hmacSHA512}
		h.hmacSHA256, h.hmacSHA512 = short, long
		h.make(make([]byte, 1<<10))
		want := hashesOfNode().hmacSHA256.count + kept.hashes.hmacSHA256.count
		if short.sums != want || long.sums != hashesOfNode().hmacSHA512.count {
			t.Errorf("%s: %d and %d HMACs, want %d and %d", kept.name, short.sums, long.sums, want, hashesOfNode().hmacSHA512.count)
		}
		if least := (hashesOfNode().hmacSHA256.bytes + kept.hashes.hmacSHA256.bytes) * 9 / 10; short.bytes < least {
			t.Errorf("%s: HMACs of %d bytes, want %d at least", kept.name, short.bytes, least)
		}
	}
}

// The floor is CPU time of what it says: more records cost more, and so does a store that hashes more.
func TestFloorGrowsWithWhatIsDone(t *testing.T) {
	none, err := cryptoFloor(Usage{}, store{})
	if err != nil {
		t.Fatal(err)
	}
	records, err := cryptoFloor(Usage{Sealed: Traffic{Records: 1000, Bytes: 1000 << 10}}, store{})
	if err != nil {
		t.Fatal(err)
	}
	hashing, err := cryptoFloor(Usage{}, store{hashes: hashes{hmacSHA256: messages{10_000, 10_000 << 8}}})
	if err != nil {
		t.Fatal(err)
	}
	if none <= 0 || records <= none || hashing <= none {
		t.Errorf("the floor is %s with nothing stored, %s with a thousand records, %s with ten thousand HMACs more", none, records, hashing)
	}
}
