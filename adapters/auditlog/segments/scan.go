package segments

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"regain/recovery"
	"regain/recovery/chain"
)

// Scanned is what was read of a segment.
type Scanned struct {
	Path    string
	Segment chain.Segment    // without a number if there is none
	Last    chain.Head       // after the last whole record
	Whole   int64            // octets up to there
	Issued  []recovery.Event // the passes
	wanted  []chain.Head
	holds   map[chain.Head]bool // which of the wanted heads the segment goes through
	each    func(chain.Link)    // sees every record; nil for none
}

// Scan verifies one segment. It looks for the wanted heads, and collects the passes. What it returns beside an error is
// what was read until then.
func Scan(path string, key chain.Key, wanted ...chain.Head) (Scanned, error) {
	return scan(path, key, nil, wanted)
}

// scan is Scan, and each sees every record that was verified.
func scan(path string, key chain.Key, each func(chain.Link), wanted []chain.Head) (Scanned, error) {
	s := Scanned{Path: path, wanted: wanted, holds: make(map[chain.Head]bool), each: each}
	reader, err := open(path)
	if err != nil {
		return s, err
	}
	defer reader.Close() //nolint:errcheck // only read
	s.Segment, s.Last, err = key.VerifySegment(reader, s.see)
	s.Whole += int64(len(s.Segment.Encode()))
	s.holds[s.Segment.Head()] = true
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Scanned) see(link chain.Link) {
	s.Whole += int64(len(link.Encode()))
	for _, head := range s.wanted {
		if head.Seq == link.Seq && head.MAC == link.MAC {
			s.holds[head] = true
		}
	}
	if s.each != nil {
		s.each(link)
		return
	}
	s.collect(link)
}

// collect keeps the record of a pass.
func (s *Scanned) collect(link chain.Link) {
	var event recovery.Event
	if mayIssue(link.Event) && json.Unmarshal(link.Event, &event) == nil && event.Type == recovery.EventPassIssuing {
		s.Issued = append(s.Issued, event)
	}
}

// mayIssue spares the decoding of nearly all other events.
func mayIssue(text []byte) bool {
	return bytes.Contains(text, []byte(`"`+recovery.EventPassIssuing+`"`))
}

// Reaches reports whether a segment goes through the head, which was one of those wanted, or is a later one.
func (s Scanned) Reaches(head chain.Head) error {
	switch {
	case head.Segment > s.Segment.Number:
		return fmt.Errorf("names segment %d, and %s is segment %d: %w", head.Segment, s.Path, s.Segment.Number, ErrTruncated)
	case head.Segment < s.Segment.Number && head.Seq > s.Segment.Seq:
		return fmt.Errorf("names record %d, and %s carries on at record %d: %w", head.Seq, s.Path, s.Segment.Seq, ErrTruncated)
	case head.Segment < s.Segment.Number:
		return nil // Verify compares
	case head.Seq > s.Last.Seq:
		return fmt.Errorf("names record %d, and %s ends with record %d: %w", head.Seq, s.Path, s.Last.Seq, ErrTruncated)
	case !s.holds[head]:
		return fmt.Errorf("names another record %d than %s has: %w", head.Seq, s.Path, chain.ErrBroken)
	}
	return nil
}

// open opens a segment, which may be compressed.
func open(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(path, ".gz") {
		return file, nil
	}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unzipped, file}, nil
}
