package wallet

import (
	"encoding/base64"
	"strings"
	"time"

	"regain/conformance/wallet/sdjwt"
)

// presentation says what a presentation opens and whom it is for. The break members are set by
// Tamper only.
type presentation struct {
	places   [][]any
	audience string
	nonce    string
	issuedAt time.Time // now when zero

	breakKB, breakIssuer, breakHash bool
}

// present writes SD-JWT+KB (RFC 9901 §4.3): the issuer's JWT, the chosen disclosures, and a
// Key Binding JWT over exactly those characters.
func (w *Wallet) present(h *holding, p presentation) (string, error) {
	text := h.token.Present(h.token.Reveal(p.places))
	if p.breakIssuer {
		jwt, rest, _ := strings.Cut(text, "~")
		text = breakSignature(jwt) + "~" + rest
	}
	hash := sdjwt.Digest(text)
	if p.breakHash {
		hash = sdjwt.Digest(text + "broken")
	}
	if p.issuedAt.IsZero() {
		p.issuedAt = w.cfg.Clock()
	}
	binding, err := sign(h.key, "kb+jwt", false, map[string]any{
		"iat": p.issuedAt.Unix(), "aud": p.audience, "nonce": p.nonce, "sd_hash": hash,
	})
	if err != nil {
		return "", err
	}
	if p.breakKB {
		binding = breakSignature(binding)
	}
	return text + binding, nil
}

// breakSignature flips one bit in the middle of a JWS's signature, which stays well-formed.
func breakSignature(jws string) string {
	cut := strings.LastIndexByte(jws, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(jws[cut:])
	if err != nil || len(signature) == 0 {
		return jws + "AA"
	}
	signature[len(signature)/2] ^= 1
	return jws[:cut] + base64.RawURLEncoding.EncodeToString(signature)
}
