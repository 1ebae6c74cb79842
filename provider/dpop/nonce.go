package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// nonceWindow is how long one nonce is given out; it is taken for as long again.
const nonceWindow = 2 * time.Minute

// nonces makes nonces that need no store: the number of a window of time and its HMAC (RFC 9449 §8 leaves the making to
// the server). They limit how long ago a proof can have been made; that it works once is the replay store's business.
type nonces struct{ key []byte }

func (n nonces) at(now time.Time) string { return n.of(now.Unix() / int64(nonceWindow/time.Second)) }

func (n nonces) of(window int64) string {
	mac := hmac.New(sha256.New, n.key)
	mac.Write([]byte("dpop nonce"))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(window))) //nolint:gosec // seconds since 1970
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (n nonces) good(nonce string, now time.Time) bool {
	return equal(nonce, n.at(now)) || equal(nonce, n.at(now.Add(-nonceWindow)))
}
