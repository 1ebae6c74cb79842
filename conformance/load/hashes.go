package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// hashes are the hashes and HMACs of one recovery, beside those inside of a signature. scripts/count counts them: it runs
// recoveries with a standard library in which each operation notes itself and who asked for it.
type hashes struct {
	sha256     messages // digests that are signed or compared, ids of records, keys of caches
	hmacSHA256 messages
	hmacSHA512 messages // SHA-512/256, of fosite's codes and tokens
}

// messages are how many are hashed, and how many bytes they have together.
type messages struct{ count, bytes int }

// hashesOfNode are those that a recovery needs whatever the store: 5 HMACs of passes, 9 of records of the audit log and
// its head, 4 of codes and tokens.
func hashesOfNode() hashes {
	return hashes{sha256: messages{62, 19_100}, hmacSHA256: messages{14, 4_200}, hmacSHA512: messages{4, 128}}
}

// hashesOfFile are those of the keyed sum of the file store, which each change brings up to date.
func hashesOfFile() hashes { return hashes{hmacSHA256: messages{48, 31_500}} }

// hasher makes them, with each key prepared once: that much a recovery cannot do without.
type hasher struct {
	all        []hashes
	hmacSHA256 hash.Hash
	hmacSHA512 hash.Hash
	room       [sha512.Size]byte
}

func newHasher(key []byte, all ...hashes) *hasher {
	return &hasher{all: all, hmacSHA256: hmac.New(sha256.New, key), hmacSHA512: hmac.New(sha512.New512_256, key)}
}

// make hashes as much as one recovery does, of a text that is long enough.
func (h *hasher) make(text []byte) {
	for _, one := range h.all {
		for range one.sha256.count {
			sha256.Sum256(text[:one.sha256.bytes/one.sha256.count])
		}
		h.keyed(h.hmacSHA256, one.hmacSHA256, text)
		h.keyed(h.hmacSHA512, one.hmacSHA512, text)
	}
}

func (h *hasher) keyed(mac hash.Hash, m messages, text []byte) {
	for range m.count {
		mac.Reset()
		mac.Write(text[:m.bytes/m.count])
		mac.Sum(h.room[:0])
	}
}
