package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// ErrPresentation means that what was presented is not one licence of this authority in its holder's hand.
var ErrPresentation = errors.New("unacceptable presentation of a licence")

// Shown is a licence that was presented with its portrait, and verified.
type Shown struct {
	ID       string           // names the licence
	Device   *ecdsa.PublicKey // the holder's
	Portrait []byte
	Digest   string // of the portrait, as it stands in the security object; base64url
}

// response is a DeviceResponse (ISO/IEC 18013-5 §8.3.2.1.2.2).
type response struct {
	Version   string     `cbor:"version"`
	Status    uint64     `cbor:"status"`
	Documents []document `cbor:"documents"`
}

type document struct {
	DocType string `cbor:"docType"`
	Issuer  struct {
		Items map[string][]cbor.RawMessage `cbor:"nameSpaces"`
		Auth  sign1                        `cbor:"issuerAuth"`
	} `cbor:"issuerSigned"`
	Device struct {
		Items cbor.RawMessage `cbor:"nameSpaces"`
		Auth  struct {
			Signature *sign1 `cbor:"deviceSignature"`
		} `cbor:"deviceAuth"`
	} `cbor:"deviceSigned"`
}

// Open verifies a DeviceResponse with one licence of this authority in it. Everything that ISO/IEC 18013-5 §9.3.1 wants
// checked is: the issuer's signature, the type, the time, the digest of each data element, and the holder's signature
// over the handover. The certificate that came along is not looked at: only one key could have signed, and it is here.
func (a *Authority) Open(raw []byte, handover Handover, now time.Time) (Shown, error) {
	shown, err := a.open(raw, handover, now)
	if err != nil {
		return Shown{}, fmt.Errorf("%w: %w", ErrPresentation, err)
	}
	return shown, nil
}

func (a *Authority) open(raw []byte, handover Handover, now time.Time) (Shown, error) {
	var r response
	if err := a.codec.dec.Unmarshal(raw, &r); err != nil {
		return Shown{}, errors.New("it is no DeviceResponse") // the decoder's error may quote it
	}
	if r.Version != "1.0" || r.Status != 0 || len(r.Documents) != 1 {
		return Shown{}, errors.New("it does not hold one document in good order")
	}
	d := r.Documents[0]
	if err := a.codec.verify(d.Issuer.Auth, &a.key.PublicKey, d.Issuer.Auth.Payload); err != nil {
		return Shown{}, fmt.Errorf("issuerAuth: %w", err)
	}
	object, err := a.readObject(d.Issuer.Auth.Payload)
	if err != nil {
		return Shown{}, fmt.Errorf("security object: %w", err)
	}
	if object.DocType != DocType || d.DocType != DocType {
		return Shown{}, errors.New("it is of another type")
	}
	if err := object.Validity.covers(now); err != nil {
		return Shown{}, err
	}
	shown := Shown{ID: identify(d.Issuer.Auth.Payload)}
	if shown.Device, err = a.codec.readKey(object.Device.Key); err != nil {
		return Shown{}, fmt.Errorf("device key: %w", err)
	}
	if err := a.checkHolder(d, handover, shown.Device); err != nil {
		return Shown{}, fmt.Errorf("device authentication: %w", err)
	}
	return shown, a.takePortrait(&shown, d.Issuer.Items, object.Digests)
}

func (a *Authority) readObject(payload []byte) (securityObject, error) {
	var object securityObject
	inner, err := a.codec.unwrap(payload)
	if err != nil {
		return object, err
	}
	err = a.codec.dec.Unmarshal(inner, &object)
	return object, err
}

// covers reports nothing if now is within the licence's time.
func (v validity) covers(now time.Time) error {
	for _, end := range []struct {
		tag    cbor.Tag
		before bool // now must be before it
	}{{v.From, false}, {v.Until, true}} {
		text, _ := end.tag.Content.(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || now.Before(at) != end.before {
			return errors.New("it is not valid now")
		}
	}
	return nil
}

// checkHolder verifies the device's signature over DeviceAuthenticationBytes (ISO/IEC 18013-5 §9.1.3.4).
func (a *Authority) checkHolder(d document, handover Handover, key *ecdsa.PublicKey) error {
	if d.Device.Auth.Signature == nil {
		return errors.New("there is no signature")
	}
	if _, err := a.codec.unwrap(d.Device.Items); err != nil {
		return fmt.Errorf("name spaces: %w", err)
	}
	transcript, err := a.codec.transcript(handover)
	if err != nil {
		return err
	}
	signed, err := a.codec.wrap([]any{"DeviceAuthentication", cbor.RawMessage(transcript), d.DocType, d.Device.Items})
	if err != nil {
		return err
	}
	if d.Device.Auth.Signature.Payload != nil {
		return errors.New("its payload is not detached")
	}
	return a.codec.verify(*d.Device.Auth.Signature, key, signed)
}

// takePortrait holds each data element against its digest and keeps the portrait.
func (a *Authority) takePortrait(shown *Shown, items map[string][]cbor.RawMessage, digests map[string]map[uint64][]byte) error {
	seen := map[string]bool{}
	for namespace, list := range items {
		for _, raw := range list {
			inner, err := a.codec.unwrap(raw)
			if err != nil {
				return errors.New("a data element is malformed")
			}
			var i item
			if err := a.codec.dec.Unmarshal(inner, &i); err != nil {
				return errors.New("a data element is malformed")
			}
			sum := sha256.Sum256(raw)
			if want := digests[namespace][i.Digest]; len(want) == 0 || !bytes.Equal(want, sum[:]) {
				return errors.New("a data element has another digest")
			}
			if seen[namespace+" "+i.Name] {
				return errors.New("a data element occurs twice")
			}
			seen[namespace+" "+i.Name] = true
			if namespace != Namespace || i.Name != "portrait" {
				continue
			}
			if err := a.codec.dec.Unmarshal(i.Value, &shown.Portrait); err != nil {
				return errors.New("the portrait is no byte string")
			}
			shown.Digest = base64.RawURLEncoding.EncodeToString(sum[:])
		}
	}
	if shown.Digest == "" {
		return errors.New("the portrait is not shown")
	}
	return nil
}
