package proofing

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// dice lets many requests share a source of randomness that need not be safe for concurrent use.
type dice struct {
	mu     sync.Mutex
	source io.Reader
}

func (d *dice) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.Read(p)
}

// token draws n random bytes and writes them as base64url.
func (s *Server) token(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(s.config.Random, raw); err != nil {
		return "", fmt.Errorf("drawing random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// transactionDigits is the length of the transaction codes that people type.
const transactionDigits = 6

// digits draws n decimal digits, each as likely as another.
func (s *Server) digits(n int) (string, error) {
	text := make([]byte, 0, n)
	for len(text) < n {
		var raw [1]byte
		if _, err := io.ReadFull(s.config.Random, raw[:]); err != nil {
			return "", fmt.Errorf("drawing digits: %w", err)
		}
		if raw[0] < 250 {
			text = append(text, '0'+raw[0]%10)
		}
	}
	return string(text), nil
}

// identifier draws a random UUID as a URN (RFC 9562 §5.4).
func (s *Server) identifier() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.config.Random, raw[:]); err != nil {
		return "", fmt.Errorf("drawing a UUID: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	h := hex.EncodeToString(raw[:])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

// digest is SHA-256 as base64url: how secrets are looked up without being kept, and how SD-JWT names disclosures.
func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
