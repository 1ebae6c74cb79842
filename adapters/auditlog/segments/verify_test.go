package segments_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"regain/adapters/auditlog/segments"
	"regain/recovery/chain"
)

// A segment that is missing, shortened or there twice is told, by its number.
func TestSegmentsThatAreNotWhole(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(t *testing.T, path string) error
		says  string
	}{
		"the first missing": {func(_ *testing.T, path string) error { return os.Remove(path + ".000001") }, "segments 1 to 1 (records up to 2) are not here"},
		"one missing":       {func(_ *testing.T, path string) error { return os.Remove(path + ".000002") }, "segment 3 does not follow segment 1"},
		"the last missing":  {func(_ *testing.T, path string) error { return os.Remove(path) }, "has 6 records in segments up to 3, its head says record 8 in segment 4"},
		"all missing": {func(_ *testing.T, path string) error {
			return errors.Join(os.Remove(path), os.Remove(path+".000001"), os.Remove(path+".000002"), os.Remove(path+".000003"))
		}, "segment 1 is not beside "},
		"one shortened": {func(t *testing.T, path string) error {
			lines(t, path+".000002", 2)
			return nil
		}, "records 4 to 4 are missing at the end of segment 2"},
		"the last shortened": {func(t *testing.T, path string) error { lines(t, path, 2); return nil }, "has 7 records, its head says 8"},
		"one twice": {func(t *testing.T, path string) error {
			write(t, path+".copy", read(t, path+".000002"))
			return nil
		}, "are all segment 2"},
		"one of another log": {func(t *testing.T, path string) error {
			text, _ := chained(t, chain.Head{}, 1)
			more, _ := chained(t, chain.Head{}, 2)
			write(t, path+".000001", append(text, bytes.SplitAfter(bytes.ReplaceAll(more, []byte("txn-2"), []byte("txn-9")), []byte("\n"))[2]...))
			return nil
		}, "record 2 was changed"},
		"one of another log, made with the key": {func(t *testing.T, path string) error {
			k := keyOf(t, 1)
			first := k.Begin(chain.Head{}, noon.Add(1), false)
			one, err := k.Next(first.Head(), record("one"))
			two, err2 := k.Next(chain.Head{Segment: 1, Seq: 1, MAC: one.MAC}, record("two"))
			write(t, path+".000001", append(append(first.Encode(), one.Encode()...), two.Encode()...))
			return errors.Join(err, err2)
		}, "carries on at another record 2 than segment 1 ends with"},
		"its head another's": {func(t *testing.T, path string) error {
			write(t, segments.HeadPath(path), []byte(keyOf(t, 1).EncodeHead(chain.Head{Segment: 4, Seq: 8, MAC: strings.Repeat("ab", 32)})))
			return nil
		}, "record 8 is not the one its head names"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, _ := written(t, 2, 2, 2, 2)
			if r, err := segments.Verify(verification(t, path)); err != nil || r.To != 8 || r.From != 1 || r.Segments != 4 || r.First != 1 || r.Last != 4 {
				t.Fatalf("%+v, %v", r, err)
			}
			must(t, row.spoil(t, path))
			_, err := segments.Verify(verification(t, path))
			said(t, "verify", err, row.says)
			said(t, "verify", err, "verify audit log: ")
		})
	}
}

// Segments that are kept elsewhere are verified with the rest.
func TestSegmentsElsewhere(t *testing.T) {
	path, _ := written(t, 2, 0)
	archived := filepath.Join(t.TempDir(), "first.jsonl")
	must(t, os.Rename(path+".000001", archived))
	v := verification(t, path)
	v.More = []string{archived}
	if r, err := segments.Verify(v); err != nil || r.Segments != 2 || r.From != 1 || r.To != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	v.More, v.From = nil, 2
	if r, err := segments.Verify(v); err != nil || r.Segments != 1 || r.From != 3 || r.To != 2 {
		t.Errorf("from the second: %+v, %v", r, err)
	}
	v.From = 3
	_, err := segments.Verify(v)
	said(t, "from one that does not exist", err, "segment 3 is not beside "+path)
	v.From, v.More = 1, []string{archived, archived}
	_, err = segments.Verify(v)
	said(t, "one twice", err, "are all segment 1")
}

