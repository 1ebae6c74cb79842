package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// nonceWindow is how long a nonce is handed out; it is accepted for one more window.
const nonceWindow = 2 * time.Minute

// nonces generates nonces that need no storage: the HMAC of the number of a time window (RFC 9449 §8 leaves the
// format to the server). They limit the age of a proof; the store of used jti prevents replay.
type nonces struct{ keys [][]byte } // the first makes nonces, the others are those of nodes that go by another order

func (n nonces) at(now time.Time) string { return nonceOf(n.keys[0], windowOf(now)) }

func windowOf(now time.Time) int64 { return now.Unix() / int64(nonceWindow/time.Second) }

func nonceOf(key []byte, window int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("dpop nonce"))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(window))) //nolint:gosec // seconds since 1970
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (n nonces) good(nonce string, now time.Time) bool {
	good := false
	for _, key := range n.keys {
		good = good || equal(nonce, nonceOf(key, windowOf(now))) || equal(nonce, nonceOf(key, windowOf(now.Add(-nonceWindow))))
	}
	return good
}
