package mdoc

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// The major types of CBOR (RFC 8949 §3.1).
const (
	majorUint    byte = 0
	majorNegInt  byte = 1
	majorBytes   byte = 2
	majorText    byte = 3
	majorArray   byte = 4
	majorMap     byte = 5
	majorTag     byte = 6
	majorSpecial byte = 7
)

// The tags that this package interprets (RFC 8949 §3.4).
const (
	tagDateTime     = 0
	tagNegBignum    = 3
	tagEmbeddedCBOR = 24
)

// reader decodes CBOR. It requires no deterministic encoding, since ISO 18013-5 does not: signatures and digests are
// verified over the bytes as received. It refuses input that two decoders could read differently, or that is expensive
// to decode.
type reader struct {
	mode cbor.DecMode
	left *int // the remaining budget of items; an item counts each time that it is decoded, also as a part of another
}

func newReader() (reader, error) {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxNestedLevels:   maxDepth,
		MaxArrayElements:  maxElements,
		MaxMapPairs:       maxElements,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	left := maxItems
	return reader{mode: mode, left: &left}, err
}

// open decodes all of raw as one item of a major type. It checks the item budget before it decodes.
func (r reader) open(what string, major byte, raw []byte, into any) error {
	if len(raw) == 0 || raw[0]>>5 != major {
		return fmt.Errorf("%w: %s is missing or has the wrong type", ErrMalformed, what)
	}
	if *r.left -= items(raw, *r.left+1); *r.left < 0 {
		return fmt.Errorf("%w: %s: more than %d items altogether", ErrMalformed, what, maxItems)
	}
	if err := r.mode.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w: %s: %s", ErrMalformed, what, reason(err))
	}
	return nil
}

// items counts the items in raw, up to most, by their heads alone and without allocating: an empty array costs an
// attacker one byte, and a decoder hundreds. Input that is not CBOR ends the count; the decoder refuses it afterwards.
func items(raw []byte, most int) (count int) {
	for ; len(raw) > 0 && count < most; count++ {
		major, argument, rest, ok := head(raw)
		if !ok {
			return count
		}
		if major == majorBytes || major == majorText {
			if argument > uint64(len(rest)) {
				return count
			}
			rest = rest[argument:]
		}
		raw = rest
	}
	return count
}

// embedded returns the bytes of an embedded CBOR item: raw must be exactly a tag 24 with a byte string.
func embedded(what string, raw []byte) ([]byte, error) {
	major, number, rest, ok := head(raw)
	if ok && major == majorTag && number == tagEmbeddedCBOR {
		if inner, ok := stringIn(rest, majorBytes); ok {
			return inner, nil
		}
	}
	return nil, fmt.Errorf("%w: %s is not an embedded CBOR item (tag 24)", ErrMalformed, what)
}

// reason describes a decoding error without the library's text, which may quote the input.
func reason(err error) string {
	var (
		twice    *cbor.DupMapKeyError
		deep     *cbor.MaxNestedLevelError
		long     *cbor.MaxArrayElementsError
		wide     *cbor.MaxMapPairsError
		endless  *cbor.IndefiniteLengthError
		trailing *cbor.ExtraneousDataError
	)
	switch {
	case errors.As(err, &twice):
		return "duplicate key in a map"
	case errors.As(err, &deep):
		return fmt.Sprintf("nested deeper than %d", maxDepth)
	case errors.As(err, &long), errors.As(err, &wide):
		return fmt.Sprintf("more than %d in an array or map", maxElements)
	case errors.As(err, &endless):
		return "indefinite length"
	case errors.As(err, &trailing):
		return "bytes follow it"
	case errors.Is(err, errType):
		return err.Error()
	}
	return "not the expected CBOR"
}

// head decodes the head of an item: its major type and argument, and the bytes that follow (RFC 8949 §3).
func head(raw []byte) (major byte, argument uint64, rest []byte, ok bool) {
	const (
		infoMask, direct, widest = 0x1f, 24, 27
	)
	if len(raw) == 0 {
		return 0, 0, nil, false
	}
	major, info := raw[0]>>5, raw[0]&infoMask
	if info < direct {
		return major, uint64(info), raw[1:], true
	}
	if info > widest || len(raw) < 1+1<<(info-direct) {
		return 0, 0, nil, false
	}
	width := 1 << (info - direct)
	for _, b := range raw[1 : 1+width] {
		argument = argument<<8 | uint64(b)
	}
	return major, argument, raw[1+width:], true
}

// stringIn returns the content of a byte or text string; raw must be exactly that string.
func stringIn(raw []byte, want byte) ([]byte, bool) {
	major, length, rest, ok := head(raw)
	return rest, ok && major == want && length == uint64(len(rest))
}

// errType means that a scalar has the wrong type. The types below check it themselves, because the library would drop
// tags and convert an array of numbers to a byte string.
var errType = errors.New("a value has the wrong type")

// text is a text string without tags.
type text string

// UnmarshalCBOR implements cbor.Unmarshaler.
func (t *text) UnmarshalCBOR(raw []byte) error {
	content, ok := stringIn(raw, majorText)
	if !ok || !utf8.Valid(content) {
		return errType
	}
	*t = text(content)
	return nil
}

// octets is a byte string without tags. It shares the memory of the input, which is never written to.
type octets []byte

// UnmarshalCBOR implements cbor.Unmarshaler.
func (o *octets) UnmarshalCBOR(raw []byte) error {
	content, ok := stringIn(raw, majorBytes)
	if !ok {
		return errType
	}
	*o = content
	return nil
}

// number is an integer without tags.
type number int64

// UnmarshalCBOR implements cbor.Unmarshaler.
func (n *number) UnmarshalCBOR(raw []byte) error {
	major, argument, rest, ok := head(raw)
	if !ok || major > majorNegInt || len(rest) > 0 || argument > math.MaxInt64 {
		return errType
	}
	*n = number(argument) //nolint:gosec // at most math.MaxInt64, see above
	if major == majorNegInt {
		*n = -1 - *n
	}
	return nil
}
