// Package transfer writes what a store holds to a stream, and reads it again: to keep it, or to move to another backend.
//
//	"regain export 1\n"                      what it is
//	16 octets                                the name of this stream, random
//	4 octets: n, n octets; and again         chunks: length in network order, and what seals at most 64 KiB
//
// Each chunk is sealed by the store's own keys for its place: the name of the stream, its number, and whether it is the last
// one. So no chunk can be changed, left out, moved, or taken from another stream, and a stream that was cut off lacks its last
// chunk (the construction is STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its
// Nonce-Reuse Misuse-Resistance", CRYPTO 2015, with the random nonces of the seal). Nothing is readable without a key: the
// ids of records, which are digests at most, and counters, which are in clear in a backend, are inside the chunks too.
//
// What the chunks hold together is a sequence of CBOR values (RFC 8949), each with its length in front: a header, and the
// entries. What is parsed was written by somebody who has a key.
package transfer

import (
	"errors"
	"time"

	"regain/storage"
)

// Seal encrypts and authenticates the chunks; *storage.Keyring in production.
type Seal interface {
	Seal(data []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
}

const (
	magic    = "regain export 1\n"
	nameSize = 16
	lenSize  = 4
	// chunkSize is how much is sealed at a time, and maxSealed the most that it can be with its seal.
	chunkSize = 64 << 10
	maxSealed = chunkSize + 64
	// maxEntry bounds one entry: no backend holds larger ones.
	maxEntry = 17 << 20
)

// Header says what a stream is of.
type Header struct {
	Created time.Time `json:"created"` // when it was begun
	Backend string    `json:"backend"` // that it was read from
}

// ErrNotExport means that what was read does not begin as a stream of this package does.
var ErrNotExport = errors.New("this is no export of a store")

// ErrCut means that a stream ends before its end.
var ErrCut = errors.New("the export was cut off: its end is missing")

// entry is how a storage.Entry is encoded.
type entry struct {
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Group   string `json:"group,omitempty"`
	Version int64  `json:"version,omitempty"`
	Data    []byte `json:"data,omitempty"`
	Ends    int64  `json:"ends,omitempty"` // nanoseconds since 1970; 0 for never
	Counter bool   `json:"counter,omitempty"`
	Count   int64  `json:"count,omitempty"`
}

func encode(e storage.Entry) ([]byte, error) {
	flat := entry{Kind: string(e.Kind), ID: e.ID, Group: e.Group, Version: e.Version, Data: e.Data, Counter: e.Counter, Count: e.Count}
	if !e.ExpiresAt.IsZero() {
		flat.Ends = e.ExpiresAt.UnixNano()
	}
	return storage.Encode(flat)
}

func decode(data []byte) (storage.Entry, error) {
	var flat entry
	if err := storage.Decode(data, &flat); err != nil {
		return storage.Entry{}, err
	}
	e := storage.Entry{Counter: flat.Counter, Count: flat.Count, Record: storage.Record{Kind: storage.Kind(flat.Kind), ID: flat.ID, Group: flat.Group, Version: flat.Version, Data: flat.Data}}
	if flat.Ends != 0 {
		e.ExpiresAt = time.Unix(0, flat.Ends).UTC()
	}
	return e, valid(e)
}

// valid refuses what no store holds, and what a backend would take for something else.
func valid(e storage.Entry) error {
	for _, part := range []string{string(e.Kind), e.ID, e.Group} {
		for i := range len(part) {
			if part[i] == 0 {
				return errors.New("an entry has a name with a NUL in it")
			}
		}
	}
	switch {
	case e.Kind == "":
		return errors.New("an entry has no kind")
	case e.Counter && (e.Group != "" || e.Version != 0 || e.Data != nil || e.ExpiresAt.IsZero()):
		return errors.New("a counter has what records have, or no end")
	case !e.Counter && (e.Version < 1 || e.Count != 0):
		return errors.New("a record has no version, or a count")
	}
	return nil
}
