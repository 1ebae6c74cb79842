package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// deviceSigned is what the device adds (ISO 18013-5 §8.3.2.1.2.2).
type deviceSigned struct {
	NameSpaces cbor.RawMessage `cbor:"nameSpaces"` // DeviceNameSpacesBytes
	Auth       struct {
		Signature cbor.RawMessage `cbor:"deviceSignature"`
		Mac       cbor.RawMessage `cbor:"deviceMac"`
	} `cbor:"deviceAuth"`

	elements  map[string]map[string]cbor.RawMessage
	signature sign1
}

// authorizations say what the device may sign (§9.1.2.4): all of a namespace, or some of its elements.
type authorizations struct {
	NameSpaces   []text            `cbor:"nameSpaces"`
	DataElements map[string][]text `cbor:"dataElements"`
}

func (a authorizations) allow(space, name string) bool {
	return slices.Contains(a.NameSpaces, text(space)) || slices.Contains(a.DataElements[space], text(name))
}

// deviceAuth reads the elements and the signature of the device.
func (r reader) deviceAuth(d *deviceSigned) error {
	inner, err := embedded("deviceSigned's nameSpaces", d.NameSpaces)
	if err != nil {
		return err
	}
	if err := r.open("deviceSigned's nameSpaces", majorMap, inner, &d.elements); err != nil {
		return err
	}
	if (d.Auth.Signature == nil) == (d.Auth.Mac == nil) {
		return fmt.Errorf("%w: deviceAuth has neither a signature nor a MAC, or both", ErrMalformed)
	}
	if d.Auth.Signature == nil {
		return nil // for VerifyHolder to refuse: it is well formed, and proves nothing to us
	}
	if d.signature, err = r.sign1("DeviceSignature", d.Auth.Signature); err != nil {
		return err
	}
	if null := []byte{0xf6}; !bytes.Equal(d.signature.Payload, null) { // or it would be signed over what the device says it is
		return fmt.Errorf("%w: DeviceSignature brings its payload along", ErrMalformed)
	}
	if d.signature.Unprotected.Chain != nil {
		return fmt.Errorf("%w: DeviceSignature brings certificates; its key is in the MSO", ErrMalformed)
	}
	return nil
}

// VerifyHolder checks the device's signature over this session (§9.1.3.6), and that it signed no element that the issuer
// did not let it sign. It returns the holder's key. A MAC is refused: it proves possession to whoever shares a key with
// the device, and over OpenID4VP we ask for signatures only (`deviceauth_alg_values`, Appendix B.2.2).
func (p *Parsed) VerifyHolder(s Session) (*ecdsa.PublicKey, error) {
	transcript, err := s.Transcript()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHolder, err)
	}
	return p.verifyHolder(transcript)
}

func (p *Parsed) verifyHolder(transcript []byte) (*ecdsa.PublicKey, error) {
	if p.device.Auth.Mac != nil {
		return nil, fmt.Errorf("%w: the device authenticates with a MAC, and only signatures were asked for", ErrHolder)
	}
	for space, elements := range p.device.elements {
		for name := range elements {
			if !p.object.DeviceKeyInfo.KeyAuthorizations.allow(space, name) {
				return nil, fmt.Errorf("%w: the device signs an element that its key is not authorised for", ErrHolder)
			}
		}
	}
	payload, err := p.deviceAuthentication(transcript)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHolder, err)
	}
	if err := p.device.signature.verify(p.holder, payload); err != nil {
		return nil, fmt.Errorf("%w: DeviceSignature: %w", ErrHolder, err)
	}
	return p.holder, nil
}

// deviceAuthentication makes DeviceAuthenticationBytes (§9.1.3.4), which nobody sends.
func (p *Parsed) deviceAuthentication(transcript []byte) ([]byte, error) {
	inner, err := cbor.Marshal([]any{"DeviceAuthentication", cbor.RawMessage(transcript), p.DocType(), p.device.NameSpaces})
	if err != nil {
		return nil, err
	}
	return cbor.Marshal(cbor.Tag{Number: tagEmbeddedCBOR, Content: inner})
}
