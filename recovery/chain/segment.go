package chain

import (
	"bytes"
	"encoding/json"
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

// Begin returns the first line of the segment that carries on at last.
func (k Key) Begin(last Head, now time.Time, begun bool) Segment {
	s := Segment{Number: last.Segment + 1, Seq: last.Seq, Prev: last.MAC, Started: now.UTC(), Begun: begun}
	s.MAC = k.macOfSegment(s)
	return s
}

func (k Key) macOfSegment(s Segment) string {
	return k.mac(macSegment, number(s.Number), number(s.Seq), []byte(s.Prev), []byte(s.Started.Format(time.RFC3339Nano)), strconv.AppendBool(nil, s.Begun))
}

// Head returns the head of a segment without a record.
func (s Segment) Head() Head { return Head{Segment: s.Number, Seq: s.Seq, MAC: s.MAC} }

// Follows reports whether the segment carries on at last, the head of the one before it. The error is an ErrBroken and
// says what is missing.
func (s Segment) Follows(last Head) error {
	switch {
	case s.Number != last.Segment+1:
		return fmt.Errorf("segment %d does not follow segment %d: %w", s.Number, last.Segment, ErrBroken)
	case s.Seq > last.Seq:
		return fmt.Errorf("records %d to %d are missing at the end of segment %d: %w", last.Seq+1, s.Seq, last.Segment, ErrBroken)
	case s.Seq < last.Seq || !sameMAC(s.Prev, last.MAC):
		return fmt.Errorf("segment %d carries on at another record %d than segment %d ends with: %w", s.Number, s.Seq, last.Segment, ErrBroken)
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
func (k Key) ParseSegment(line []byte) (Segment, error) {
	var s Segment
	_ = json.Unmarshal(line, &s) // what is no JSON is not what Encode writes
	switch {
	case !bytes.Equal(s.Encode(), line) || s.Number == 0:
		return Segment{}, fmt.Errorf("not the first line of a segment: %w", ErrBroken)
	case !sameMAC(s.MAC, k.macOfSegment(s)):
		return Segment{}, fmt.Errorf("the first line of segment %d was not made with this key: %w", s.Number, ErrBroken)
	}
	return s, nil
}
