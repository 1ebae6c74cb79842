package mdoc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// ErrPresentation means that what was presented is not one licence of this authority in its holder's hand.
var ErrPresentation = errors.New("unacceptable presentation of a licence")

// Response is a DeviceResponse with one document, taken apart. Of the document only the elements that are shown are
// there.
type Response struct {
	Document Document
	DocType  string // beside the document; an honest holder names its own

	device deviceSigned
}

// ReadResponse takes a DeviceResponse apart (ISO/IEC 18013-5 §8.3.2.1.2.2) and holds each element against its digest. The
// signatures are still to be checked: the issuer's by Document.Verify, the holder's by HeldOver.
func ReadResponse(raw []byte) (Response, error) {
	var r response
	if err := decode(raw, &r); err != nil {
		return Response{}, err
	}
	if r.Version != "1.0" || r.Status != 0 || len(r.Documents) != 1 {
		return Response{}, fmt.Errorf("%w: it does not hold one document in good order", ErrMalformed)
	}
	shown := r.Documents[0]
	d, err := open(shown.IssuerSigned)
	return Response{Document: d, DocType: shown.DocType, device: shown.DeviceSigned}, err
}

// HeldOver reports why the device key in the document did not sign this transcript, nil if it did (ISO/IEC 18013-5
// §9.1.3.4).
func (r Response) HeldOver(t Transcript) error {
	signed := r.device.DeviceAuth["deviceSignature"]
	if signed == nil || signed.Payload != nil {
		return errors.New("there is no signature of the device, or its payload is not detached")
	}
	var spaces map[string]any
	if err := unwrap(r.device.NameSpaces, &spaces); err != nil {
		return fmt.Errorf("reading the elements of the device: %w", err)
	}
	message, err := t.deviceAuthentication(r.DocType, r.device.NameSpaces)
	if err != nil {
		return err
	}
	over := *signed
	over.Payload = message
	return verify(&over, r.Document.DeviceKey())
}

// Shown is a licence that was presented with its portrait, and verified.
type Shown struct {
	Document Document
	Portrait []byte
	Digest   string // of the portrait, as it stands in the security object; base64url
}

// Open verifies a DeviceResponse with one licence of this authority in it: the issuer's signature, the type, the time,
// the digest of each data element, and the holder's signature over the transcript (ISO/IEC 18013-5 §9.3.1). The
// certificate inside is not looked at: only the authority's own key can have signed.
func (a *Authority) Open(raw []byte, t Transcript, now time.Time) (Shown, error) {
	shown, err := a.open(raw, t, now)
	if err != nil {
		return Shown{}, fmt.Errorf("%w: %w", ErrPresentation, err)
	}
	return shown, nil
}

func (a *Authority) open(raw []byte, t Transcript, now time.Time) (Shown, error) {
	r, err := ReadResponse(raw)
	if err != nil {
		return Shown{}, err
	}
	d := r.Document
	if err := verify(d.auth, &a.key.PublicKey); err != nil {
		return Shown{}, fmt.Errorf("issuerAuth: %w", err)
	}
	if r.DocType != DocType || d.DocType() != DocType {
		return Shown{}, errors.New("it is of another type")
	}
	if err := d.validAt(now); err != nil {
		return Shown{}, err
	}
	if err := r.HeldOver(t); err != nil {
		return Shown{}, fmt.Errorf("device authentication: %w", err)
	}
	elements, _ := d.Claims()[Namespace].(map[string]any)
	text, _ := elements["portrait"].(string)
	portrait, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(portrait) == 0 {
		return Shown{}, errors.New("the portrait is not shown")
	}
	_, digest, _ := d.Find("portrait")
	return Shown{Document: d, Portrait: portrait, Digest: digest}, nil
}
