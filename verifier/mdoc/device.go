package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// deviceSigned is the part of the document that the device adds (ISO 18013-5 §8.3.2.1.2.2).
type deviceSigned struct {
	NameSpaces cbor.RawMessage `cbor:"nameSpaces"` // DeviceNameSpacesBytes
	Auth       struct {
		Signature cbor.RawMessage `cbor:"deviceSignature"`
		Mac       cbor.RawMessage `cbor:"deviceMac"`
	} `cbor:"deviceAuth"`

	elements  map[string]map[string]cbor.RawMessage
	signature sign1
}

// authorizations is KeyAuthorizations (ISO 18013-5 §9.1.2.4): the namespaces, or single elements of them, that the
// device may sign.
type authorizations struct {
	NameSpaces   []text            `cbor:"nameSpaces"`
	DataElements map[string][]text `cbor:"dataElements"`
}

func (a authorizations) allow(space, name string) bool {
	return slices.Contains(a.NameSpaces, text(space)) || slices.Contains(a.DataElements[space], text(name))
}

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
		return nil // a MAC is well formed; VerifyHolder refuses it
	}
	if d.signature, err = r.sign1("DeviceSignature", d.Auth.Signature); err != nil {
		return err
	}
	// The payload must be detached: VerifyHolder computes it from our session, not from what the device sends.
	if null := []byte{0xf6}; !bytes.Equal(d.signature.Payload, null) {
		return fmt.Errorf("%w: the payload of DeviceSignature is not detached", ErrMalformed)
	}
	if d.signature.Unprotected.Chain != nil {
		return fmt.Errorf("%w: DeviceSignature has certificates, but its key is in the MSO", ErrMalformed)
	}
	return nil
}

// VerifyHolder verifies the device's signature over this session (ISO 18013-5 §9.1.3.6), and that the issuer has
// authorised the device to sign its device-signed elements. It returns the holder's key. A MAC is refused: it needs a
// key shared with the verifier, and our requests accept signatures only (`deviceauth_alg_values`, OpenID4VP 1.0
// Appendix B.2.2).
func (p *Parsed) VerifyHolder(s Session) (*ecdsa.PublicKey, error) {
	transcript, err := s.Transcript()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHolder, err)
	}
	return p.verifyHolder(transcript)
}

func (p *Parsed) verifyHolder(transcript []byte) (*ecdsa.PublicKey, error) {
	if p.device.Auth.Mac != nil {
		return nil, fmt.Errorf("%w: the device authenticates with a MAC, but the request accepts signatures only", ErrHolder)
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

// deviceAuthentication computes DeviceAuthenticationBytes (ISO 18013-5 §9.1.3.4), the detached payload of
// DeviceSignature.
func (p *Parsed) deviceAuthentication(transcript []byte) ([]byte, error) {
	inner, err := cbor.Marshal([]any{"DeviceAuthentication", cbor.RawMessage(transcript), p.DocType(), p.device.NameSpaces})
	if err != nil {
		return nil, err
	}
	return cbor.Marshal(cbor.Tag{Number: tagEmbeddedCBOR, Content: inner})
}
