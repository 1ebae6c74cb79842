// Package nonce makes server nonces that work once: the c_nonce of key proofs (OpenID4VCI 1.0 §7) and, from a book of
// its own, the nonce of DPoP proofs (RFC 9449 §8).
//
// Anybody may ask for nonces, so giving one out keeps nothing: a nonce is 16 random bytes, the time and a MAC over both.
// Only nonces that came back are kept, and only callers with something genuine in hand get that far.
package nonce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"
)

// Life is how long a nonce is good for.
const Life = 5 * time.Minute

// Book gives nonces out and takes each back once. It is safe for concurrent use if its source of randomness is.
type Book struct {
	random io.Reader
	key    [32]byte

	mu    sync.Mutex
	spent map[string]time.Time // nonce → forget at
}

const (
	randomLength = 16
	bodyLength   = randomLength + 8
	length       = bodyLength + 16
)

// NewBook draws a key: what another book gave out is nothing to this one.
func NewBook(random io.Reader) (*Book, error) {
	b := &Book{random: random, spent: map[string]time.Time{}}
	if _, err := io.ReadFull(random, b.key[:]); err != nil {
		return nil, fmt.Errorf("drawing the nonce key: %w", err)
	}
	return b, nil
}

func (b *Book) mac(body []byte) []byte {
	m := hmac.New(sha256.New, b.key[:])
	m.Write(body)
	return m.Sum(nil)[:length-bodyLength]
}

// Issue makes a nonce.
func (b *Book) Issue(now time.Time) (string, error) {
	body := make([]byte, bodyLength, length)
	if _, err := io.ReadFull(b.random, body[:randomLength]); err != nil {
		return "", fmt.Errorf("drawing a nonce: %w", err)
	}
	binary.BigEndian.PutUint64(body[randomLength:], uint64(now.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(body, b.mac(body)...)), nil
}

// Valid reports whether the nonce is of this book and fresh, spent or not.
func (b *Book) Valid(nonce string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(raw) != length || !hmac.Equal(raw[bodyLength:], b.mac(raw[:bodyLength])) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(raw[randomLength:bodyLength])), 0))
	return age >= 0 && age <= Life
}

// Spend takes a nonce back. It reports false for one that is not valid or was spent before.
func (b *Book) Spend(nonce string, now time.Time) bool {
	if !b.Valid(nonce, now) {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, again := b.spent[nonce]; again {
		return false
	}
	for old, forget := range b.spent {
		if now.After(forget) {
			delete(b.spent, old)
		}
	}
	b.spent[nonce] = now.Add(Life + time.Minute)
	return true
}
