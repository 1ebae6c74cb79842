package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"regain/recovery"
)

func headPath(path string) string { return path + ".head" }

// headSize is the fixed size of a head, so that it can be overwritten in place by one write.
const headSize = 20 + 1 + 64 + 1

// writeHead records the last durable record's number and hash.
func (l *Log) writeHead(last recovery.Link) error {
	if _, err := l.head.WriteAt(fmt.Appendf(nil, "%020d %64s\n", last.Seq, last.Hash), 0); err != nil {
		return fmt.Errorf("write audit log's head: %w", err)
	}
	return nil
}

// ErrTruncated means that records are missing at the end of a log.
var ErrTruncated = errors.New("audit log ends before its head")

// Verify checks a whole log against itself and its head, and returns the number of records.
func Verify(path string) (uint64, error) {
	last, _, err := verifyFile(path)
	if err != nil {
		return 0, fmt.Errorf("verify audit log: %w", err)
	}
	return last.Seq, nil
}

// verifyFile returns the last complete record, and the size of all complete records in bytes.
func verifyFile(path string) (last recovery.Link, whole int64, err error) {
	seq, hash, err := readHead(path)
	if err != nil {
		return last, 0, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && seq > 0 {
		return last, 0, fmt.Errorf("%s: is gone, its head says %d records: %w", path, seq, ErrTruncated)
	}
	if err != nil {
		return last, 0, err
	}
	defer file.Close()
	differs := false
	last, err = recovery.VerifyChain(file, func(l recovery.Link) {
		// Records after the head's were written without fsync before the program ended.
		differs = differs || l.Seq == seq && l.Hash != hash
		if line, err := l.Encode(); err == nil {
			whole += int64(len(line))
		}
	})
	switch {
	case err != nil && !errors.Is(err, recovery.ErrUnfinished):
	case last.Seq < seq:
		err = fmt.Errorf("has %d records, its head says %d: %w", last.Seq, seq, ErrTruncated)
	case differs:
		err = fmt.Errorf("record %d is not the one its head names: %w", seq, recovery.ErrChain)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return last, whole, err
}

func readHead(path string) (seq uint64, hash string, err error) {
	data, err := os.ReadFile(headPath(path))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", err
	}
	if len(data) != headSize {
		return 0, "", fmt.Errorf("%s: not a head: %w", headPath(path), recovery.ErrChain)
	}
	if _, err := fmt.Sscanf(strings.TrimSpace(string(data)), "%d %s", &seq, &hash); err != nil {
		return 0, "", fmt.Errorf("%s: not a head: %w", headPath(path), errors.Join(recovery.ErrChain, err))
	}
	return seq, hash, nil
}
