package diagnosis

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"regain/recovery"
)

// Record is the event record of one HTTP request, with the fields that a diagnosis needs, or a record of an audit log.
type Record struct {
	Time        time.Time     `json:"time"`
	Message     string        `json:"msg"`
	Correlation string        `json:"correlation_id"`
	Method      string        `json:"method"`
	Route       string        `json:"route"`
	Status      int           `json:"status"`
	Took        time.Duration `json:"took"` // nanoseconds
	Transaction struct {
		ID    string `json:"id"`
		State string `json:"state"`
	} `json:"transaction"`
	Presentation *Diagnosis `json:"presentation"`
	Cause        string     `json:"cause"`
	// Event is set in a record of an audit log alone, and Seq is its number there.
	Event *recovery.Event `json:"-"`
	Seq   uint64          `json:"-"`
	// Log is the name of the log that has the record.
	Log string `json:"-"`
}

// Log is a log of a node: of its requests, or an audit log. One that can be read again from its beginning takes no memory for
// what is not asked for.
type Log struct {
	Name string
	io.Reader
}

// ErrNotFound means that no record has this id.
var ErrNotFound = errors.New("no record of this id")

// maxLine bounds the length of one log line in bytes. What is longer is none of ours.
const maxLine = 1 << 20

// Find reads event records, one JSON object a line, and returns those of the recovery with this id, ordered by time.
// id is a correlation id or a transaction id. Other lines are skipped, since other programs may write to the same
// log.
func Find(logs io.Reader, id string) ([]Record, error) { return FindIn(id, Log{Reader: logs}) }

// FindIn is Find in the logs of any number of nodes, audit logs among them.
func FindIn(id string, logs ...Log) ([]Record, error) {
	if id == "" {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
	}
	s := search{id: id, transaction: id}
	for _, log := range logs {
		seeker, can := log.Reader.(io.Seeker)
		if can {
			_, err := seeker.Seek(0, io.SeekCurrent) // a pipe says no
			can = err == nil
		}
		s.keepAll = s.keepAll || !can
	}
	if err := s.read(logs); err != nil {
		return nil, err
	}
	for _, r := range s.found {
		if r.Correlation == id && r.Transaction.ID != "" {
			s.transaction = r.Transaction.ID
		}
	}
	if s.transaction != id && !s.keepAll {
		for _, log := range logs {
			if _, err := log.Reader.(io.Seeker).Seek(0, io.SeekStart); err != nil { //nolint:forcetypeassert // looked at above
				return nil, fmt.Errorf("read the log again: %w", err)
			}
		}
		if err := s.read(logs); err != nil {
			return nil, err
		}
	}
	found := slices.DeleteFunc(s.found, func(r Record) bool { return !s.wants(r) })
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
	}
	slices.SortStableFunc(found, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return found, nil
}

// search collects records.
type search struct {
	id, transaction string
	keepAll         bool // a log can be read once only
	found           []Record
}

// wants reports whether a record is of what is searched for.
func (s *search) wants(r Record) bool {
	if r.Event != nil {
		return string(r.Event.Transaction) == s.transaction
	}
	return r.Correlation == s.id || r.Transaction.ID == s.transaction
}

func (s *search) read(logs []Log) error {
	s.found = nil
	for _, log := range logs {
		lines := bufio.NewReaderSize(log.Reader, maxLine)
		for {
			line, err := nextLine(lines)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("read the log: %w", err)
			}
			if r, ok := parse(line); ok && (s.keepAll || s.wants(r)) {
				r.Log = log.Name
				s.found = append(s.found, r)
			}
		}
	}
	return nil
}

// nextLine returns the next line, valid until the call after it; of one that is too long nothing.
func nextLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	if len(line) > 0 && errors.Is(err, io.EOF) {
		return line, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = lines.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) {
		err = nil // which the next call says again
	}
	return nil, err
}

// parse reads a line that is a record of ours.
func parse(line []byte) (r Record, ok bool) {
	if !bytes.HasPrefix(line, []byte(`{"seq":`)) { // as every record of an audit log begins
		return r, json.Unmarshal(line, &r) == nil && r.Correlation != ""
	}
	var recorded struct {
		Seq   uint64          `json:"seq"`
		Event *recovery.Event `json:"event"`
	}
	if json.Unmarshal(line, &recorded) != nil || recorded.Event == nil || recorded.Event.Transaction == "" {
		return r, false
	}
	r.Time, r.Transaction.ID = recorded.Event.Time, string(recorded.Event.Transaction)
	r.Event, r.Seq = recorded.Event, recorded.Seq
	return r, true
}
