package segments_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// keyOf returns a key that is all one octet.
func keyOf(t testing.TB, octet byte) chain.Key {
	t.Helper()
	k, err := chain.NewKey(bytes.Repeat([]byte{octet}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// chained returns a segment of n records that follows last, and its head. Record 7 is the pass of transaction "txn-7".
func chained(t testing.TB, last chain.Head, n int) ([]byte, chain.Head) {
	t.Helper()
	k := keyOf(t, 1)
	segment := k.Begin(last, noon, false)
	text, head := segment.Encode(), segment.Head()
	for range n {
		link, err := k.Next(head, record(recovery.TransactionID(fmt.Sprintf("txn-%d", head.Seq+1))))
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, link.Encode()...)
		head.Seq, head.MAC = link.Seq, link.MAC
	}
	return text, head
}

// written writes a log of segments with so many records each, the last one at its path, and its head. It returns the head
// of each segment, too.
func written(t testing.TB, records ...int) (path string, heads []chain.Head) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit.jsonl")
	var head chain.Head
	for i, n := range records {
		var text []byte
		text, head = chained(t, head, n)
		name := path
		if i < len(records)-1 {
			name = segments.Aside(path, uint64(i+1))
		}
		write(t, name, text)
		heads = append(heads, head)
	}
	write(t, segments.HeadPath(path), []byte(keyOf(t, 1).EncodeHead(head)))
	return path, heads
}

// record is that of a transaction's pass.
func record(id recovery.TransactionID) recovery.Event {
	return recovery.Event{Time: noon, Type: recovery.EventPassIssuing, Transaction: id}
}

func write(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// must stops a test whose preparation failed.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lines keeps the first n lines of a file.
func lines(t testing.TB, name string, n int) {
	t.Helper()
	write(t, name, bytes.Join(bytes.SplitAfter(read(t, name), []byte("\n"))[:n], nil))
}

func compress(t testing.TB, name string) {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write(read(t, name))
	must(t, errors.Join(err, w.Close(), os.Remove(name)))
	write(t, name+".gz", zipped.Bytes())
}

func verification(t testing.TB, path string) segments.Verification {
	t.Helper()
	return segments.Verification{Path: path, Key: keyOf(t, 1)}
}

func said(t testing.TB, what string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: got %v, want it to say %q", what, err, want)
	}
}

// Of two heads the one of the later segment counts, whichever record it names and wherever it stands.
func TestTheLaterHeadCounts(t *testing.T) {
	k, mac := keyOf(t, 1), strings.Repeat("ab", 32)
	early, late := chain.Head{Segment: 1, Seq: 9, MAC: mac}, chain.Head{Segment: 2, Seq: 5, MAC: mac}
	later := chain.Head{Segment: 2, Seq: 6, MAC: mac}
	for _, pair := range [][3]chain.Head{{early, late, late}, {late, early, late}, {late, later, later}, {later, late, later}} {
		if got, err := segments.ParseHead(k.EncodeHead(pair[0])+k.EncodeHead(pair[1]), k); err != nil || got != pair[2] {
			t.Errorf("of %d.%d and %d.%d: %+v, %v", pair[0].Segment, pair[0].Seq, pair[1].Segment, pair[1].Seq, got, err)
		}
	}
	other := late
	other.MAC = strings.Repeat("cd", 32)
	if got := segments.Later(late, other); got != late {
		t.Errorf("of two of one record: %+v", got)
	}
}

// A head that was torn by a crash is as good as the one before it; two torn ones are none.
func TestTornHeads(t *testing.T) {
	k := keyOf(t, 1)
	_, before := chained(t, chain.Head{}, 4)
	_, after := chained(t, chain.Head{}, 5)
	whole := []byte(k.EncodeHead(before) + k.EncodeHead(after))
	for i := range whole {
		torn := bytes.Clone(whole)
		torn[i] ^= 1
		head, err := segments.ParseHead(string(torn), k)
		if err != nil || head.Seq != 4 && head.Seq != 5 {
			t.Fatalf("octet %d: %+v, %v", i, head, err)
		}
		torn[(i+chain.HeadSize)%len(torn)] ^= 1
		if head, err := segments.ParseHead(string(torn), k); !errors.Is(err, chain.ErrBroken) || head != (chain.Head{}) || !strings.Contains(err.Error(), "no valid head") {
			t.Fatalf("octets %d of both: %+v, %v", i, head, err)
		}
	}
	if _, err := segments.ParseHead(string(whole)+string(whole), k); !errors.Is(err, chain.ErrBroken) {
		t.Errorf("four heads: %v", err)
	}
	if head, err := segments.ParseHead(string(whole)+"x", k); !errors.Is(err, chain.ErrBroken) || !strings.Contains(err.Error(), "more than two lines") {
		t.Errorf("an octet too many: %+v, %v", head, err)
	}
}

// A head that cannot be read is not one that is missing.
func TestReadHead(t *testing.T) {
	path, heads := written(t, 3)
	if head, err := segments.ReadHead(path, keyOf(t, 1)); err != nil || head != heads[0] {
		t.Errorf("%+v, %v", head, err)
	}
	for name, row := range map[string]struct {
		spoil   func(head string) error
		says    string
		missing bool
	}{
		"gone":         {os.Remove, "the audit log's head is missing", true},
		"empty":        {func(head string) error { return os.Truncate(head, 0) }, "the audit log's head is missing", true},
		"a directory":  {func(head string) error { return errors.Join(os.Remove(head), os.Mkdir(head, 0o700)) }, "read the audit log's head: ", false},
		"another text": {func(head string) error { return os.Truncate(head, 9) }, "audit.jsonl.head: no valid head: not a head of an audit log", false},
	} {
		path, _ := written(t, 3)
		must(t, row.spoil(segments.HeadPath(path)))
		head, err := segments.ReadHead(path, keyOf(t, 1))
		said(t, name, err, row.says)
		if errors.Is(err, segments.ErrNoHead) != row.missing || head != (chain.Head{}) {
			t.Errorf("%s: %+v, %v", name, head, err)
		}
	}
}

// What was read of a segment: the octets of its whole records, its passes, and which heads it goes through.
func TestScan(t *testing.T) {
	path, heads := written(t, 2, 3)
	text := read(t, path)
	wrong := chain.Head{Segment: 2, Seq: 4, MAC: heads[1].MAC} // of record 5
	middle := chain.Head{Segment: 2, Seq: 2, MAC: keyOf(t, 1).Begin(heads[0], noon, false).MAC}
	wanted := []chain.Head{heads[1], wrong, middle, {}}
	for name, row := range map[string]struct {
		text  []byte
		whole int
		last  uint64
		says  string
	}{
		"whole":                {text, len(text), 5, ""},
		"an unfinished record": {text[:len(text)-1], bytes.LastIndexByte(text[:len(text)-1], '\n') + 1, 4, "last audit record is unfinished"},
		"no record":            {bytes.SplitAfter(text, []byte("\n"))[0], bytes.IndexByte(text, '\n') + 1, 2, ""},
		"a line that is none":  {append(bytes.Clone(text), "{}\n"...), len(text), 5, "line 5: not a record"},
	} {
		write(t, path, row.text)
		s, err := segments.Scan(path, keyOf(t, 1), wanted...)
		said(t, name, err, row.says)
		if s.Whole != int64(row.whole) || s.Last.Seq != row.last || s.Segment.Number != 2 || len(s.Issued) != int(row.last-2) || s.Path != path {
			t.Errorf("%s: %d octets, to record %d, %d passes", name, s.Whole, s.Last.Seq, len(s.Issued))
		}
		if row.last == 5 {
			said(t, name+", its own head", s.Reaches(heads[1]), "")
		}
		said(t, name+", the head of the first line", s.Reaches(middle), "")
		said(t, name+", no head", s.Reaches(chain.Head{}), "")
		said(t, name+", the segment before", s.Reaches(heads[0]), "")
	}
	write(t, path, text)
	s, err := segments.Scan(path, keyOf(t, 1), wanted...)
	must(t, err)
	for says, head := range map[string]chain.Head{
		"names segment 3, and":                        {Segment: 3, Seq: 5, MAC: heads[1].MAC},
		"names record 3, and " + path + " carries on": {Segment: 1, Seq: 3, MAC: heads[0].MAC},
		"names record 6, and " + path + " ends with":  {Segment: 2, Seq: 6, MAC: heads[1].MAC},
		"names another record 4 than":                 wrong,
	} {
		err := s.Reaches(head)
		said(t, "a head", err, says)
		if lost := !strings.Contains(says, "another"); errors.Is(err, segments.ErrTruncated) != lost || errors.Is(err, chain.ErrBroken) == lost {
			t.Errorf("%s: %v", says, err)
		}
	}
	for i, id := range []recovery.TransactionID{"txn-3", "txn-4", "txn-5"} {
		if s.Issued[i].Transaction != id || !s.Issued[i].Time.Equal(noon) {
			t.Errorf("pass %d: %+v", i, s.Issued[i])
		}
	}
	for name, text := range map[string]string{"missing": "", "missing.gz": "", "plain.gz": "x\n", "none": "x\n"} {
		name := filepath.Join(t.TempDir(), name)
		if text != "" {
			write(t, name, []byte(text))
		}
		s, err := segments.Scan(name, keyOf(t, 1))
		if err == nil || errors.Is(err, os.ErrNotExist) != (text == "") || errors.Is(err, io.EOF) || s.Segment.Number != 0 || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// Only the record of a pass is one, whatever other events contain.
func TestOnlyPassesAreCollected(t *testing.T) {
	path, _ := written(t, 0)
	k := keyOf(t, 1)
	head := k.Begin(chain.Head{}, noon, false).Head()
	text := read(t, path)
	for _, event := range []recovery.Event{
		{Type: recovery.EventPassIssuing, Transaction: "one"}, {Type: recovery.EventPassFailed, Transaction: "two", Client: "pass_issuing"},
		{Type: recovery.EventPassIssued, Transaction: "three"}, {Type: recovery.EventRecoveryDenied, Transaction: "four"},
	} {
		link, err := k.Next(head, event)
		must(t, err)
		text, head.Seq, head.MAC = append(text, link.Encode()...), link.Seq, link.MAC
	}
	write(t, path, text)
	s, err := segments.Scan(path, k)
	g, err2 := segments.Glance(path, k, k.Begin(head, noon, false))
	must(t, errors.Join(err, err2))
	for _, found := range [][]recovery.Event{s.Issued, g.Issued} {
		if len(found) != 1 || found[0].Transaction != "one" {
			t.Errorf("%+v", found)
		}
	}
}

// What a glance at an older segment tells: its passes, if it is the one that the next segment follows.
func TestGlance(t *testing.T) {
	path, heads := written(t, 3, 1)
	name, k := segments.Aside(path, 1), keyOf(t, 1)
	next := k.Begin(heads[0], noon, false)
	whole := read(t, name)
	each := bytes.SplitAfter(whole, []byte("\n"))
	for what, row := range map[string]struct {
		text []byte
		next chain.Segment
		says string
	}{
		"whole":                   {whole, next, ""},
		"no record":               {each[0], k.Begin(k.Begin(chain.Head{}, noon, false).Head(), noon, false), ""},
		"a pass changed":          {bytes.Replace(whole, []byte("txn-1"), []byte("txn-9"), 1), next, "record 1 was changed"},
		"the last one changed":    {bytes.Replace(whole, []byte("txn-3"), []byte("txn-9"), 1), next, "record 3 was changed"},
		"its end cut":             {bytes.Join(each[:3], nil), next, "records 3 to 3 are missing"},
		"its end half cut":        {whole[:len(whole)-2], next, "records 3 to 3 are missing"},
		"a line that is too long": {bytes.Join([][]byte{each[0], each[1], bytes.Repeat([]byte("x"), 1<<20), []byte("\n"), each[2], each[3]}, nil), next, "records 2 to 3 are missing"},
		"another segment's next":  {whole, k.Begin(heads[1], noon, false), "segment 3 does not follow segment 1"},
		"a last line of none":     {append(bytes.Clone(whole), "{}\n"...), next, "not a record"},
		"half of a first line":    {whole[:20], next, "not the first line"},
		"nothing":                 {nil, next, "not the first line"},
		"no first line":           {each[1], next, "not the first line"},
	} {
		write(t, name, row.text)
		s, err := segments.Glance(name, k, row.next)
		said(t, what, err, row.says)
		if err == nil && len(s.Issued) != int(s.Last.Seq) {
			t.Errorf("%s: %d passes of %d", what, len(s.Issued), s.Last.Seq)
		}
	}
	must(t, os.Remove(name))
	_, err := segments.Glance(name, k, next)
	said(t, "gone", err, "no such file or directory")
}

// A segment is found by what is in it, under our own name first.
func TestFind(t *testing.T) {
	path, _ := written(t, 1, 1, 1)
	k := keyOf(t, 1)
	find := func(what string, number uint64, want string) {
		t.Helper()
		if name, err := segments.Find(path, number, k); name != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, want %q: %v", what, name, want, err)
		}
	}
	find("our own name", 1, path+".000001")
	find("at the log's path", 3, path)
	find("none", 4, "")
	find("nobody's number", 0, "")
	write(t, path+"-copy", read(t, path+".000001"))
	find("beside a copy", 1, path+".000001")
	must(t, os.Remove(path+".000001"))
	find("the copy", 1, path+"-copy")
	must(t, os.Rename(path+".000002", path+".000001"))
	find("under the name of another", 2, path+".000001")
	find("whose name another has", 1, path+"-copy")
	compress(t, path+"-copy")
	find("compressed", 1, path+"-copy.gz")
	_, err := segments.Find(path, 9, k)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "segment 9 is not beside "+path) {
		t.Errorf("%v", err)
	}
	_, err = segments.Find(filepath.Join(path, "none"), 1, k)
	said(t, "no directory", err, "not a directory")
}
