package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxEarlier bounds the file of an earlier run: the lines of a thousand configurations.
const maxEarlier = 1 << 20

// comparison is the line that Run prints after a report: each figure in proportion to the earlier one.
type comparison struct {
	With string `json:"compared_with"`
	Setup
	Ratios map[string]float64 `json:"ratios"` // null where the earlier run had no such configuration
}

// earlier is what an earlier run printed.
type earlier struct {
	file    string
	reports map[Setup]map[string]float64
}

// readEarlier reads the lines of an earlier run, which must have one of the configurations at least: whoever mistakes the
// file does not want to know after minutes.
func readEarlier(file string, wanted []Setup) (*earlier, error) {
	text, err := readBounded(file)
	if err != nil {
		return nil, fmt.Errorf("load: --compare: %w", err)
	}
	e := &earlier{file: file, reports: make(map[Setup]map[string]float64)}
	var has []string
	for i, line := range bytes.Split(text, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s, figures, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("load: --compare %s: line %d: %w", file, i+1, err)
		}
		if figures == nil {
			continue
		}
		if _, again := e.reports[s]; !again {
			has = append(has, s.String())
		}
		e.reports[s] = figures // of a configuration that was measured twice, the last
	}
	for _, s := range wanted {
		if e.reports[s] != nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("load: --compare %s: it has none of the configurations that are to be measured: give one of its own (%s), or leave --compare out", file, strings.Join(has, "; "))
}

func readBounded(name string) (text []byte, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if text, err = io.ReadAll(io.LimitReader(file, maxEarlier+1)); err == nil && len(text) > maxEarlier {
		err = fmt.Errorf("%s has more than %d bytes: give the lines that `regain load` printed", name, maxEarlier)
	}
	return text, err
}

// parseLine returns the configuration and the figures of a report, and no figures of a comparison.
func parseLine(line []byte) (s Setup, figures map[string]float64, err error) {
	const cure = "give the lines that `regain load` printed"
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return s, nil, fmt.Errorf("%w: %s", err, cure)
	}
	if members["compared_with"] != nil {
		return s, nil, nil
	}
	if members["workers"] == nil || members["store"] == nil {
		return s, nil, fmt.Errorf("it has no store and workers: %s, and none of a version before it said what it measured", cure)
	}
	if err := json.Unmarshal(line, &s); err != nil {
		return s, nil, fmt.Errorf("%w: %s", err, cure)
	}
	figures, err = figuresOf(line)
	return s, figures, err
}

// figuresOf returns what a report measured, by the names of its members: all but the configuration, and how long it ran.
func figuresOf(line []byte) (map[string]float64, error) {
	var all map[string]any
	if err := json.Unmarshal(line, &all); err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	figures := make(map[string]float64)
	for name, value := range all {
		number, ok := value.(float64)
		if ok && name != "workers" && name != "waiting" && name != "recoveries" {
			figures[name] = number
		}
	}
	return figures, nil
}

// compare sets a report in proportion to the earlier one of the same configuration. A figure that was zero has none.
func (e *earlier) compare(r Report) (comparison, error) {
	c := comparison{With: e.file, Setup: r.Setup}
	before := e.reports[r.Setup]
	if before == nil {
		return c, nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return c, fmt.Errorf("compare: %w", err)
	}
	now, err := figuresOf(line)
	if err != nil {
		return c, err
	}
	c.Ratios = make(map[string]float64)
	for name, figure := range now {
		if before[name] > 0 {
			c.Ratios[name] = round(figure / before[name])
		}
	}
	return c, nil
}
