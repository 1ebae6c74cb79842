package mdoc

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// The CBOR tags of ISO/IEC 18013-5: text of a date and time (RFC 8949 §3.4.1), text of a day (RFC 8943), and CBOR inside
// a byte string (RFC 8949 §3.4.5.1), which lets a digest be of bytes that nobody has to encode again.
const (
	tagDateTime = 0
	tagEncoded  = 24
	tagDay      = 1004
)

// codec encodes deterministically and decodes strictly.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	encode := cbor.CoreDetEncOptions()
	enc, err := encode.EncMode()
	if err != nil {
		return codec{}, fmt.Errorf("preparing the CBOR encoder: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF, // else two readers may see two documents in one
		IndefLength:      cbor.IndefLengthForbidden,
		MaxNestedLevels:  16,
		MaxArrayElements: 256,
		MaxMapPairs:      256,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("preparing the CBOR decoder: %w", err)
	}
	return codec{enc: enc, dec: dec}, nil
}

// wrap encodes a value and puts the bytes under tag 24.
func (c codec) wrap(value any) (cbor.RawMessage, error) {
	inner, err := c.enc.Marshal(value)
	if err != nil {
		return nil, err
	}
	return c.enc.Marshal(cbor.Tag{Number: tagEncoded, Content: inner})
}

// unwrap returns the bytes under tag 24.
func (c codec) unwrap(raw cbor.RawMessage) ([]byte, error) {
	var tag cbor.RawTag
	if err := c.dec.Unmarshal(raw, &tag); err != nil {
		return nil, err
	}
	if tag.Number != tagEncoded {
		return nil, fmt.Errorf("tag %d instead of %d", tag.Number, tagEncoded)
	}
	var inner []byte
	err := c.dec.Unmarshal(tag.Content, &inner)
	return inner, err
}

// day is a full-date, written YYYY-MM-DD.
func day(text string) cbor.Tag { return cbor.Tag{Number: tagDay, Content: text} }

// moment is a tdate: without fractions of a second, and in UTC (ISO/IEC 18013-5 §9.1.2.4).
func moment(t time.Time) cbor.Tag {
	return cbor.Tag{Number: tagDateTime, Content: t.UTC().Truncate(time.Second).Format(time.RFC3339)}
}
