package recovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Segment is the first line of one file of an audit log: it carries on where the segment before it ended, and is a link
// of the chain itself.
type Segment struct {
	Number  uint64    `json:"segment"` // from 1
	Seq     uint64    `json:"seq"`     // of the last record before it
	Prev    string    `json:"prev"`    // MAC of that record; "" in the first segment
	Started time.Time `json:"started"` // when it was begun
	// Begun says that an administrator began it although what was before was missing.
	Begun bool   `json:"begun,omitempty"`
	MAC   string `json:"mac"`
}

// Head is the place of the last record: whoever keeps one can prove later that nothing up to there was removed or
// changed. The zero Head is that of a log without a segment.
type Head struct {
	Segment uint64
	Seq     uint64
	MAC     string
}

// Begin returns the first line of the segment that carries on at last.
func (k ChainKey) Begin(last Head, now time.Time, begun bool) Segment {
	s := Segment{Number: last.Segment + 1, Seq: last.Seq, Prev: last.MAC, Started: now.UTC(), Begun: begun}
	s.MAC = k.macOfSegment(s)
	return s
}

func (k ChainKey) macOfSegment(s Segment) string {
	return k.mac(macSegment, number(s.Number), number(s.Seq), []byte(s.Prev), []byte(s.Started.Format(time.RFC3339Nano)), strconv.AppendBool(nil, s.Begun))
}

// Head returns the head of a segment without a record.
func (s Segment) Head() Head { return Head{Segment: s.Number, Seq: s.Seq, MAC: s.MAC} }

// Follows reports whether the segment carries on at last, the head of the one before it. The error is an ErrChain and
// says what is missing.
func (s Segment) Follows(last Head) error {
	switch {
	case s.Number != last.Segment+1:
		return fmt.Errorf("segment %d does not follow segment %d: %w", s.Number, last.Segment, ErrChain)
	case s.Seq > last.Seq:
		return fmt.Errorf("records %d to %d are missing at the end of segment %d: %w", last.Seq+1, s.Seq, last.Segment, ErrChain)
	case s.Seq < last.Seq || !sameMAC(s.Prev, last.MAC):
		return fmt.Errorf("segment %d carries on at another record %d than segment %d ends with: %w", s.Number, s.Seq, last.Segment, ErrChain)
	}
	return nil
}

// Encode returns the segment's first line.
func (s Segment) Encode() []byte {
	line, err := json.Marshal(s)
	if err != nil { // a struct of numbers, strings and a time
		return nil
	}
	return append(line, '\n')
}

// ParseSegment reads the first line of a segment, byte for byte as Encode writes it, and verifies it.
func (k ChainKey) ParseSegment(line []byte) (Segment, error) {
	var s Segment
	if err := json.Unmarshal(line, &s); err != nil {
		return Segment{}, fmt.Errorf("not the first line of a segment: %w", errors.Join(ErrChain, err))
	}
	switch {
	case !bytes.Equal(s.Encode(), line) || s.Number == 0:
		return Segment{}, fmt.Errorf("not the first line of a segment: %w", ErrChain)
	case !sameMAC(s.MAC, k.macOfSegment(s)):
		return Segment{}, fmt.Errorf("the first line of segment %d was not made with this key: %w", s.Number, ErrChain)
	}
	return s, nil
}

// HeadSize is the size of a head's line in octets. It is fixed, so that a head can be overwritten in place.
const HeadSize = len("regain-audit-head") + 1 + headDigits + 1 + headDigits + 1 + headMAC + 1 + headMAC + 1

const (
	headName   = "regain-audit-head"
	headDigits = 20 // of the largest uint64
	headMAC    = 2 * chainKeySize
)

// EncodeHead returns the head as one line, with a MAC of its own: a head cannot be made up from a record of the log.
func (k ChainKey) EncodeHead(h Head) string {
	return fmt.Sprintf("%s %020d %020d %s %s\n", headName, h.Segment, h.Seq, h.MAC, k.macOfHead(h))
}

func (k ChainKey) macOfHead(h Head) string {
	return k.mac(macHead, number(h.Segment), number(h.Seq), []byte(h.MAC))
}

// ParseHead reads a line that EncodeHead wrote with this key.
func (k ChainKey) ParseHead(line string) (Head, error) {
	if len(line) != HeadSize {
		return Head{}, fmt.Errorf("not a head of an audit log: %w", ErrChain)
	}
	fields := line[len(headName)+1:]
	segment, _ := strconv.ParseUint(fields[:headDigits], 10, 64)
	fields = fields[headDigits+1:]
	seq, _ := strconv.ParseUint(fields[:headDigits], 10, 64)
	fields = fields[headDigits+1:]
	h := Head{Segment: segment, Seq: seq, MAC: fields[:headMAC]}
	if k.EncodeHead(h) != line { // which says so of whatever is not a number, too
		return Head{}, fmt.Errorf("the head was not made with this key: %w", ErrChain)
	}
	return h, nil
}
