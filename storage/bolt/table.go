package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
)

const (
	bucketRecords  = "r"
	bucketGroups   = "g"
	bucketEndings  = "e"
	bucketCounters = "c"
)

// buckets are all that the sum covers.
func buckets() []string {
	return []string{bucketRecords, bucketGroups, bucketEndings, bucketCounters}
}

// table reads and writes records within one bbolt transaction. Every change passes through set and unset, which keep the
// sum.
type table struct {
	tx  *bbolt.Tx
	sum *sum // nil in a transaction that only reads
}

// set stores an entry in place of one with the same key.
func (t table) set(bucket string, key, value []byte) error {
	b := t.tx.Bucket([]byte(bucket))
	t.forget(b, bucket, key)
	t.sum.toggle(bucket, key, value)
	return b.Put(key, value)
}

// unset removes an entry, if there is one.
func (t table) unset(bucket string, key []byte) error {
	b := t.tx.Bucket([]byte(bucket))
	if !t.forget(b, bucket, key) {
		return nil
	}
	return b.Delete(key)
}

// forget takes an entry out of the sum, and reports whether there is one.
func (t table) forget(b *bbolt.Bucket, bucket string, key []byte) bool {
	found, old := b.Cursor().Seek(key) // Get does not tell an empty value of this transaction from none
	if !bytes.Equal(found, key) {
		return false
	}
	t.sum.toggle(bucket, key, old)
	return true
}

// join builds a key. The separator is NUL, which no part contains: kinds are constants, ids and groups are base64url.
func join(parts ...string) []byte {
	var b []byte
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	return b
}

var errDamaged = errors.New("stored record is damaged")

func encode(r storage.Record) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(r.ExpiresAt)))
	b = binary.AppendUvarint(b, uint64(len(r.Group)))
	return append(append(b, r.Group...), r.Data...)
}

func decode(b []byte, kind storage.Kind, id string) (storage.Record, error) {
	const fixed = 16
	if len(b) < fixed {
		return storage.Record{}, errDamaged
	}
	r := storage.Record{Kind: kind, ID: id, Version: int64(binary.BigEndian.Uint64(b))}
	if at := int64(binary.BigEndian.Uint64(b[8:])); at != 0 {
		r.ExpiresAt = time.Unix(0, at).UTC()
	}
	size, n := binary.Uvarint(b[fixed:])
	rest := b[fixed:]
	if uint64(len(rest)-n) < size || n != len(binary.AppendUvarint(nil, size)) { // n is 0 or less where there is no length
		return storage.Record{}, errDamaged
	}
	r.Group = string(rest[n : n+int(size)])
	r.Data = bytes.Clone(rest[n+int(size):])
	return r, nil
}

