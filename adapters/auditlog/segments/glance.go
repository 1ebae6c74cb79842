package segments

import (
	"bufio"
	"fmt"

	"regain/recovery/chain"
)

// Glance collects the passes of a segment that the next one follows, verifying their records and the last one and no
// other: a start does not read a busy hour.
func Glance(path string, key chain.Key, next chain.Segment) (s Scanned, err error) {
	reader, err := open(path)
	if err != nil {
		return s, err
	}
	defer reader.Close() //nolint:errcheck // only read
	const longest = 1 << 20
	lines := bufio.NewReaderSize(reader, longest)
	first, _ := lines.ReadSlice('\n') // what is no whole line is no first line
	if s.Segment, err = key.ParseSegment(first); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	s.Last = s.Segment.Head()
	var last []byte
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			break // the end, or else the next segment does not follow what was read
		}
		if last = append(last[:0], line...); !mayIssue(line) {
			continue
		}
		link, err := key.ParseLink(line)
		if err != nil {
			return s, fmt.Errorf("%s: %w", path, err)
		}
		s.collect(link)
	}
	if len(last) > 0 {
		link, err := key.ParseLink(last)
		if err != nil {
			return s, fmt.Errorf("%s: %w", path, err)
		}
		s.Last.Seq, s.Last.MAC = link.Seq, link.MAC
	}
	return s, next.Follows(s.Last)
}
