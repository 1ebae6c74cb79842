package transfer

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"regain/storage"
)

// Write writes a stream, and returns how many entries are in it. It holds a chunk and an entry in memory.
func Write(out io.Writer, seal Seal, h Header, entries iter.Seq2[storage.Entry, error]) (n int, err error) {
	w := &writer{out: out, seal: seal, name: make([]byte, nameSize)}
	_, _ = rand.Read(w.name) // which never returns an error (package crypto/rand)
	if _, err := out.Write(append([]byte(magic), w.name...)); err != nil {
		return 0, fmt.Errorf("write the export: %w", err)
	}
	head, err := storage.Encode(h)
	if err == nil {
		err = w.add(head)
	}
	if err != nil {
		return 0, err
	}
	for e, err := range entries {
		if err != nil {
			return n, err
		}
		data, err := encode(e)
		if err != nil {
			return n, err
		}
		if len(data) > maxEntry {
			return n, fmt.Errorf("%s: has %d octets, and an export has entries of %d at most", e.Kind, len(data), maxEntry)
		}
		if err := w.add(data); err != nil {
			return n, err
		}
		n++
	}
	return n, w.flush(true)
}

// writer cuts what is added into chunks.
type writer struct {
	out   io.Writer
	seal  Seal
	name  []byte
	chunk []byte
	next  uint64 // number of the next chunk
}

// add adds a value, with its length in front.
func (w *writer) add(value []byte) error {
	for _, part := range [][]byte{binary.AppendUvarint(nil, uint64(len(value))), value} {
		for len(part) > 0 {
			room := min(len(part), chunkSize-len(w.chunk))
			w.chunk, part = append(w.chunk, part[:room]...), part[room:]
			if len(w.chunk) == chunkSize {
				if err := w.flush(false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *writer) flush(last bool) error {
	sealed := w.seal.Seal(w.chunk, place(w.name, w.next, last))
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...) //nolint:gosec // at most maxSealed
	if _, err := w.out.Write(framed); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	w.chunk = w.chunk[:0]
	w.next++
	return nil
}

// place is what the seal of a chunk covers beside its content.
func place(name []byte, number uint64, last bool) string {
	return fmt.Sprintf("export %x chunk %d last %t", name, number, last)
}
