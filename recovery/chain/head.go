package chain

import (
	"fmt"
	"strconv"
)

// Head is the place of the last record: whoever keeps one can prove later that nothing up to there was removed or
// changed. The zero Head is that of a log without a segment.
type Head struct {
	Segment uint64
	Seq     uint64
	MAC     string
}

// HeadSize is the size of a head's line in octets. It is fixed, so that a head can be overwritten in place.
const HeadSize = len("regain-audit-head") + 1 + headDigits + 1 + headDigits + 1 + headMAC + 1 + headMAC + 1

const (
	headName   = "regain-audit-head"
	headDigits = 20 // of the largest uint64
	headMAC    = 2 * keySize
)

// EncodeHead returns the head as one line, with a MAC of its own: a head cannot be made up from a record of the log.
func (k Key) EncodeHead(h Head) string {
	return fmt.Sprintf("%s %020d %020d %s %s\n", headName, h.Segment, h.Seq, h.MAC, k.macOfHead(h))
}

func (k Key) macOfHead(h Head) string {
	return k.mac(macHead, number(h.Segment), number(h.Seq), []byte(h.MAC))
}

// ParseHead reads a line that EncodeHead wrote with this key.
func (k Key) ParseHead(line string) (Head, error) {
	if len(line) != HeadSize {
		return Head{}, fmt.Errorf("not a head of an audit log: %w", ErrBroken)
	}
	fields := line[len(headName)+1:]
	segment, _ := strconv.ParseUint(fields[:headDigits], 10, 64)
	fields = fields[headDigits+1:]
	seq, _ := strconv.ParseUint(fields[:headDigits], 10, 64)
	fields = fields[headDigits+1:]
	h := Head{Segment: segment, Seq: seq, MAC: fields[:headMAC]}
	if k.EncodeHead(h) != line { // which says so of whatever is not a number, too
		return Head{}, fmt.Errorf("the head was not made with this key: %w", ErrBroken)
	}
	return h, nil
}
