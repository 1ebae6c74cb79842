package bolt

import (
	"strings"
	"testing"
	"time"

	"regain/storage"
)

// A survey reads as much of a record as it needs, and no more: what is cut off is read as the whole.
func TestTheBeginningOfARecord(t *testing.T) {
	for _, group := range []string{"", "g", strings.Repeat("g", 300)} {
		for _, data := range []string{"", "abc", "abcd", strings.Repeat("abcd", 1000)} {
			whole := encode(storage.Record{Version: 7, Group: group, Data: []byte(data), ExpiresAt: time.Unix(1, 0)})
			cut := beginning(whole)
			r, err := decode(cut, "k", "i")
			if err != nil || r.Group != group || r.Version != 7 || string(r.Data) != data[:min(len(data), 4)] {
				t.Errorf("group of %d, data of %d: %+v, %v", len(group), len(data), r, err)
			}
			for i := range min(len(whole), 24) { // and never beyond the end
				_, _ = decode(beginning(whole[:i]), "k", "i")
			}
		}
	}
}
