package status

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"regain/verifier/internal/jws"
)

const (
	maxInflated = 4 << 20 // bytes: a list of 16 million credentials at two bits
	chunkSize   = 64 << 10
)

// entries is a decompressed list, in chunks of chunkSize, of which the last may be shorter: one slice that grows would
// be copied several times, and take twice its memory meanwhile.
type entries [][]byte

// at returns a byte of the list, and false beyond its end.
func (e entries) at(index int64) (byte, bool) {
	chunk, at := index/chunkSize, index%chunkSize
	if chunk >= int64(len(e)) || at >= int64(len(e[chunk])) {
		return 0, false
	}
	return e[chunk][at], true
}

// inflate decompresses the entries up to maxInflated: a decompression bomb of a few kilobytes could hold gigabytes. The
// result is not nil.
func inflate(text string) (entries, error) {
	raw, err := jws.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("lst: %w", err)
	}
	r, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: lst is not zlib", jws.ErrMalformed)
	}
	list := entries{}
	for {
		chunk, err := readChunk(r)
		if len(chunk) > 0 {
			list = append(list, chunk)
		}
		switch {
		case len(list) > maxInflated/chunkSize:
			return nil, fmt.Errorf("%w: lst is larger than %d bytes", jws.ErrMalformed, maxInflated)
		case errors.Is(err, io.EOF): // only after the checksum
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("%w: lst does not decompress", jws.ErrMalformed)
		}
	}
}

// readChunk reads up to a whole chunk. Unlike io.ReadFull, it tells the end of the list from the end of what was sent of
// it.
func readChunk(r io.Reader) ([]byte, error) {
	chunk, n := make([]byte, chunkSize), 0
	for n < chunkSize {
		more, err := r.Read(chunk[n:])
		n += more
		if err != nil {
			return chunk[:n], err
		}
	}
	return chunk, nil
}
