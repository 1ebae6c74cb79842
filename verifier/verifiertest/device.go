package verifiertest

import (
	"crypto/sha256"
	"testing"
)

// ResponseURI is the default response URI of tests.
const ResponseURI = "https://regain.example/wallet/response"

// Handover holds the parts of the request that the device signs (OpenID4VP 1.0 Appendix B.2.6).
type Handover struct {
	ClientID, Nonce, ResponseURI string
	Origin                       string // set for the Digital Credentials API
	Thumbprint                   []byte
}

// Transcript returns the encoded SessionTranscript.
func (h Handover) Transcript(t testing.TB) []byte {
	t.Helper()
	var thumbprint any
	if h.Thumbprint != nil {
		thumbprint = h.Thumbprint
	}
	name, info := "OpenID4VPHandover", []any{h.ClientID, h.Nonce, thumbprint, h.ResponseURI}
	if h.Origin != "" {
		name, info = "OpenID4VPDCAPIHandover", []any{h.Origin, h.Nonce, thumbprint}
	}
	sum := sha256.Sum256(CBOR(t, info))
	return CBOR(t, []any{nil, nil, []any{name, sum[:]}})
}

// Device is the deviceSigned part of a document, not signed yet.
type Device struct {
	Handover
	NameSpaces             *Map // the device-signed data elements, by namespace
	Protected, Unprotected *Map
	Authentication         Raw // if set, signed in place of DeviceAuthenticationBytes
}

// NewDevice makes a device response for direct_post with the default Nonce, Audience and ResponseURI, and a thumbprint
// of zeros.
func NewDevice() *Device {
	return &Device{
		Handover:   Handover{ClientID: Audience, Nonce: Nonce, ResponseURI: ResponseURI, Thumbprint: make([]byte, sha256.Size)},
		NameSpaces: NewMap(), Protected: NewMap(1, -7), Unprotected: NewMap(),
	}
}

// Respond signs an mdoc as its issuer and as its holder's device, and returns the DeviceResponse before it is encoded,
// so that a test can break it.
func (h *Holder) Respond(t testing.TB, d *MDoc, device *Device) *Map {
	t.Helper()
	return NewMap("version", "1.0", "documents", []any{NewMap(
		"docType", d.DocType, "issuerSigned", d.IssuerSigned(t),
		"deviceSigned", NewMap(
			"nameSpaces", Embed(t, device.NameSpaces),
			"deviceAuth", NewMap("deviceSignature", h.sign(t, d.DocType, device)),
		),
	)}, "status", 0)
}

func (h *Holder) sign(t testing.TB, docType string, device *Device) []any {
	t.Helper()
	payload := []byte(device.Authentication)
	if payload == nil {
		session := Raw(device.Transcript(t))
		payload = CBOR(t, Embed(t, []any{"DeviceAuthentication", session, docType, Embed(t, device.NameSpaces)}))
	}
	return []any{CBOR(t, device.Protected), device.Unprotected, nil, SignCOSE(t, h.Key, device.Protected, payload)}
}

// PresentMDoc signs an mdoc as its issuer and as its holder's device, and returns the presentation as in a vp_token.
func (h *Holder) PresentMDoc(t testing.TB, d *MDoc, device *Device) string {
	t.Helper()
	return Encode(CBOR(t, h.Respond(t, d, device)))
}
