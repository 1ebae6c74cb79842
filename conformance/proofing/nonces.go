package proofing

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

// nonceBook gives out c_nonces and takes each back once (OpenID4VCI 1.0 §7). Anybody may ask for nonces, so giving one
// out keeps nothing: a nonce is 16 random bytes, the time and a MAC over both. Only nonces that came back are kept, and
// only callers with something genuine in hand get that far.
type nonceBook struct {
	random io.Reader
	key    [32]byte

	mu    sync.Mutex
	spent map[string]time.Time // nonce → forget at
}

const (
	nonceRandom = 16
	nonceBody   = nonceRandom + 8
	nonceLength = nonceBody + 16
)

func newNonceBook(random io.Reader) (*nonceBook, error) {
	b := &nonceBook{random: random, spent: map[string]time.Time{}}
	if _, err := io.ReadFull(random, b.key[:]); err != nil {
		return nil, fmt.Errorf("drawing the nonce key: %w", err)
	}
	return b, nil
}

func (b *nonceBook) mac(body []byte) []byte {
	m := hmac.New(sha256.New, b.key[:])
	m.Write(body)
	return m.Sum(nil)[:nonceLength-nonceBody]
}

// issue makes a nonce that is good for shortLife.
func (b *nonceBook) issue(now time.Time) (string, error) {
	body := make([]byte, nonceBody, nonceLength)
	if _, err := io.ReadFull(b.random, body[:nonceRandom]); err != nil {
		return "", fmt.Errorf("drawing a nonce: %w", err)
	}
	binary.BigEndian.PutUint64(body[nonceRandom:], uint64(now.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(body, b.mac(body)...)), nil
}

// valid reports whether the nonce is ours and fresh, spent or not.
func (b *nonceBook) valid(nonce string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(raw) != nonceLength || !hmac.Equal(raw[nonceBody:], b.mac(raw[:nonceBody])) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(raw[nonceRandom:nonceBody])), 0))
	return age >= 0 && age <= shortLife
}

// spend takes a nonce back. It reports false for one that is not valid or was spent before.
func (b *nonceBook) spend(nonce string, now time.Time) bool {
	if !b.valid(nonce, now) {
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
	b.spent[nonce] = now.Add(shortLife + time.Minute)
	return true
}
