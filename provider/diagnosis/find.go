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

// Record is the event record of one HTTP request, with the fields that a diagnosis needs.
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

// ErrNotFound means that no record has this id.
var ErrNotFound = errors.New("no record of this id")

// maxLine bounds the length of one log line in bytes.
const maxLine = 1 << 20

// Find reads event records, one JSON object a line, and returns those of the recovery with this id, ordered by time.
// id is a correlation id or a transaction id. Other lines are skipped, since other programs may write to the same
// log.
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
