package transfer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"regain/storage"
)

// Read reads a stream: its header at once, and the entries as they are asked for. A stream that was changed or cut off gives
// an error in their place: what was read before it was written by somebody with a key, and is not all. It holds a chunk and
// an entry in memory.
func Read(in io.Reader, seal Seal) (h Header, entries iter.Seq2[storage.Entry, error], err error) {
	var begin [len(magic) + nameSize]byte
	if n, err := io.ReadFull(in, begin[:]); err != nil || string(begin[:len(magic)]) != magic {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || err == nil {
			err = fmt.Errorf("it begins with %q", begin[:min(n, len(magic))])
		}
		return h, nil, fmt.Errorf("%w: %w", ErrNotExport, err)
	}
	values := bufio.NewReaderSize(&reader{in: in, seal: seal, name: begin[len(magic):]}, chunkSize)
	head, err := value(values)
	if errors.Is(err, io.EOF) {
		err = ErrCut
	}
	if err != nil {
		return h, nil, fmt.Errorf("read the export: %w", err)
	}
	if err := storage.Decode(head, &h); err != nil {
		return h, nil, fmt.Errorf("read the export: its header: %w", err)
	}
	return h, func(yield func(storage.Entry, error) bool) {
		for {
			data, err := value(values)
			if errors.Is(err, io.EOF) {
				return
			}
			var e storage.Entry
			if err == nil {
				e, err = decode(data)
			}
			if err != nil {
				yield(storage.Entry{}, fmt.Errorf("read the export: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}, nil
}

// value reads a value with its length in front, or io.EOF where there is none.
func value(in *bufio.Reader) ([]byte, error) {
	if _, err := in.Peek(1); err != nil {
		return nil, err
	}
	size, err := binary.ReadUvarint(in)
	if err != nil {
		return nil, endless(err)
	}
	if size > maxEntry {
		return nil, fmt.Errorf("an entry of %d octets, and %d are the most", size, maxEntry)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, endless(err)
	}
	return data, nil
}

// endless is the error of a value that does not end before the last chunk does.
func endless(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("its last entry is not whole")
	}
	return err
}

// reader puts the chunks together again. Nothing of a chunk is read before it was authenticated, and the end is one only
// after the last chunk.
type reader struct {
	in    io.Reader
	seal  Seal
	name  []byte
	next  uint64
	chunk []byte // what is left of the one that was opened
	last  bool
	room  [maxSealed]byte
}

func (r *reader) Read(b []byte) (int, error) {
	for len(r.chunk) == 0 {
		if r.last {
			return 0, io.EOF
		}
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// open reads and opens the next chunk, and after the last one makes sure that nothing follows.
func (r *reader) open() error {
	var size [lenSize]byte
	if _, err := io.ReadFull(r.in, size[:]); err != nil {
		return cut(err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxSealed {
		return fmt.Errorf("chunk %d says that it has %d octets, and %d are the most: the export was changed", r.next, n, maxSealed)
	}
	if _, err := io.ReadFull(r.in, r.room[:n]); err != nil {
		return cut(err)
	}
	// Which of the two it is nothing in it says, so that nobody can say another.
	data, err := r.seal.Open(r.room[:n], place(r.name, r.next, false))
	if err != nil {
		if data, err = r.seal.Open(r.room[:n], place(r.name, r.next, true)); err != nil {
			return fmt.Errorf("chunk %d: it was changed, or comes from another place, or its key is not among those of secrets.encryption_keys: %w", r.next, err)
		}
		r.last = true
		if n, err := io.ReadFull(r.in, size[:1]); n > 0 || !errors.Is(err, io.EOF) {
			return errors.Join(errors.New("something follows the end of the export"), err)
		}
	}
	r.next++
	r.chunk = data
	return nil
}

// cut is ErrCut where a read found the end.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut
	}
	return err
}
