// Package segments reads the files of an audit log: the segments, wherever they were moved to, and the head beside them. It
// writes nothing and takes no lock, so it works beside a node that writes, and for an auditor who has copies and the key.
//
// [Verify] reads all of a log. What a start of the log needs is [Scan] for the segment that is written to, [Find] for one
// that was rotated away, and [Glance] for the passes of older ones.
package segments

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"regain/recovery/chain"
)

// Aside is the name of a segment that was rotated away from path. Others may rename it: [Find] goes by what is in it.
func Aside(path string, number uint64) string { return fmt.Sprintf("%s.%06d", path, number) }

// HeadPath is the name of the head of the log at path.
func HeadPath(path string) string { return path + ".head" }

// SeenPath is the name of what the node of the log at path knew last of its store.
func SeenPath(path string) string { return path + ".store" }

// The endings of files beside a log that hold no records.
const (
	LockEnding   = ".lock"
	NewEnding    = ".new"    // a segment that is being begun
	RotateEnding = ".rotate" // somebody asks the node to rotate
)

// ErrTruncated means that records are missing at the end of a log. ErrNoHead means that there is no head beside it.
var (
	ErrTruncated = errors.New("audit log ends before its head")
	ErrNoHead    = errors.New("the audit log's head is missing: nothing says how many records there must be")
)

// ReadHead returns the head beside the log at path.
func ReadHead(path string, key chain.Key) (chain.Head, error) {
	data, err := os.ReadFile(HeadPath(path))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return chain.Head{}, fmt.Errorf("%s: %w", HeadPath(path), ErrNoHead)
	}
	if err != nil {
		return chain.Head{}, fmt.Errorf("read the audit log's head: %w", err)
	}
	head, err := ParseHead(string(data), key)
	if err != nil {
		return chain.Head{}, fmt.Errorf("%s: %w", HeadPath(path), err)
	}
	return head, nil
}

// ParseHead reads a head, of one line or two. Of two the later one counts, and one may be torn: it was being written
// when the machine stopped.
func ParseHead(text string, key chain.Key) (chain.Head, error) {
	if len(text) > 2*chain.HeadSize {
		return chain.Head{}, fmt.Errorf("has more than two lines: %w", chain.ErrBroken)
	}
	lines := []string{text[:min(len(text), chain.HeadSize)], text[min(len(text), chain.HeadSize):]}
	var last chain.Head
	var problems []error
	for _, line := range lines {
		head, err := key.ParseHead(line)
		problems = append(problems, err)
		last = Later(last, head)
	}
	if last == (chain.Head{}) {
		return last, fmt.Errorf("no valid head: %w", errors.Join(append(problems, chain.ErrBroken)...))
	}
	return last, nil
}

// Later returns the later of two heads, and a where they name the same record.
func Later(a, b chain.Head) chain.Head {
	if b.Segment > a.Segment || b.Segment == a.Segment && b.Seq > a.Seq {
		return b
	}
	return a
}
