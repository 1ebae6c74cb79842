package mdoc

import (
	"crypto/sha256"
	"fmt"
)

// Handover is what a presentation over OpenID4VP by redirect is bound to (OpenID4VP 1.0 Appendix B.2.6.1).
type Handover struct {
	ClientID, Nonce string
	Thumbprint      []byte // of the key that the answer is encrypted to (RFC 7638, SHA-256); nil if it is not encrypted
	ResponseURI     string
}

// transcript is the SessionTranscript of such a presentation: there is neither a device engagement nor a reader's key.
func (c codec) transcript(h Handover) ([]byte, error) {
	var thumbprint any
	if h.Thumbprint != nil {
		thumbprint = h.Thumbprint
	}
	info, err := c.enc.Marshal([]any{h.ClientID, h.Nonce, thumbprint, h.ResponseURI})
	if err != nil {
		return nil, fmt.Errorf("encoding the handover: %w", err)
	}
	sum := sha256.Sum256(info)
	return c.enc.Marshal([]any{nil, nil, []any{"OpenID4VPHandover", sum[:]}})
}