// What Verify says of files that are not as they were.
func TestWhatVerifySays(t *testing.T) {
	t.Parallel()
	path, heads := written(t, 2, 2)
	first, last := heads[0], heads[1]
	v := verification(t, path)
	verify := func(what, says string) {
		t.Helper()
		_, err := segments.Verify(v)
		said(t, what, err, says)
	}
	// Files beside the log that are none of it are not read, and nothing is said of them.
	text := read(t, path)
	for _, name := range []string{path + "2", filepath.Join(filepath.Dir(path), "copy.jsonl"), filepath.Join(filepath.Dir(path), ".audit.jsonl.swp")} {
		write(t, name, text)
	}
	for _, ending := range []string{".lock", ".new", ".rotate"} {
		write(t, path+ending, nil)
	}
	must(t, errors.Join(os.Mkdir(path+".d", 0o700), os.Symlink(path+".none", path+".link")))
	if r, err := segments.Verify(v); err != nil || len(r.Notes) != 0 || r.Segments != 2 || r.From != 1 || r.To != 4 || r.First != 1 || r.Last != 2 || r.Head != last {
		t.Errorf("%+v, %v", r, err)
	}
	write(t, path+".txt", []byte("x\n"))
	if r, err := segments.Verify(v); err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], ".txt is no segment of this log") {
		t.Errorf("%+v, %v", r, err)
	}
	v.From, v.Kept = 2, first
	verify("a head of a segment that is not read", "the head names segment 1, which is not here")
	v.From = 0
	verify("a head within the log", "")
	v.Kept = chain.Head{}
	v.More = []string{path + ".txt"}
	verify("no segment, named by the caller", ".txt: not")
	v.More = []string{path + ".none"}
	verify("no file, named by the caller", ".none: no such file or directory")
	v.More = nil
	v.Kept = chain.Head{Segment: 2, Seq: 4, MAC: strings.Repeat("ab", 32)}
	verify("another record of that number", "record 4 is not the one its head names")
	v.Kept = chain.Head{Segment: 2, Seq: 3, MAC: last.MAC}
	verify("another number of that record", "record 3 is not the one its head names")
	v.Kept = chain.Head{Segment: 1, Seq: 3, MAC: last.MAC}
	verify("a record of another segment", "has 2 records, its head says 3")
	v.Kept = chain.Head{Segment: 3, Seq: 4, MAC: last.MAC}
	verify("a segment that is not there", "has 4 records in segments up to 2, its head says record 4 in segment 3")
	v.Kept = last
	head := read(t, path+".head")
	must(t, os.Remove(path+".head"))
	if r, err := segments.Verify(v); err != nil || !strings.Contains(strings.Join(r.Notes, "\n"), ".head is missing; the head that was kept elsewhere is compared alone") {
		t.Errorf("%+v, %v", r, err)
	}
	v.Kept = chain.Head{}
	verify("no head at all", "the audit log's head is missing")
	v.Kept = last
	write(t, path+".head", []byte("x"))
	verify("a head that is none, though one was kept", "no valid head")
	write(t, path+".head", head)
	write(t, path, []byte("x\n"))
	_, err := segments.Verify(v)
	said(t, "a log that is none", err, "audit.jsonl: not the first line")
	if !errors.Is(err, chain.ErrBroken) {
		t.Errorf("a log that is none: %v", err)
	}
	v.Path = filepath.Join(t.TempDir(), "none", "audit.jsonl")
	verify("no directory", "no such file or directory")
}

// Where there is neither a log nor its head, the name may be misspelt: that is said before anybody looks for a thief.
func TestALogOfNoName(t *testing.T) {
	t.Parallel()
	path, _ := written(t, 3)
	_, err := segments.Verify(segments.Verification{Path: path + ".misspelt", Key: keyOf(t, 1)})
	said(t, "a misspelt name", err, "no log has this name, or it was removed with its head")
	must(t, os.Remove(segments.HeadPath(path)))
	_, err = segments.Verify(segments.Verification{Path: path, Key: keyOf(t, 1)})
	said(t, "a log without its head", err, "audit.jsonl.head: the audit log's head is missing")
}

// A segment that an administrator began after a loss is told.
func TestASegmentThatWasBegun(t *testing.T) {
	path, heads := written(t, 1, 1)
	begun := keyOf(t, 1).Begin(heads[0], noon, true)
	write(t, path, begun.Encode())
	write(t, path+".head", []byte(keyOf(t, 1).EncodeHead(begun.Head())))
	r, err := segments.Verify(verification(t, path))
	if err != nil || len(r.Notes) != 1 || r.Notes[0] != "segment 2 was begun by `regain audit begin` at 2026-11-30 12:00:00 UTC: records before it may be missing" {
		t.Errorf("%+v, %v", r, err)
	}
}

