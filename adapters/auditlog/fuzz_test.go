package auditlog_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

// FuzzFiles edits the log or its head as somebody without the key can, and starts a node on them. It never accepts a
// record that was changed, or a log without its last durable record; what it opens verifies.
func FuzzFiles(f *testing.F) {
	k := key(f, 1)
	path := fresh(f)
	written := open(f, at(f, path))
	add(f, written, recovery.EventPassIssuing, 3)
	if err := written.Close(); err != nil {
		f.Fatal(err)
	}
	log, err := os.ReadFile(path)
	head, err2 := os.ReadFile(path + ".head")
	if err := errors.Join(err, err2); err != nil {
		f.Fatal(err)
	}
	f.Add(false, uint16(0), uint16(0), []byte(nil))                   // as it was
	f.Add(false, uint16(len(log)), uint16(0), []byte(`{"seq":4,"pr`)) // a crash in a line
	f.Add(true, uint16(0), uint16(chain.HeadSize), []byte(nil))       // one head of two
	f.Add(true, uint16(3), uint16(2), []byte("xy"))                   // a torn head
	f.Add(true, uint16(0), uint16(1<<15), []byte(nil))                // no head
	f.Add(false, uint16(0), uint16(1<<15), []byte(nil))               // no log
	f.Add(false, uint16(len(log)-1), uint16(1), []byte(nil))          // the last line cut
	f.Add(false, uint16(bytes.IndexByte(log, 'a')), uint16(1), []byte("b"))
	f.Fuzz(func(t *testing.T, ofHead bool, at, remove uint16, insert []byte) {
		edit := func(text []byte) []byte {
			from := min(int(at), len(text))
			return bytes.Join([][]byte{text[:from], insert, text[min(from+int(remove), len(text)):]}, nil)
		}
		path, editedLog, editedHead := fresh(t), log, head
		if ofHead {
			editedHead = edit(head)
		} else {
			editedLog = edit(log)
		}
		if err := errors.Join(os.WriteFile(path, editedLog, 0o600), os.WriteFile(path+".head", editedHead, 0o600)); err != nil {
			t.Fatal(err)
		}
		opened, err := auditlog.Open(auditlog.Options{Path: path, Key: k})
		// A line that was not finished is no record: whatever follows the last end of a line was never acknowledged.
		unfinished := bytes.HasPrefix(editedLog, log) && !bytes.Contains(editedLog[len(log):], []byte("\n"))
		if err != nil {
			if unfinished && bytes.Equal(editedHead, head) {
				t.Fatalf("a log that was not changed is refused: %v", err)
			}
			return
		}
		if !unfinished {
			t.Errorf("opened a log that was changed:\n%s", editedLog)
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err := segments.Verify(segments.Verification{Path: path, Key: k}); err != nil || r.To != 3 {
			t.Errorf("what was opened does not verify: %+v, %v", r, err)
		}
	})
}
