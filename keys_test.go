package main

import (
	"strings"
	"testing"
	"time"

	"regain/internal/keep"
	"regain/storage"
)

// The table of what needs which key says what may go, what is missing, and until when the rest is needed.
func TestTheTableOfKeys(t *testing.T) {
	used, old, idle, lost := storage.KeyID{1}, storage.KeyID{2}, storage.KeyID{3}, storage.KeyID{4}
	until := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	var out strings.Builder
	if err := describeKeys(&out, keep.KeyUse{Keys: []storage.KeyID{used, old, idle}, Needs: []storage.Need{
		{Key: used, Kind: "transaction", Records: 12, Until: until}, {Key: used, Kind: "client", Records: 1},
		{Key: old, Kind: "client", Records: 2}, {Key: old, Kind: "pass", Records: 3, Until: until},
		{Key: lost, Kind: "client", Records: 4}, {Key: lost, Kind: "session", Records: 5, Until: until},
	}}); err != nil {
		t.Fatal(err)
	}
	want := `KEY       USE      RECORDS  KIND         UNTIL
01000000  seals    12       transaction  2026-12-01T10:00:00Z
01000000  seals    1        client       without an end
02000000  opens    2        client       sealed anew by the nodes
02000000  opens    3        pass         2026-12-01T10:00:00Z
03000000  opens    0        -            not needed: retire it when every node uses 01000000
04000000  MISSING  4        client       without an end
04000000  MISSING  5        session      2026-12-01T10:00:00Z
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	if err := describeKeys(&out, keep.KeyUse{Keys: []storage.KeyID{used}}); err != nil || !strings.HasSuffix(out.String(), "01000000  seals  0        -     -\n") {
		t.Errorf("an empty store: %v\n%s", err, out.String())
	}
}
