package mdoc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"io"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Presentation says what a DeviceResponse shows and whom it is for.
type Presentation struct {
	Elements   [][2]string // namespace and name of each; what is not in the document is left out
	Transcript Transcript
	Key        *ecdsa.PrivateKey // the device key
	Random     io.Reader
	Faults     Faults
}

// Faults make a presentation wrong, for tests of verifiers: each breaks one thing and leaves
// everything else right. The zero value breaks nothing.
type Faults struct {
	Issuer   bool   // one bit of the issuer's signature is flipped
	Device   bool   // one bit of the device's signature is flipped
	OtherKey bool   // another key than the MSO's signs for the device
	Altered  string // name of an element whose value is exchanged, so that its digest does not fit
	DocType  string // another type beside the document, and under the device's signature
}

type response struct {
	Version   string     `cbor:"version"`
	Documents []document `cbor:"documents"`
	Status    uint64     `cbor:"status"`
}

type document struct {
	DocType      string       `cbor:"docType"`
	IssuerSigned issuerSigned `cbor:"issuerSigned"`
	DeviceSigned deviceSigned `cbor:"deviceSigned"`
}

type deviceSigned struct {
	NameSpaces cbor.RawMessage       `cbor:"nameSpaces"`
	DeviceAuth map[string]*signature `cbor:"deviceAuth"`
}

// Present writes a DeviceResponse with this one document (ISO/IEC 18013-5 §8.3.2.1.2.2). Nothing is
// device-signed but the transcript: no element is the holder's own word.
func (d Document) Present(p Presentation) ([]byte, error) {
	wanted := map[[2]string]bool{}
	for _, e := range p.Elements {
		wanted[e] = true
	}
	shown := d.choose(func(space string, i item) bool { return wanted[[2]string{space, i.Name}] })
	if err := p.Faults.spoil(&shown, d); err != nil {
		return nil, err
	}
	docType := d.object.DocType
	if p.Faults.DocType != "" {
		docType = p.Faults.DocType
	}
	nothing, err := wrap(map[string]any{})
	if err != nil {
		return nil, err
	}
	message, err := p.Transcript.deviceAuthentication(docType, nothing)
	if err != nil {
		return nil, err
	}
	signed, err := p.sign(message)
	if err != nil {
		return nil, fmt.Errorf("signing for the device: %w", err)
	}
	return encode(response{Version: "1.0", Documents: []document{{
		DocType: docType, IssuerSigned: shown,
		DeviceSigned: deviceSigned{NameSpaces: nothing, DeviceAuth: map[string]*signature{"deviceSignature": signed}},
	}}})
}

func (p Presentation) sign(message []byte) (*signature, error) {
	key := p.Key
	if p.Faults.OtherKey {
		other, err := ecdsa.GenerateKey(elliptic.P256(), p.Random)
		if err != nil {
			return nil, fmt.Errorf("making another key: %w", err)
		}
		key = other
	}
	signed, err := sign(p.Random, key, nil, message)
	if err != nil {
		return nil, err
	}
	signed.Payload = nil // detached: the verifier knows it (ISO/IEC 18013-5 §9.1.3.6)
	if p.Faults.Device {
		signed.Signature[len(signed.Signature)/2] ^= 1
	}
	return signed, nil
}

// choose is an IssuerSigned with some of the items.
func (d Document) choose(want func(space string, i item) bool) issuerSigned {
	chosen := issuerSigned{NameSpaces: map[string][]cbor.RawMessage{}, IssuerAuth: d.rawAuth}
	for _, space := range d.spaces {
		for _, i := range d.items[space] {
			if want(space, i) {
				chosen.NameSpaces[space] = append(chosen.NameSpaces[space], i.raw)
			}
		}
	}
	return chosen
}

func (f Faults) spoil(shown *issuerSigned, d Document) error {
	if f.Issuer {
		auth := *d.auth
		auth.Signature = slices.Clone(auth.Signature)
		auth.Signature[len(auth.Signature)/2] ^= 1
		raw, err := auth.MarshalCBOR()
		if err != nil {
			return err
		}
		shown.IssuerAuth = raw
	}
	for space, raws := range shown.NameSpaces {
		for at, raw := range raws {
			i, err := readItem(raw)
			if err != nil {
				return err
			}
			if f.Altered == "" || i.Name != f.Altered {
				continue
			}
			if i.Value, err = encode("altered"); err != nil {
				return err
			}
			if shown.NameSpaces[space][at], err = wrap(i); err != nil {
				return err
			}
		}
	}
	return nil
}
