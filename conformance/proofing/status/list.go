package status

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// The status values (Token Status List §7.1). Two bits hold them.
const (
	statusValid     = 0
	statusInvalid   = 1
	statusSuspended = 2

	statusBits = 2
	listLength = 1 << 15

	statusDecoys = 32
)

// list is one list. Entries are given out in random order, so that an index says nothing about when a Verified ID was
// issued (Token Status List §12.5).
type list struct {
	uri    string
	taken  [listLength]bool
	used   int
	decoys []int // invalid entries without a credential
	bits   [listLength * statusBits / 8]byte

	signed   string // the token last made, until an entry changes or it grows old
	signedAt time.Time
}

// newList makes a list with some decoys: entries that are invalid and belong to no credential, so that counting the
// invalid ones says little (Token Status List §12.5). Because they were there first, a verifier that keeps an older
// copy of the list already knows of a document that was reported lost before its Verified ID was fetched.
func newList(uri string, random io.Reader) (*list, error) {
	l := &list{uri: uri}
	for range statusDecoys {
		index, err := l.draw(random)
		if err != nil {
			return nil, err
		}
		l.set(index, statusInvalid)
		l.decoys = append(l.decoys, index)
	}
	return l, nil
}

// draw takes a random free index. At least half of a list is free.
func (l *list) draw(random io.Reader) (int, error) {
	var raw [4]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return 0, fmt.Errorf("choosing a status index: %w", err)
	}
	index := int(binary.BigEndian.Uint32(raw[:]) % listLength)
	for l.taken[index] {
		index = (index + 1) % listLength
	}
	l.taken[index] = true
	l.used++
	return index, nil
}

func (l *list) set(index int, value byte) {
	shift := (index % 4) * statusBits // the lowest bits come first (§4.1)
	l.bits[index/4] = l.bits[index/4]&^(3<<shift) | value<<shift
	l.signed = ""
}

// pack is the list as its token carries it (§4.2).
func (l *list) pack() (string, error) {
	var packed bytes.Buffer
	press := zlib.NewWriter(&packed)
	if _, err := press.Write(l.bits[:]); err != nil {
		return "", fmt.Errorf("packing a status list: %w", err)
	}
	if err := press.Close(); err != nil {
		return "", fmt.Errorf("packing a status list: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(packed.Bytes()), nil
}
