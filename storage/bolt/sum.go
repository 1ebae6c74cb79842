package bolt

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"

	"go.etcd.io/bbolt"
)

// Seal encrypts and authenticates the file's sum; *storage.Keyring in production.
type Seal interface {
	Seal(data []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
}

// The sum of a file authenticates all that is in it, records, counters and indexes, as one: the exclusive or of a keyed
// hash of every entry (the set hash MSet-XOR-Hash of Clarke, Devadas, van Dijk, Gassend and Suh, "Incremental Multiset
// Hash Functions and Their Application to Memory Integrity Checking", ASIACRYPT 2003). Each change updates it in the same
// transaction, at a cost that does not grow with the file. Open computes it anew and compares.
//
// It is stored encrypted together with the key of the hash: who could read the sums of several copies of a file could
// compute that of a mixture of them.
const (
	bucketSum = "m"
	keySum    = "sum"
	placeSum  = "bolt file"
)

// errSum is what an operator reads who starts with a file that was edited, or whose bytes a disk changed.
var errSum = errors.New("its content is not what was written: a record, a counter or an index was changed, removed or put back from a copy, by somebody or by the disk")

type sum struct {
	key   []byte
	value [sha256.Size]byte
	mac   hash.Hash // keyed with key, and used again for each entry
}

func newSum(key []byte) *sum { return &sum{key: key, mac: hmac.New(sha256.New, key)} }

// toggle adds an entry to the sum, or takes it out.
func (s *sum) toggle(bucket string, key, value []byte) {
	var room [16 + sha256.Size]byte
	s.mac.Reset()
	s.mac.Write(binary.AppendUvarint(append(room[:0], bucket...), uint64(len(key)))) // a bucket's name has one byte
	s.mac.Write(key)
	s.mac.Write(value)
	subtle.XORBytes(s.value[:], s.value[:], s.mac.Sum(room[:0]))
}

// load reads the stored sum, or begins one of nothing if there is none.
func load(tx *bbolt.Tx, seal Seal) (*sum, error) {
	sealed := tx.Bucket([]byte(bucketSum)).Get([]byte(keySum))
	if sealed == nil {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // which never returns an error (package crypto/rand)
		return newSum(key), nil
	}
	data, err := seal.Open(sealed, placeSum)
	if err != nil {
		return nil, fmt.Errorf("read the sum of the file: %w; if the key is there, %w", err, ErrDamaged)
	}
	if len(data) != 2*sha256.Size {
		return nil, fmt.Errorf("%w: %w", errSum, ErrDamaged)
	}
	s := newSum(data[:sha256.Size])
	copy(s.value[:], data[sha256.Size:])
	return s, nil
}

func (s *sum) store(tx *bbolt.Tx, seal Seal) error {
	return tx.Bucket([]byte(bucketSum)).Put([]byte(keySum), seal.Seal(slices.Concat(s.key, s.value[:]), placeSum))
}

// verify is check, and seals the sum with the newest key. A file without content gets a sum.
func verify(tx *bbolt.Tx, seal Seal) error {
	s, err := check(tx, seal)
	if err != nil {
		return err
	}
	return s.store(tx, seal)
}

// check compares the stored sum with the content. One with content and without a sum is refused, since removing the sum must
// not be a way around it.
func check(tx *bbolt.Tx, seal Seal) (*sum, error) {
	s, err := load(tx, seal)
	if err != nil {
		return nil, err
	}
	content := newSum(s.key)
	for _, bucket := range buckets() {
		cursor := tx.Bucket([]byte(bucket)).Cursor()
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			content.toggle(bucket, key, value)
		}
	}
	if subtle.ConstantTimeCompare(content.value[:], s.value[:]) != 1 {
		return nil, fmt.Errorf("%w: %w", errSum, ErrDamaged)
	}
	return s, nil
}
