// Package chain links the records of an audit log with a keyed hash, so that nothing can be removed, inserted, moved or
// changed unnoticed by anybody who has no key. It knows the lines of a log and no files.
//
//	Segment  the first line of a file: it carries on where the file before it ended
//	Link     every other line: an audit event, its number, the MAC of the line before it, and its own
//	Head     where a log ended at some time, with a MAC of its own, to be kept elsewhere
//	Key      makes all three, and is the only way to verify them
//
// What the chain shows is that a log is whole between two of its lines. Records removed from its end show only against a
// Head that whoever removed them could not replace.
package chain

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// ErrBroken means that a log was altered. ErrUnfinished means that only its last line is incomplete, as after a crash:
// that record was never acknowledged.
var (
	ErrBroken     = errors.New("audit chain is broken")
	ErrUnfinished = errors.New("last audit record is unfinished")
)

// maxLine bounds the length of one log line in octets.
const maxLine = 1 << 20

// VerifySegment reads a segment: its first line, and then one record a line. It calls see with every valid record, in
// order, and returns the segment's first line and the head after its last whole record. An altered line is an ErrBroken
// that names the line's number. Whether the segment follows the one before it, its caller compares
// ([Segment.Follows]).
func (k Key) VerifySegment(r io.Reader, see func(Link)) (Segment, Head, error) {
	lines := bufio.NewReaderSize(r, maxLine)
	first, err := readLine(lines)
	if err != nil {
		return Segment{}, Head{}, fmt.Errorf("line 1: %w", err)
	}
	segment, err := k.ParseSegment(first)
	if err != nil {
		return Segment{}, Head{}, fmt.Errorf("line 1: %w", err)
	}
	last := segment.Head()
	for n := 2; ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return segment, last, nil
		}
		if err != nil {
			return segment, last, fmt.Errorf("line %d: %w", n, err)
		}
		link, err := k.ParseLink(line)
		if err != nil {
			return segment, last, fmt.Errorf("line %d: %w", n, err)
		}
		if link.Seq != last.Seq+1 || !sameMAC(link.Prev, last.MAC) {
			return segment, last, fmt.Errorf("line %d does not follow the one before it: %w", n, ErrBroken)
		}
		last.Seq, last.MAC = link.Seq, link.MAC
		see(link)
	}
}

// readLine returns the next line, which is valid until the call after it. The end of the log is io.EOF.
func readLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case errors.Is(err, io.EOF):
		return nil, ErrUnfinished
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("has more than %d octets: %w", maxLine, ErrBroken)
	case err != nil:
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return line, nil
}
