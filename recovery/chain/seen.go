package chain

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// Seen is what a node knew last of its store: its generation and its epoch. It is kept beside the log, so that a store that
// was put back to an older copy of itself is noticed.
type Seen struct {
	Number uint64
	Epoch  [8]byte
}

const seenName = "regain-audit-store"

// EncodeSeen returns it as one line, with a MAC of its own.
func (k Key) EncodeSeen(s Seen) string {
	return fmt.Sprintf("%s %020d %x %s\n", seenName, s.Number, s.Epoch, k.mac(macSeen, number(s.Number), s.Epoch[:]))
}

// ParseSeen reads a line that EncodeSeen wrote with this key.
func (k Key) ParseSeen(line string) (s Seen, err error) {
	const start, epoch = len(seenName) + 1, len(seenName) + 1 + headDigits + 1
	if len(line) == len(k.EncodeSeen(s)) {
		s.Number, _ = strconv.ParseUint(line[start:start+headDigits], 10, 64)
		_, _ = hex.Decode(s.Epoch[:], []byte(line[epoch:epoch+2*len(s.Epoch)]))
	}
	if k.EncodeSeen(s) != line { // which says so of whatever is not a number, too
		return Seen{}, fmt.Errorf("what the node knew of its store was not written with this key: %w", ErrBroken)
	}
	return s, nil
}
