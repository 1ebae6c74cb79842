package mdoc

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// ErrMalformed reports bytes that are no IssuerSigned or DeviceResponse, or one whose items and digests disagree.
var ErrMalformed = errors.New("malformed mdoc")

// Limits that no document of a person comes near, a portrait included.
const (
	maxLength   = 1 << 20
	maxElements = 512
	maxDepth    = 16
)

// The CBOR tags of ISO/IEC 18013-5: CBOR inside a byte string (RFC 8949 §3.4.5.1), which lets a digest be of bytes that
// are never encoded again, and text of a day (RFC 8943).
const (
	tagEncoded = 24
	tagDay     = 1004
)

// decode reads exactly one data item. A map that names a key twice is refused: two readers must never see two different
// documents in the same bytes.
func decode(raw []byte, into any) error {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: maxDepth, MaxArrayElements: maxElements, MaxMapPairs: maxElements,
		IndefLength: cbor.IndefLengthAllowed, TimeTag: cbor.DecTagOptional, TimeTagToAny: cbor.TimeTagToRFC3339Nano,
		IntDec: cbor.IntDecConvertNone, BignumTag: cbor.BignumTagAllowed,
	}.DecMode()
	if err != nil {
		return fmt.Errorf("preparing to read CBOR: %w", err)
	}
	if err := mode.Unmarshal(raw, into); err != nil { // the decoder's error may quote the document
		return fmt.Errorf("%w: it is not the CBOR expected", ErrMalformed)
	}
	return nil
}

// encode writes deterministically (RFC 8949 §4.2.1), and a time as a tdate (ISO/IEC 18013-5 §9.1.2.4).
func encode(v any) ([]byte, error) {
	options := cbor.CoreDetEncOptions()
	options.Time, options.TimeTag = cbor.TimeRFC3339, cbor.EncTagRequired
	mode, err := options.EncMode()
	if err != nil {
		return nil, fmt.Errorf("preparing to write CBOR: %w", err)
	}
	raw, err := mode.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing CBOR: %w", err)
	}
	return raw, nil
}

// wrap encodes a value, and that again as a byte string with tag 24: #6.24(bstr .cbor v).
func wrap(v any) (cbor.RawMessage, error) {
	inner, err := encode(v)
	if err != nil {
		return nil, err
	}
	return encode(cbor.Tag{Number: tagEncoded, Content: inner})
}

// unwrap reads the value inside #6.24(bstr .cbor v).
func unwrap(raw []byte, into any) error {
	var tag cbor.RawTag
	if err := decode(raw, &tag); err != nil {
		return err
	}
	var inner []byte
	if tag.Number != tagEncoded {
		return fmt.Errorf("%w: tag 24 is missing", ErrMalformed)
	}
	if err := decode(tag.Content, &inner); err != nil {
		return err
	}
	return decode(inner, into)
}
