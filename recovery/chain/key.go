package chain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// keySize is the size of a key in octets: that of the hash (RFC 2104 §3 recommends no less).
const keySize = sha256.Size

// Key is the secret of an audit log's chain. It shows itself nowhere.
type Key struct{ secret [keySize]byte }

// NewKey returns the key with these 32 octets.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != keySize {
		return Key{}, fmt.Errorf("key of the audit chain: has %d octets: use %d random ones", len(secret), keySize)
	}
	return Key{secret: [keySize]byte(secret)}, nil
}

// Format keeps the key out of every fmt verb.
func (Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }

// The kinds of what is authenticated: one can never stand for another.
const (
	macRecord  = "record"
	macSegment = "segment"
	macHead    = "head"
	macSeen    = "store"
)

// mac authenticates fields, in hexadecimal. Each is prefixed with its length, so that two different lists of fields
// never are the same octets.
func (k Key) mac(kind string, fields ...[]byte) string {
	const usual = 1 << 10 // octets of nearly every record
	text := append(append(append(make([]byte, 0, usual), "regain-audit-v2 "...), kind...), '\n')
	for _, field := range fields {
		text = append(append(strconv.AppendInt(text, int64(len(field)), 10), ':'), field...)
	}
	h := hmac.New(sha256.New, k.secret[:])
	h.Write(text)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

func sameMAC(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func number(n uint64) []byte { return strconv.AppendUint(nil, n, 10) }