// reads lets a file be opened so many times, and calls before ahead of what is read of it each time: what happens to the
// other files meanwhile. The name is a link to a named pipe, another one each time.
func reads(t *testing.T, name string, text []byte, times int, before func(n int)) <-chan error {
	t.Helper()
	pipe := func(n int) string { return fmt.Sprintf("%s.%d", name, n) }
	for n := range times {
		must(t, syscall.Mkfifo(pipe(n), 0o600))
	}
	must(t, os.Symlink(pipe(0), name))
	done := make(chan error, 1)
	go func() {
		var failed error
		for n := range times {
			writer, err := os.OpenFile(pipe(n), os.O_WRONLY, 0) // which waits for the reader
			if err == nil {
				err = errors.Join(os.Symlink(pipe(n+1), name+".next"), os.Rename(name+".next", name))
				before(n)
				_, _ = writer.Write(text) // a reader of the first line may have gone
				err = errors.Join(err, writer.Close())
			}
			failed = errors.Join(failed, err)
		}
		done <- failed
	}()
	return done
}

// A node begins a new segment while an older one is being read: the one that was written to is found under its new name.
func TestARotationWhileASegmentIsRead(t *testing.T) {
	path, heads := written(t, 1, 1)
	first := read(t, path+".000001")
	must(t, os.Remove(path+".000001"))
	v := verification(t, path)
	v.More = []string{filepath.Join(t.TempDir(), "pipe")}
	text, _ := chained(t, heads[1], 1)
	done := reads(t, v.More[0], first, 2, func(n int) {
		if n == 1 { // the first time is for the first line
			must(t, os.Rename(path, path+".1"))
			write(t, path, text)
		}
	})
	if r, err := segments.Verify(v); err != nil || r.Segments != 2 || r.To != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	must(t, <-done)
}

// So is one that was compressed, and what is wrong with it is told.
func TestASegmentThatIsCompressedMeanwhile(t *testing.T) {
	for says, change := range map[string]func(text []byte) []byte{
		"":                     func(text []byte) []byte { return text },
		"record 2 was changed": func(text []byte) []byte { return bytes.Replace(text, []byte("txn-2"), []byte("txn-9"), 1) },
	} {
		path, _ := written(t, 1, 1, 1)
		first := read(t, path+".000001")
		must(t, os.Remove(path+".000001"))
		v := verification(t, path)
		v.More = []string{filepath.Join(t.TempDir(), "pipe")}
		done := reads(t, v.More[0], first, 2, func(n int) {
			if n == 1 {
				write(t, path+".000002", change(read(t, path+".000002")))
				compress(t, path+".000002")
			}
		})
		_, err := segments.Verify(v)
		said(t, "verify", err, says)
		must(t, <-done)
	}
}

// It is deleted meanwhile: what cannot be found is told.
func TestASegmentThatIsDeletedMeanwhile(t *testing.T) {
	path, heads := written(t, 1, 1)
	first := read(t, path+".000001")
	must(t, os.Remove(path+".000001"))
	v := verification(t, path)
	v.More = []string{filepath.Join(t.TempDir(), "pipe")}
	text, _ := chained(t, heads[1], 1)
	done := reads(t, v.More[0], first, 2, func(n int) {
		if n == 1 {
			write(t, path, text)
		}
	})
	_, err := segments.Verify(v)
	said(t, "verify", err, "segment 2 is not beside "+path)
	must(t, <-done)
}

// What was read while a node began a segment is read again, three times at most: the head says whether one was begun.
func TestVerifyTriesAgain(t *testing.T) {
	path, heads := written(t, 1, 1)
	first, second := read(t, path+".000001"), read(t, path)
	must(t, errors.Join(os.Remove(path+".000001"), os.Remove(path)))
	v := verification(t, path)
	v.More = []string{filepath.Join(t.TempDir(), "pipe")}
	third, head := chained(t, heads[1], 1)
	// The second segment is being moved when the files are listed. It is there, and the head says so, the next time.
	done := reads(t, v.More[0], first, 4, func(n int) {
		if n == 1 {
			write(t, path+".000002", second)
			write(t, path, third)
			write(t, path+".head", []byte(keyOf(t, 1).EncodeHead(head)))
		}
	})
	if r, err := segments.Verify(v); err != nil || r.Segments != 3 || r.Head != head {
		t.Errorf("%+v, %v", r, err)
	}
	must(t, <-done)
	// A node that begins one each time.
	must(t, os.Remove(path+".000002"))
	v.More[0] += "2"
	times := 0
	done = reads(t, v.More[0], first, 6, func(int) {
		times++
		head.Segment++
		write(t, path+".head", []byte(keyOf(t, 1).EncodeHead(head)))
	})
	_, err := segments.Verify(v)
	said(t, "always another", err, "segment 3 does not follow segment 1")
	must(t, <-done)
	if times != 6 { // twice each time
		t.Errorf("%d times", times)
	}
	// One whose head is gone then.
	v.More[0] += "3"
	done = reads(t, v.More[0], first, 2, func(int) { _ = os.Remove(path + ".head") })
	_, err = segments.Verify(v)
	said(t, "the head gone", err, "segment 3 does not follow segment 1")
	must(t, <-done)
}
