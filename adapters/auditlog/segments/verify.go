package segments

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"regain/recovery/chain"
)

// Verification says what is verified.
type Verification struct {
	Path string // of the log; its other segments are beside it
	Key  chain.Key
	// More are segments that were moved elsewhere.
	More []string
	// From is the first segment that must be there; 0 means the first of all.
	From uint64
	// Kept is a head that was kept elsewhere; zero for none.
	Kept chain.Head

	each func(chain.Link) // sees every record that was verified; nil for none
}

// Report is what was verified.
type Report struct {
	Segments int        `json:"segments"`
	First    uint64     `json:"first_segment"`
	Last     uint64     `json:"last_segment"`
	From     uint64     `json:"first_record"`
	To       uint64     `json:"last_record"` // less than From where there is none
	Head     chain.Head `json:"head"`
	Notes    []string   `json:"notes,omitempty"` // what is not a mistake of the log, and still to be known
}

// Verify checks every segment, that they follow each other, and that they go through the heads. Without a head, beside
// the log or kept elsewhere, it is an error: nothing says how many records there must be.
func Verify(v Verification) (Report, error) {
	const tries, pause = 3, 100 * time.Millisecond
	for n := 1; ; n++ {
		report, err := v.verify()
		if err == nil {
			return report, nil
		}
		// A node that began a new segment meanwhile moved files that were being read, and wrote its head after that.
		time.Sleep(pause)
		if now, _ := ReadHead(v.Path, v.Key); n == tries || now.Segment == report.Head.Segment || now.Segment == 0 {
			return report, fmt.Errorf("verify audit log: %w", err)
		}
	}
}

func (v Verification) verify() (report Report, err error) {
	// The head first: records that are appended meanwhile come after it.
	report.Head, err = ReadHead(v.Path, v.Key)
	if errors.Is(err, ErrNoHead) && v.Kept != (chain.Head{}) {
		report.Notes = append(report.Notes, fmt.Sprintf("%s is missing; the head that was kept elsewhere is compared alone", HeadPath(v.Path)))
	} else if _, gone := os.Stat(v.Path); errors.Is(err, ErrNoHead) && errors.Is(gone, fs.ErrNotExist) {
		return report, fmt.Errorf("%s: no log has this name, or it was removed with its head: %w", v.Path, err)
	} else if err != nil {
		return report, err
	}
	files, notes, err := v.files()
	if err != nil {
		return report, err
	}
	report.Notes = append(report.Notes, notes...)
	heads := slices.DeleteFunc([]chain.Head{report.Head, v.Kept}, func(h chain.Head) bool { return h == chain.Head{} })
	read, err := v.follow(files, heads, &report)
	if err != nil {
		return report, err
	}
	for _, head := range heads {
		if err := through(read, head); err != nil {
			return report, err
		}
	}
	return report, nil
}

// numbered is the file of a segment.
type numbered struct {
	number uint64
	name   string
}

// files finds the segments, one file each, in order.
func (v Verification) files() (files []numbered, notes []string, err error) {
	found, others, err := All(v.Path, v.Key)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range others {
		if name == v.Path {
			_, err := firstLine(name, v.Key)
			return nil, nil, fmt.Errorf("%s: %w", name, errors.Join(err, chain.ErrBroken))
		}
		notes = append(notes, name+" is no segment of this log, or was made with another key")
	}
	for _, name := range v.More {
		segment, err := firstLine(name, v.Key)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		found[segment.Number] = append(found[segment.Number], name)
	}
	for _, n := range slices.Sorted(maps.Keys(found)) {
		if len(found[n]) > 1 {
			return nil, nil, fmt.Errorf("%s are all segment %d: move away the ones that are copies", strings.Join(found[n], ", "), n)
		}
		if n >= v.From {
			files = append(files, numbered{n, found[n][0]})
		}
	}
	return files, notes, nil
}

// follow verifies the segments and that they follow each other.
func (v Verification) follow(files []numbered, heads []chain.Head, report *Report) ([]Scanned, error) {
	var read []Scanned
	for _, file := range files {
		s, err := v.scan(file, heads)
		if err != nil {
			return nil, err
		}
		name := s.Path
		switch {
		case len(read) > 0:
			if err := s.Segment.Follows(read[len(read)-1].Last); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		case s.Segment.Number != max(v.From, 1):
			return nil, fmt.Errorf("segments %d to %d (records up to %d) are not here: name their files too, or, if they are lost, verify with --from %d: %w",
				max(v.From, 1), s.Segment.Number-1, s.Segment.Seq, s.Segment.Number, chain.ErrBroken)
		}
		if s.Segment.Begun {
			report.Notes = append(report.Notes, fmt.Sprintf("segment %d was begun by `regain audit begin` at %s: records before it may be missing", s.Segment.Number, s.Segment.Started.Format("2006-01-02 15:04:05 UTC")))
		}
		s.Issued = nil
		read = append(read, s)
	}
	if len(read) == 0 {
		return nil, fmt.Errorf("segment %d is not beside %s: %w", max(v.From, 1), v.Path, fs.ErrNotExist)
	}
	first, last := read[0], read[len(read)-1]
	report.Segments, report.First, report.Last, report.From, report.To = len(read), first.Segment.Number, last.Segment.Number, first.Segment.Seq+1, last.Last.Seq
	return read, nil
}

// scan reads a segment. It may have been moved aside, or compressed, while those before it were read, which takes minutes
// where there are many.
func (v Verification) scan(file numbered, heads []chain.Head) (Scanned, error) {
	s, err := scan(file.name, v.Key, v.each, heads)
	if s.Segment.Number == file.number {
		return s, err
	}
	name, err := Find(v.Path, file.number, v.Key)
	if err != nil {
		return s, err
	}
	return scan(name, v.Key, v.each, heads)
}

// through reports whether the segments go through the head.
func through(read []Scanned, head chain.Head) error {
	last := read[len(read)-1]
	switch {
	case head.Segment < read[0].Segment.Number:
		return fmt.Errorf("the head names segment %d, which is not here: %w", head.Segment, ErrTruncated)
	case head.Segment > last.Segment.Number:
		return fmt.Errorf("has %d records in segments up to %d, its head says record %d in segment %d: %w", last.Last.Seq, last.Segment.Number, head.Seq, head.Segment, ErrTruncated)
	}
	s := read[head.Segment-read[0].Segment.Number]
	if head.Seq > s.Last.Seq {
		return fmt.Errorf("has %d records, its head says %d: %w", s.Last.Seq, head.Seq, ErrTruncated)
	}
	if !s.holds[head] {
		return fmt.Errorf("record %d is not the one its head names: %w", head.Seq, chain.ErrBroken)
	}
	return nil
}
