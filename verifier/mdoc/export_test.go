package mdoc

import (
	"crypto/ecdsa"
	"time"
)

// VerifyTranscript verifies the device's signature over a session that is not OpenID4VP's.
func (p *Parsed) VerifyTranscript(transcript []byte) (*ecdsa.PublicKey, error) {
	return p.verifyHolder(transcript)
}

// DeviceAuthentication makes what the device signs, or makes its MAC over.
func (p *Parsed) DeviceAuthentication(transcript []byte) ([]byte, error) {
	return p.deviceAuthentication(transcript)
}

// Embedded takes off a tag 24.
func Embedded(raw []byte) ([]byte, error) { return embedded("it", raw) }

// Mac returns the DeviceMac.
func (p *Parsed) Mac() []byte { return p.device.Auth.Mac }

// Number reads an integer.
func Number(raw []byte) (int64, error) {
	var n number
	err := n.UnmarshalCBOR(raw)
	return int64(n), err
}

// Date reads a tdate.
func Date(raw []byte) (time.Time, error) {
	var d date
	err := d.UnmarshalCBOR(raw)
	return time.Time(d), err
}
