package storage

import "fmt"

// Epoch names a time in the life of a store. It is random: a store that was put back to an older copy of itself gets a new
// one, which no copy has, and what was written in any other is void. The zero Epoch is that of a store that knows no epochs.
type Epoch [8]byte

// Epochs says which epoch it is. Package generation implements it.
type Epochs interface {
	Epoch() Epoch
	// Changed hears that something was written, or is about to be.
	Changed()
}

// Outlives reports whether records of the kind stay valid when an older copy of the store was put back. All others are
// permissions that somebody may have used up since: to go on with a recovery, to redeem, to sign in, to refresh, to use a
// pass. They are void, which is the rule for every kind that is not listed here. A record that is void still takes its id: ids
// of such kinds are random, or have the epoch in them.
func (k Kind) Outlives() bool {
	switch k {
	case "jti", "dpop": // they forbid: without them an assertion or a proof would be good a second time
		return true
	case "client": // a registration is no use of anything, and nobody could register again in the client's name
		return true
	case "audit_head": // an older one demands less of the log, and none would demand nothing
		return true
	case KindGeneration, KindIssued: // what all this is known by
		return true
	}
	return false
}

// The kinds of records by which a store that went back is noticed: see package generation.
const (
	KindGeneration = Kind("generation")
	KindIssued     = Kind("issued")
)

// errVoid is ErrNotFound, of a record that was written in another epoch.
var errVoid = fmt.Errorf("written before an older copy of the store was put back: %w", ErrNotFound)

// Under has the store write each record in the current epoch, and treat those of any other as if they did not exist. It is
// called before the store is used.
func (s *Sealed) Under(epochs Epochs) *Sealed {
	s.epochs = epochs
	return s
}

// changes says that something is about to be written.
func (s *Sealed) changes() {
	if s.epochs != nil {
		s.epochs.Changed()
	}
}

// dated is data with the epoch in front.
func (s *Sealed) dated(data []byte) []byte {
	s.changes()
	var now Epoch
	if s.epochs != nil {
		now = s.epochs.Epoch()
	}
	return append(append(make([]byte, 0, len(now)+len(data)), now[:]...), data...)
}

// undated is the data behind the epoch, or errVoid.
func (s *Sealed) undated(kind Kind, dated []byte) ([]byte, error) {
	var written Epoch
	if copy(written[:], dated) < len(written) {
		return nil, fmt.Errorf("read %s: written by an older version of this program", kind)
	}
	if s.epochs != nil && !kind.Outlives() && written != s.epochs.Epoch() {
		return nil, errVoid
	}
	return dated[len(written):], nil
}