// nanos encodes a time; 0 means never.
func nanos(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

func (t table) get(kind storage.Kind, id string) (storage.Record, bool, error) {
	b := t.tx.Bucket([]byte(bucketRecords)).Get(join(string(kind), id))
	if b == nil {
		return storage.Record{Kind: kind, ID: id}, false, nil
	}
	r, err := decode(b, kind, id)
	return r, err == nil, err
}

// live is get without expired records.
func (t table) live(kind storage.Kind, id string, now time.Time) (storage.Record, error) {
	r, ok, err := t.get(kind, id)
	if err != nil {
		return storage.Record{}, err
	}
	if !ok || r.Expired(now) {
		return storage.Record{}, storage.ErrNotFound
	}
	return r, nil
}

// add stores a record where there is none.
func (t table) add(r storage.Record) error {
	return errors.Join(t.set(bucketRecords, join(string(r.Kind), r.ID), encode(r)), t.index(r))
}

// replace stores a record in place of old. Most changes leave the group and the end of life as they are: the indexes,
// which would be other pages to write, then stay too.
func (t table) replace(old, r storage.Record) error {
	problems := t.set(bucketRecords, join(string(r.Kind), r.ID), encode(r))
	if old.Group != r.Group || nanos(old.ExpiresAt) != nanos(r.ExpiresAt) {
		problems = errors.Join(problems, t.unindex(old), t.index(r))
	}
	return problems
}

// index adds a record to the indexes.
func (t table) index(r storage.Record) error {
	var problems error
	if r.Group != "" {
		problems = t.set(bucketGroups, join(string(r.Kind), r.Group, r.ID), nil)
	}
	if !r.ExpiresAt.IsZero() {
		problems = errors.Join(problems, t.set(bucketEndings, endingKey(r.ExpiresAt, []byte(bucketRecords), join(string(r.Kind), r.ID)), nil))
	}
	return problems
}

// unindex takes a record out of the indexes.
func (t table) unindex(r storage.Record) error {
	var problems error
	if r.Group != "" {
		problems = t.unset(bucketGroups, join(string(r.Kind), r.Group, r.ID))
	}
	if !r.ExpiresAt.IsZero() {
		problems = errors.Join(problems, t.unset(bucketEndings, endingKey(r.ExpiresAt, []byte(bucketRecords), join(string(r.Kind), r.ID))))
	}
	return problems
}

// remove removes a record, if it is there, with its index entries.
func (t table) remove(r storage.Record) error {
	return errors.Join(t.unset(bucketRecords, join(string(r.Kind), r.ID)), t.unindex(r))
}

// count is what a counter has in an open window; the zero count begins one.
type count struct {
	hits int64
	ends time.Time
}

// count returns the counter of a window that is open now.
func (t table) count(kind storage.Kind, id string, now time.Time) count {
	if b := t.tx.Bucket([]byte(bucketCounters)).Get(join(string(kind), id)); len(b) == 16 {
		if until := time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))); now.Before(until) {
			return count{int64(binary.BigEndian.Uint64(b)), until}
		}
	}
	return count{}
}

// hit counts on from what was counted, in a window that ends then if this begins it.
func (t table) hit(kind storage.Kind, id string, c count, ends time.Time) (int64, error) {
	key, counting := join(string(kind), id), c.hits > 0
	if !counting {
		c.ends = ends
	}
	c.hits++
	value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(c.hits)), uint64(c.ends.UnixNano()))
	if err := t.set(bucketCounters, key, value); err != nil || counting { // and its end is in the index
		return c.hits, err
	}
	return c.hits, t.set(bucketEndings, endingKey(c.ends, []byte(bucketCounters), key), nil)
}

// sweepAtMost bounds how many expired entries one change removes.
const sweepAtMost = 16

func endingKey(at time.Time, bucket, key []byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))
	return append(append(b, bucket...), key...)
}

// sweep removes a few expired entries, the oldest first.
func (t table) sweep(now time.Time) error {
	endings := t.tx.Bucket([]byte(bucketEndings))
	for range sweepAtMost {
		k, _ := endings.Cursor().First()
		const prefix = 9
		if len(k) < prefix || now.Before(time.Unix(0, int64(binary.BigEndian.Uint64(k)))) {
			return nil
		}
		if err := t.end(k[8:9], k[prefix:], now); err != nil {
			return err
		}
		if err := t.unset(bucketEndings, bytes.Clone(k)); err != nil {
			return err
		}
	}
	return nil
}

// end removes one expired record or counter. One that was extended meanwhile stays: it has another index entry.
func (t table) end(bucket, key []byte, now time.Time) error {
	if bytes.Equal(bucket, []byte(bucketCounters)) {
		if b := t.tx.Bucket([]byte(bucketCounters)).Get(key); len(b) == 16 && now.Before(time.Unix(0, int64(binary.BigEndian.Uint64(b[8:])))) {
			return nil
		}
		return t.unset(bucketCounters, key)
	}
	kind, id, _ := bytes.Cut(key, []byte{0})
	r, _, err := t.get(storage.Kind(kind), string(id))
	if !r.Expired(now) { // nor has what is not there, or is no record
		return err
	}
	return t.remove(r)
}
