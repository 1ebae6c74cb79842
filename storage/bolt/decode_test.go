package bolt

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"regain/storage"
)

func seeds() []storage.Record {
	return []storage.Record{
		{Kind: "code", ID: "a", Version: 1},
		{Kind: "code", ID: "a", Version: 2, Data: []byte("one"), Group: "g", ExpiresAt: time.Unix(1_800_000_000, 7).UTC()},
		{Kind: "code", ID: "a", Version: 1 << 40, Data: bytes.Repeat([]byte{0xff}, 300), Group: string(bytes.Repeat([]byte("g"), 200))},
	}
}

// FuzzDecode: what decodes is what was encoded, to the last bit, so that no two values of the file mean one record.
func FuzzDecode(f *testing.F) {
	for _, r := range seeds() {
		f.Add(encode(r))
	}
	f.Add([]byte{})
	f.Add(make([]byte, 16))
	f.Add(append(make([]byte, 16), 0x80, 0x00))                                                       // a length of zero in two bytes
	f.Add(append(make([]byte, 16), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1, 2)) // a group without end
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data, "code", "a")
		if err != nil {
			if !errors.Is(err, errDamaged) || r.Data != nil || r.Version != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			return
		}
		if again := encode(r); !bytes.Equal(again, data) {
			t.Fatalf("%x decodes, and encodes as %x", data, again)
		}
		if r.Kind != "code" || r.ID != "a" {
			t.Fatalf("%+v", r)
		}
		if len(r.Data) > 0 {
			if r.Data[0]++; bytes.Equal(encode(r), data) {
				t.Fatal("the record is not told by its encoding")
			}
		}
	})
}

// The seeds get past the door, and mean what was put in.
func TestDecode(t *testing.T) {
	for _, r := range seeds() {
		got, err := decode(encode(r), r.Kind, r.ID)
		if err != nil || got.Version != r.Version || got.Group != r.Group || !got.ExpiresAt.Equal(r.ExpiresAt) || !bytes.Equal(got.Data, r.Data) {
			t.Errorf("%+v, %v; want %+v", got, err, r)
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "no length": make([]byte, 16), "a short group": append(make([]byte, 16), 2, 'g'),
		"a length in more bytes than it needs": append(make([]byte, 16), 0x80, 0x00),
	} {
		if _, err := decode(data, "code", "a"); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
