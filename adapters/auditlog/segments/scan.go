package auditlog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"regain/recovery"
	"regain/recovery/chain"
)

// aside is the name of a segment that was rotated away.
func aside(path string, segment uint64) string { return fmt.Sprintf("%s.%06d", path, segment) }

// scanned is what was read of a segment.
type scanned struct {
	path    string
	segment chain.Segment
	last    chain.Head // after the last whole record
	whole   int64      // octets up to there
	wanted  []chain.Head
	holds   map[chain.Head]bool // which of the wanted heads the segment goes through
	issued  []recovery.Event
}

// scan verifies one segment. It looks for the wanted heads, and collects the passes. What it returns beside an error is
// what was read until then.
func scan(path string, key chain.Key, wanted ...chain.Head) (scanned, error) {
	s := scanned{path: path, wanted: wanted, holds: make(map[chain.Head]bool)}
	reader, err := openSegment(path)
	if err != nil {
		return s, err
	}
	defer reader.Close() //nolint:errcheck // only read
	s.segment, s.last, err = key.VerifySegment(reader, s.see)
	if s.segment.Number > 0 {
		s.whole += int64(len(s.segment.Encode()))
		for _, head := range wanted {
			s.holds[head] = s.holds[head] || head == s.segment.Head()
		}
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *scanned) see(link chain.Link) {
	s.whole += int64(len(link.Encode()))
	for _, head := range s.wanted {
		if head.Seq == link.Seq && head.MAC == link.MAC {
			s.holds[head] = true
		}
	}
	s.collect(link)
}

// collect keeps the record of a pass.
func (s *scanned) collect(link chain.Link) {
	var event recovery.Event
	if mayIssue(link.Event) && json.Unmarshal(link.Event, &event) == nil && event.Type == recovery.EventPassIssuing {
		s.issued = append(s.issued, event)
	}
}

func mayIssue(text []byte) bool {
	return bytes.Contains(text, []byte(`"`+recovery.EventPassIssuing+`"`))
}

// glance collects the passes of a segment that the next one follows, verifying their records and the last one and no
// other: a start does not read a busy hour.
func glance(path string, key chain.Key, next chain.Segment) (s scanned, err error) {
	reader, err := openSegment(path)
	if err != nil {
		return s, err
	}
	defer reader.Close() //nolint:errcheck // only read
	const longest = 1 << 20
	lines := bufio.NewReaderSize(reader, longest)
	first, err := lines.ReadSlice('\n')
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	if s.segment, err = key.ParseSegment(first); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	s.last = s.segment.Head()
	var last []byte
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return s, fmt.Errorf("%s: %w", path, err)
		}
		if err != nil {
			break
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
		s.last.Seq, s.last.MAC = link.Seq, link.MAC
	}
	return s, next.Follows(s.last)
}

// openSegment opens a segment, which may be compressed.
func openSegment(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return file, err
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

// firstLine reads the first line of a segment.
func firstLine(path string, key chain.Key) (chain.Segment, error) {
	reader, err := openSegment(path)
	if err != nil {
		return chain.Segment{}, err
	}
	defer reader.Close() //nolint:errcheck // only read
	const enough = 4096
	line, err := bufio.NewReaderSize(reader, enough).ReadSlice('\n')
	if err != nil {
		return chain.Segment{}, fmt.Errorf("not the first line of a segment: %w", err)
	}
	return key.ParseSegment(line)
}

// segments finds the files beside the log at path that begin as a segment of it does, the one at path included, by
// number. Whatever they are called: logrotate has names of its own. others are files that could be segments and are not.
func segments(path string, key chain.Key) (found map[uint64][]string, others []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, nil, err
	}
	found = make(map[uint64][]string)
	for _, entry := range entries {
		name := filepath.Join(filepath.Dir(path), entry.Name())
		rest, ours := strings.CutPrefix(entry.Name(), filepath.Base(path))
		if !ours || rest != "" && rest[0] != '.' && rest[0] != '-' || auxiliary(rest) || !isFile(name) {
			continue
		}
		segment, err := firstLine(name, key)
		if err != nil {
			others = append(others, name)
			continue
		}
		found[segment.Number] = append(found[segment.Number], name)
	}
	return found, others, nil
}

// isFile reports whether there is a file of this name, or a link to one: a log may live on another volume.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// auxiliary reports whether a file with this ending is one of ours that holds no records.
func auxiliary(ending string) bool {
	return ending == ".head" || ending == ".lock" || ending == newEnding || ending == rotateEnding
}

// find returns the segment of this number, the file that has our own name for it first.
func find(path string, number uint64, key chain.Key) (string, error) {
	name := aside(path, number)
	if segment, err := firstLine(name, key); err == nil && segment.Number == number {
		return name, nil
	}
	found, _, err := segments(path, key)
	if err != nil {
		return "", err
	}
	if len(found[number]) == 0 {
		return "", fmt.Errorf("segment %d is not beside %s: %w", number, path, fs.ErrNotExist)
	}
	return found[number][0], nil
}

// reaches reports whether a segment goes through the head, or is a later one.
func (s scanned) reaches(head chain.Head) error {
	switch {
	case head.Segment > s.segment.Number:
		return fmt.Errorf("names segment %d, and %s is segment %d: %w", head.Segment, s.path, s.segment.Number, ErrTruncated)
	case head.Segment < s.segment.Number && head.Seq > s.segment.Seq:
		return fmt.Errorf("names record %d, and %s carries on at record %d: %w", head.Seq, s.path, s.segment.Seq, ErrTruncated)
	case head.Segment < s.segment.Number:
		return nil // `regain audit verify` compares
	case head.Seq > s.last.Seq:
		return fmt.Errorf("names record %d, and %s ends with record %d: %w", head.Seq, s.path, s.last.Seq, ErrTruncated)
	case !s.holds[head]:
		return fmt.Errorf("names another record %d than %s has: %w", head.Seq, s.path, chain.ErrBroken)
	}
	return nil
}
