package transfer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"regain/internal/costtest"
	"regain/storage"
	"regain/storage/transfer"
)

func keyring(t testing.TB, fill ...byte) *storage.Keyring {
	t.Helper()
	var keys [][]byte
	for _, b := range fill {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	ring, err := storage.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

var noon = time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.UTC)

// entries are of every kind that there is: with and without group, data and end, small and larger than a chunk, counters.
func entries() []storage.Entry {
	return []storage.Entry{
		{Record: storage.Record{Kind: "client", ID: "a", Version: 1, Data: []byte("sealed")}},
		{Record: storage.Record{Kind: "client", ID: "b", Group: "g", Version: math.MaxInt64, Data: bytes.Repeat([]byte{7}, 200<<10), ExpiresAt: noon}},
		{Record: storage.Record{Kind: "a:b", ID: "ü", Version: 2}},
		{Record: storage.Record{Kind: "attempts", ID: "a", ExpiresAt: noon.Add(time.Hour)}, Counter: true, Count: 42},
		{Record: storage.Record{Kind: "old", ID: "a", Version: 1, ExpiresAt: time.Unix(-1, 0).UTC()}},
	}
}

func sequence(all []storage.Entry) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func write(t testing.TB, all []storage.Entry) []byte {
	t.Helper()
	var out bytes.Buffer
	if n, err := transfer.Write(&out, keyring(t, 1), transfer.Header{Created: noon, Backend: "file"}, sequence(all)); n != len(all) || err != nil {
		t.Fatalf("%d entries, %v", n, err)
	}
	return out.Bytes()
}

// read reads a stream to its end or its first error.
func read(stream io.Reader, seal transfer.Seal) (all []storage.Entry, err error) {
	_, found, err := transfer.Read(stream, seal)
	if err != nil {
		return nil, err
	}
	for e, err := range found {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, all := range [][]storage.Entry{nil, entries(), entries()[:1]} {
		stream := write(t, all)
		h, _, err := transfer.Read(bytes.NewReader(stream), keyring(t, 1))
		if err != nil || !h.Created.Equal(noon) || h.Backend != "file" {
			t.Errorf("header %+v, %v", h, err)
		}
		// By a ring that has a newer key.
		got, err := read(bytes.NewReader(stream), keyring(t, 2, 1))
		if err != nil || !reflect.DeepEqual(got, all) {
			t.Errorf("%d entries of %d, %v", len(got), len(all), err)
		}
	}
}

// Nothing can be read without a key: no id, no kind, no data, nor what the stream is of.
func TestNothingIsInClear(t *testing.T) {
	stream := string(write(t, []storage.Entry{{Record: storage.Record{Kind: "transaction", ID: "0123456789abcdefghijkl", Group: "a-long-group", Version: 1, Data: []byte("what-is-sealed")}}}))
	for _, text := range []string{"transaction", "0123456789", "a-long-group", "what-is-sealed", "file", "2026"} {
		if strings.Contains(stream, text) {
			t.Errorf("%s is in clear", text)
		}
	}
}

// chunks cuts a stream at its chunks: what is before them, and each with its length.
func chunks(t testing.TB, stream []byte) (begin []byte, found [][]byte) {
	t.Helper()
	const size = len("regain export 1\n") + 16
	begin, stream = stream[:size], stream[size:]
	for len(stream) > 0 {
		n := 4 + int(binary.BigEndian.Uint32(stream))
		found, stream = append(found, stream[:n]), stream[n:]
	}
	return begin, found
}

// Each row breaks one thing of a stream that is read.
func TestStreamsThatAreRefused(t *testing.T) {
	stream, other := write(t, entries()), write(t, entries())
	begin, parts := chunks(t, stream)
	_, others := chunks(t, other)
	if len(parts) < 4 {
		t.Fatalf("%d chunks", len(parts))
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	last := len(parts) - 1
	for name, row := range map[string]struct {
		stream []byte
		is     error
		says   string
	}{
		"nothing":                      {nil, transfer.ErrNotExport, "begins with"},
		"another file":                 {[]byte("SQLite format 3\x00 and more that is long enough"), transfer.ErrNotExport, "SQLite"},
		"another version":              {bytes.Replace(stream, []byte("export 1"), []byte("export 2"), 1), transfer.ErrNotExport, "begins with"},
		"its beginning":                {begin, transfer.ErrCut, ""},
		"no last chunk":                {join(append([][]byte{begin}, parts[:last]...)...), transfer.ErrCut, ""},
		"the last chunk cut":           {stream[:len(stream)-1], transfer.ErrCut, ""},
		"a length cut":                 {join(begin, parts[0][:3]), transfer.ErrCut, ""},
		"more after it":                {join(stream, []byte{0}), nil, "something follows the end"},
		"twice":                        {join(stream, stream), nil, "something follows the end"},
		"a chunk left out":             {join(append([][]byte{begin}, parts[1:]...)...), nil, "chunk 0: it was changed"},
		"a chunk twice":                {join(append([][]byte{begin, parts[0]}, parts...)...), nil, "chunk 1: it was changed"},
		"two chunks exchanged":         {join(append([][]byte{begin, parts[1], parts[0]}, parts[2:]...)...), nil, "chunk 0: it was changed"},
		"a chunk of another export":    {join(append([][]byte{begin, others[0]}, parts[1:]...)...), nil, "chunk 0: it was changed"},
		"the last chunk of another":    {join(append(append([][]byte{begin}, parts[:last]...), others[last])...), nil, "it was changed"},
		"the last one after the first": {join(begin, parts[0], parts[last]), nil, "chunk 1: it was changed"},
		"a length beyond all":          {join(begin, []byte{255, 255, 255, 255}), nil, "and 65600 are the most"},
	} {
		all, err := read(bytes.NewReader(row.stream), keyring(t, 1))
		if err == nil || row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %d entries, %v", name, len(all), err)
		}
	}
	if _, err := read(bytes.NewReader(stream), keyring(t, 2)); err == nil || !strings.Contains(err.Error(), "secrets.encryption_keys") {
		t.Errorf("another key: %v", err)
	}
}

// Every octet of a stream is covered, and every shorter stream is refused.
func TestEveryOctetIsCovered(t *testing.T) {
	stream := write(t, entries()[:1])
	for i := range stream {
		changed := bytes.Clone(stream)
		changed[i] ^= 1
		if _, err := read(bytes.NewReader(changed), keyring(t, 1)); err == nil {
			t.Errorf("octet %d was changed", i)
		}
		if _, err := read(bytes.NewReader(stream[:i]), keyring(t, 1)); err == nil {
			t.Errorf("cut off after %d octets", i)
		}
	}
}

// Each row breaks one thing of an entry that is one. Only somebody with a key could write them.
func TestEntriesThatAreNone(t *testing.T) {
	for name, row := range map[string]struct {
		entry storage.Entry
		says  string
	}{
		"no kind":                {storage.Entry{Record: storage.Record{ID: "a", Version: 1}}, "no kind"},
		"no version":             {storage.Entry{Record: storage.Record{Kind: "t", ID: "a"}}, "no version"},
		"a negative version":     {storage.Entry{Record: storage.Record{Kind: "t", ID: "a", Version: -1}}, "no version"},
		"a record with a count":  {storage.Entry{Record: storage.Record{Kind: "t", ID: "a", Version: 1}, Count: 1}, "or a count"},
		"a NUL in an id":         {storage.Entry{Record: storage.Record{Kind: "t", ID: "a\x00b", Version: 1}}, "NUL"},
		"a NUL in a kind":        {storage.Entry{Record: storage.Record{Kind: "t\x00", ID: "a", Version: 1}}, "NUL"},
		"a NUL in a group":       {storage.Entry{Record: storage.Record{Kind: "t", ID: "a", Group: "\x00", Version: 1}}, "NUL"},
		"a counter without end":  {storage.Entry{Record: storage.Record{Kind: "t", ID: "a"}, Counter: true, Count: 1}, "no end"},
		"a counter with a group": {storage.Entry{Record: storage.Record{Kind: "t", ID: "a", Group: "g", ExpiresAt: noon}, Counter: true, Count: 1}, "what records have"},
	} {
		if _, err := read(bytes.NewReader(write(t, []storage.Entry{row.entry})), keyring(t, 1)); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What cannot be written, or read from the store, ends the export, and leaves none that is whole.
func TestAnExportThatFails(t *testing.T) {
	broken := errors.New("broken")
	var out bytes.Buffer
	_, err := transfer.Write(&out, keyring(t, 1), transfer.Header{}, func(yield func(storage.Entry, error) bool) {
		_ = yield(entries()[0], nil) && yield(storage.Entry{}, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("a store that fails: %v", err)
	}
	if _, err := read(&out, keyring(t, 1)); !errors.Is(err, transfer.ErrCut) {
		t.Errorf("what was written until then: %v", err)
	}
	for room := range 3 {
		if _, err := transfer.Write(&short{room, broken}, keyring(t, 1), transfer.Header{}, sequence(entries())); !errors.Is(err, broken) {
			t.Errorf("a volume that is full after %d writes: %v", room, err)
		}
	}
	huge := []storage.Entry{{Record: storage.Record{Kind: "huge", ID: "a", Version: 1, Data: make([]byte, 18<<20)}}}
	if _, err := transfer.Write(io.Discard, keyring(t, 1), transfer.Header{}, sequence(huge)); err == nil || !strings.Contains(err.Error(), "huge") {
		t.Errorf("an entry that is too large: %v", err)
	}
}

// short takes so many writes.
type short struct {
	room int
	err  error
}

func (s *short) Write(b []byte) (int, error) {
	if s.room == 0 {
		return 0, s.err
	}
	s.room--
	return len(b), nil
}

// What a stranger's file costs to refuse, however large it is.
func TestWorstStreams(t *testing.T) {
	genuine := write(t, entries()[:1])
	begin, _ := chunks(t, genuine)
	const size = 32 << 20
	worst := map[string][]byte{
		"zeros":           append(bytes.Clone(begin), make([]byte, size)...),
		"a full chunk":    append(binary.BigEndian.AppendUint32(bytes.Clone(begin), 65600), make([]byte, size)...),
		"no export":       make([]byte, size),
		"a genuine start": append(bytes.Clone(genuine), make([]byte, size)...),
	}
	for name, stream := range worst {
		costtest.Check(t, name, func() {
			if _, err := read(bytes.NewReader(stream), keyring(t, 1)); err == nil {
				t.Errorf("%s: read", name)
			}
		})
	}
}

// A million records pass in the memory of a few.
func TestMemoryDoesNotGrow(t *testing.T) {
	many := func(n int) iter.Seq2[storage.Entry, error] {
		return func(yield func(storage.Entry, error) bool) {
			data := make([]byte, 100)
			for i := range n {
				if !yield(storage.Entry{Record: storage.Record{Kind: "t", ID: fmt.Sprint(i), Version: 1, Data: data}}, nil) {
					return
				}
			}
		}
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	in, out := io.Pipe()
	go func() {
		_, err := transfer.Write(out, keyring(t, 1), transfer.Header{}, many(100_000))
		_ = out.CloseWithError(err)
	}()
	_, found, err := transfer.Read(in, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range found {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%20_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
				t.Errorf("%d octets after %d records", grown, n)
			}
		}
	}
	if n != 100_000 {
		t.Errorf("%d records", n)
	}
}

// FuzzRead changes a genuine stream: no other one is read to its end.
func FuzzRead(f *testing.F) {
	stream := write(f, entries()[:1])
	f.Add(uint16(0), uint16(0), []byte{})
	f.Add(uint16(20), uint16(4), []byte{0, 0, 0, 1})
	f.Add(uint16(len(stream)), uint16(0), stream)
	f.Fuzz(func(t *testing.T, at, remove uint16, insert []byte) {
		from := min(int(at), len(stream))
		to := min(from+int(remove), len(stream))
		changed := bytes.Join([][]byte{stream[:from], insert, stream[to:]}, nil)
		_, err := read(bytes.NewReader(changed), keyring(t, 1))
		if (err == nil) != bytes.Equal(changed, stream) {
			t.Errorf("%v", err)
		}
	})
}

// plain is a seal that is none, so that the fuzzer reaches what is inside of the chunks.
type plain struct{}

func (plain) Seal(data []byte, _ string) []byte { return data }

func (plain) Open(sealed []byte, place string) ([]byte, error) {
	if strings.HasSuffix(place, "true") {
		return sealed, nil
	}
	return nil, errors.New("not the last")
}

// FuzzEntries reads whatever somebody with a key could write: what is taken is written again as it was read.
func FuzzEntries(f *testing.F) {
	for _, e := range entries() {
		var out bytes.Buffer
		if _, err := transfer.Write(&out, plain{}, transfer.Header{}, sequence([]storage.Entry{{Record: storage.Record{Kind: e.Kind, ID: e.ID, Version: e.Version, ExpiresAt: e.ExpiresAt}, Counter: e.Counter, Count: e.Count}})); err != nil {
			f.Fatal(err)
		}
		_, parts := chunks(f, out.Bytes())
		f.Add(parts[0][4:])
	}
	begin, _ := chunks(f, write(f, nil))
	f.Fuzz(func(t *testing.T, chunk []byte) {
		if len(chunk) > 60_000 {
			return
		}
		stream := append(binary.BigEndian.AppendUint32(bytes.Clone(begin), uint32(len(chunk))), chunk...)
		all, err := read(bytes.NewReader(stream), plain{})
		if err != nil {
			return
		}
		again, err := read(bytes.NewReader(write(t, all)), keyring(t, 1))
		if err != nil || !reflect.DeepEqual(again, all) {
			t.Errorf("read as %v, and again as %v, %v", all, again, err)
		}
	})
}
