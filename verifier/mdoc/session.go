package mdoc

import (
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// Session holds the parts of the request that the device's signature must cover.
type Session struct {
	ClientID    string // with its prefix (OpenID4VP 1.0 §14.10)
	Nonce       string
	ResponseURI string // or redirect_uri, whichever the request had
	Origin      string // of our page, for the Digital Credentials API; then ClientID and ResponseURI are not used
	Thumbprint  []byte // RFC 7638, SHA-256, of the key that the response was encrypted to; nil for an unencrypted response
}

// Transcript returns the SessionTranscript (OpenID4VP 1.0 Appendix B.2.6): [null, null, Handover], where the handover
// is its name and the hash of the request's parameters. A missing parameter is an error: otherwise a signature over an
// empty value would match every request.
func (s Session) Transcript() ([]byte, error) {
	var thumbprint any // null
	if len(s.Thumbprint) > 0 {
		thumbprint = s.Thumbprint
	}
	name, info := "OpenID4VPHandover", []any{s.ClientID, s.Nonce, thumbprint, s.ResponseURI}
	if s.Origin != "" {
		name, info = "OpenID4VPDCAPIHandover", []any{s.Origin, s.Nonce, thumbprint}
	}
	switch {
	case s.Nonce == "" || s.Origin == "" && (s.ClientID == "" || s.ResponseURI == ""):
		return nil, errors.New("session: client id, nonce or response URI is missing")
	case strings.HasPrefix(s.Origin, "origin:"): // OpenID4VP 1.0 Appendix B.2.6.2 forbids the prefix
		return nil, errors.New("session: the origin has a prefix")
	case len(s.Thumbprint) > 0 && len(s.Thumbprint) != sha256.Size:
		return nil, errors.New("session: the thumbprint is not a SHA-256")
	}
	raw, err := cbor.Marshal(info)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return cbor.Marshal([]any{nil, nil, []any{name, sum[:]}})
}
