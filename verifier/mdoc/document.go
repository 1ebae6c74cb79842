package mdoc

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// response is a DeviceResponse (ISO 18013-5 §8.3.2.1.2.2). Unknown members are ignored, since other versions may add
// some.
type response struct {
	Version        text            `cbor:"version"`
	Documents      []document      `cbor:"documents"`
	DocumentErrors cbor.RawMessage `cbor:"documentErrors"`
	Status         cbor.RawMessage `cbor:"status"`
}

// document is a Document of the DeviceResponse: one mdoc.
type document struct {
	DocType      text            `cbor:"docType"`
	IssuerSigned issuerSigned    `cbor:"issuerSigned"`
	DeviceSigned deviceSigned    `cbor:"deviceSigned"`
	Errors       cbor.RawMessage `cbor:"errors"`
}

type issuerSigned struct {
	NameSpaces map[string][]cbor.RawMessage `cbor:"nameSpaces"` // of IssuerSignedItemBytes
	IssuerAuth cbor.RawMessage              `cbor:"issuerAuth"`
}

// document decodes a DeviceResponse that has exactly one document and no errors. A DeviceResponse that reports errors
// is refused: an OpenID4VP wallet that cannot present what was requested sends no presentation.
func (r reader) document(raw []byte) (document, error) {
	var all response
	if err := r.open("DeviceResponse", majorMap, raw, &all); err != nil {
		return document{}, err
	}
	if all.Version != version {
		return document{}, fmt.Errorf("%w: DeviceResponse is not of version %s", ErrMalformed, version)
	}
	if !bytes.Equal(all.Status, []byte{0}) || all.DocumentErrors != nil {
		return document{}, fmt.Errorf("%w: DeviceResponse reports an error", ErrMalformed)
	}
	if len(all.Documents) != 1 {
		return document{}, fmt.Errorf("%w: DeviceResponse does not have exactly one document", ErrMalformed)
	}
	if all.Documents[0].Errors != nil {
		return document{}, fmt.Errorf("%w: the document reports errors", ErrMalformed)
	}
	return all.Documents[0], nil
}
