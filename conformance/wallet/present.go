package wallet

import (
	"encoding/base64"
	"io"
	"strings"
	"time"

	"regain/conformance/mdoc"
	"regain/conformance/sdjwt"
	"regain/conformance/spoil"
	"regain/conformance/wallet/request"
)

// presentation says what a presentation opens and whom it is for. The break members and the faults
// are set by Tamper only.
type presentation struct {
	places     [][]any
	audience   string
	nonce      string
	session    session
	bare       bool      // without the holder's signature, which an mdoc cannot go without
	issuedAt   time.Time // now when zero
	authorises []request.Transaction

	breakKB, breakIssuer, breakHash, otherKey bool
	breakTransactions, dropTransactions       bool
	faults                                    mdoc.Faults
}

// session is what an mdoc's session transcript names beside audience and nonce.
type session struct {
	responseURI string // empty over the Digital Credentials API
	thumbprint  []byte // of the key that the answer is encrypted to; nil when it is not
}

// presenter writes presentations.
type presenter struct {
	clock  func() time.Time
	random io.Reader // an mdoc's signature, and other keys
}

// write writes the presentation as it stands in a vp_token.
func (by presenter) write(h *holding, p presentation) (string, error) {
	if h.Format == mdocFormat {
		return by.mdoc(h, p)
	}
	return by.sdjwt(h, p)
}

// sdjwt writes SD-JWT+KB (RFC 9901 §4.3): the issuer's JWT, the chosen disclosures, and a
// Key Binding JWT over exactly those characters. Without the latter it ends with its last tilde.
func (by presenter) sdjwt(h *holding, p presentation) (string, error) {
	text := h.token.Present(h.token.Reveal(p.places))
	if p.breakIssuer {
		jwt, rest, _ := strings.Cut(text, "~")
		text = spoil.Signature(jwt) + "~" + rest
	}
	if p.bare || h.key == nil {
		return text, nil
	}
	hash := sdjwt.Digest(text)
	if p.breakHash {
		hash = sdjwt.Digest(text + "broken")
	}
	if p.issuedAt.IsZero() {
		p.issuedAt = by.clock()
	}
	claims := map[string]any{"iat": p.issuedAt.Unix(), "aud": p.audience, "nonce": p.nonce, "sd_hash": hash}
	p.authorise(claims)
	key, err := by.keyFor(h, p)
	if err != nil {
		return "", err
	}
	binding, err := sign(key, "kb+jwt", false, claims)
	if err != nil {
		return "", err
	}
	if p.breakKB {
		binding = spoil.Signature(binding)
	}
	return text + binding, nil
}

// authorise adds the hashes of the transactions (OpenID4VP 1.0 Appendix B.3.3.1).
func (p presentation) authorise(claims map[string]any) {
	if len(p.authorises) == 0 || p.dropTransactions {
		return
	}
	hashes, algorithm, _ := request.Hashes(p.authorises) // reviewed, so there is one
	if p.breakTransactions {
		hashes[0] = sdjwt.Digest("another transaction")
	}
	claims["transaction_data_hashes"] = hashes
	if algorithm != "" {
		claims["transaction_data_hashes_alg"] = algorithm
	}
}

// mdoc writes a base64url DeviceResponse (OpenID4VP 1.0 Appendix B.2.5).
func (by presenter) mdoc(h *holding, p presentation) (string, error) {
	transcript, err := p.transcript()
	if err != nil {
		return "", err
	}
	var elements [][2]string
	for _, place := range p.places {
		space, _ := place[0].(string)
		name, _ := place[1].(string)
		elements = append(elements, [2]string{space, name})
	}
	p.faults.Issuer, p.faults.Device, p.faults.OtherKey = p.breakIssuer, p.breakKB, p.otherKey
	raw, err := h.doc.Present(mdoc.Presentation{
		Elements: elements, Transcript: transcript, Key: h.key, Random: by.random, Faults: p.faults,
	})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func (p presentation) transcript() (mdoc.Transcript, error) {
	if p.session.responseURI == "" {
		origin := strings.TrimPrefix(p.audience, string(request.Origin)+":")
		return mdoc.DigitalCredentials(origin, p.nonce, p.session.thumbprint)
	}
	return mdoc.Redirect(p.audience, p.nonce, p.session.thumbprint, p.session.responseURI)
}
