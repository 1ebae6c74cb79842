package diagnosis

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Record is one request's event record, as far as a diagnosis needs it.
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
}

// ErrNotFound means that no record has the id.
var ErrNotFound = errors.New("no record of this id")

// maxLine bounds one line of a log.
const maxLine = 1 << 20

// Find reads event records in JSON, one a line, and returns those of the recovery that id belongs to: a correlation id, or
// the transaction's. They are in the order of time. Lines that are no records are passed over, as other programs write
// into the same log.
func Find(logs io.Reader, id string) ([]Record, error) {
	records, err := read(logs)
	if err != nil {
		return nil, err
	}
	transaction := id
	for _, r := range records {
		if r.Correlation == id && r.Transaction.ID != "" {
			transaction = r.Transaction.ID
		}
	}
	found := slices.DeleteFunc(records, func(r Record) bool { return r.Correlation != id && r.Transaction.ID != transaction })
	if len(found) == 0 || id == "" {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
	}
	slices.SortStableFunc(found, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return found, nil
}

func read(logs io.Reader) ([]Record, error) {
	lines := bufio.NewScanner(logs)
	lines.Buffer(nil, maxLine)
	var records []Record
	for lines.Scan() {
		var r Record
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Correlation != "" {
			records = append(records, r)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return records, nil
}
