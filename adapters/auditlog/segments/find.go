package segments

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"regain/recovery/chain"
)

// All finds the files beside the log at path that begin as a segment of it does, the one at path included, by number.
// Whatever they are called: logrotate has names of its own. others are files that could be segments and are not.
func All(path string, key chain.Key) (found map[uint64][]string, others []string, err error) {
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

// Find returns the file of the segment of this number, the one that has our own name for it first.
func Find(path string, number uint64, key chain.Key) (string, error) {
	name := Aside(path, number)
	if segment, err := firstLine(name, key); err == nil && segment.Number == number {
		return name, nil
	}
	found, _, err := All(path, key)
	if err != nil {
		return "", err
	}
	if len(found[number]) == 0 {
		return "", fmt.Errorf("segment %d is not beside %s: %w", number, path, fs.ErrNotExist)
	}
	return found[number][0], nil
}

// firstLine reads the first line of a segment.
func firstLine(path string, key chain.Key) (chain.Segment, error) {
	reader, err := open(path)
	if err != nil {
		return chain.Segment{}, err
	}
	defer reader.Close()                               //nolint:errcheck // only read
	line, _ := bufio.NewReader(reader).ReadSlice('\n') // what is no whole line is no first line
	return key.ParseSegment(line)
}

// isFile reports whether there is a file of this name, or a link to one: a log may live on another volume.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// auxiliary reports whether a file with this ending is one of ours that holds no records. The head of a log that was put away
// ends as the log's own does.
func auxiliary(ending string) bool {
	return strings.HasSuffix(ending, HeadPath("")) || ending == SeenPath("") || ending == SeenPath("")+NewEnding || ending == LockEnding || ending == NewEnding || ending == RotateEnding || ending == PruneEnding
}
