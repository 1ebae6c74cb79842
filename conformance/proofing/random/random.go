// Package random makes what nobody may guess: cookies, codes, tokens and identifiers.
package random

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// Source lets many requests share a source of randomness that need not be safe for concurrent use.
type Source struct {
	mu     sync.Mutex
	source io.Reader
}

// New takes unpredictable bytes from source.
func New(source io.Reader) *Source { return &Source{source: source} }

func (s *Source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Read(p)
}

// Token draws n random bytes and writes them as base64url.
func (s *Source) Token(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(s, raw); err != nil {
		return "", fmt.Errorf("drawing random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Digits draws n decimal digits, each as likely as another.
func (s *Source) Digits(n int) (string, error) {
	text := make([]byte, 0, n)
	for len(text) < n {
		var raw [1]byte
		if _, err := io.ReadFull(s, raw[:]); err != nil {
			return "", fmt.Errorf("drawing digits: %w", err)
		}
		if raw[0] < 250 {
			text = append(text, '0'+raw[0]%10)
		}
	}
	return string(text), nil
}

// UUID draws a random UUID as a URN (RFC 9562 §5.4).
func (s *Source) UUID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s, raw[:]); err != nil {
		return "", fmt.Errorf("drawing a UUID: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	h := hex.EncodeToString(raw[:])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

// Digest is SHA-256 as base64url: a secret is looked up by it without being kept.
func Digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
