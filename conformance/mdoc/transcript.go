package mdoc

import (
	"crypto/sha256"

	"github.com/fxamacker/cbor/v2"
)

// Transcript is the bytes of a SessionTranscript (ISO/IEC 18013-5 §9.1.5.1), whose first two members are null over
// OpenID4VP: there was no device engagement, and there is no reader's key.
type Transcript []byte

// Redirect is the transcript of a request by a link (OpenID4VP 1.0 Appendix B.2.6.1). thumbprint is that of the key that
// the answer is encrypted to (RFC 7638, SHA-256), nil when it is not encrypted.
func Redirect(clientID, nonce string, thumbprint []byte, responseURI string) (Transcript, error) {
	return handover("OpenID4VPHandover", []any{clientID, nonce, thumbprint, responseURI})
}

// DigitalCredentials is the transcript of a request over the Digital Credentials API (OpenID4VP 1.0 Appendix B.2.6.2).
// The origin stands without the prefix origin:.
func DigitalCredentials(origin, nonce string, thumbprint []byte) (Transcript, error) {
	return handover("OpenID4VPDCAPIHandover", []any{origin, nonce, thumbprint})
}

func handover(name string, info []any) (Transcript, error) {
	raw, err := encode(info)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return encode([]any{nil, nil, []any{name, sum[:]}})
}

// deviceAuthentication is what the device key signs: DeviceAuthenticationBytes (ISO/IEC 18013-5 §9.1.3.4).
func (t Transcript) deviceAuthentication(docType string, nameSpaces cbor.RawMessage) ([]byte, error) {
	return wrap([]any{"DeviceAuthentication", cbor.RawMessage(t), docType, nameSpaces})
}
