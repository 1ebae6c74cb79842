package wallet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"net/url"
	"time"
)

// ShareOptions change how Share answers. The zero value answers honestly.
type ShareOptions struct {
	Tamper Tamper
}

// Tamper makes an answer wrong, for tests of verifiers: each member that is not zero breaks one
// thing and leaves everything else right, signatures made anew over what was broken before them.
// What a Key Binding JWT says, an mdoc's session transcript says in its way.
type Tamper struct {
	Only string // the one credential query whose presentation is broken; empty breaks them all

	Nonce                string    // another nonce in the Key Binding JWT, or in the session transcript
	Audience             string    // another aud in it; another client_id or origin in the transcript
	IssuedAt             time.Time // another iat in it
	BreakKBSignature     bool      // one bit of the holder's signature is flipped
	OtherKey             bool      // another key than the credential's signs for the holder
	OmitHolderBinding    bool      // an SD-JWT without its Key Binding JWT
	BreakIssuerSignature bool      // one bit of the issuer's signature is flipped; sd_hash is over the result
	BreakSDHash          bool      // sd_hash is over other characters than were sent
	Receipt              string    // ID of another receipt in the wallet, sent for the Face Check asked for

	ResponseURI     string // another response_uri in the session transcript of an mdoc
	OtherThumbprint bool   // the thumbprint of another key in it, or of one where there is none
	AlterElement    string // name of an element whose value is exchanged: its digest does not fit
	DocType         string // another docType than the MSO's

	BreakTransactionHash  bool // the hash of another transaction
	OmitTransactionHashes bool // none at all

	PlainVPToken    bool       // vp_token and state as form members, not encrypted
	WrongKid        bool       // a kid the verifier did not offer
	ExtraParameters url.Values // more form members
	ReplayLast      bool       // the wallet's last answer once more, to the last character
}

func (t Tamper) apply(p presentation, query string) presentation {
	if t.Only != "" && t.Only != query {
		return p
	}
	if t.Nonce != "" {
		p.nonce = t.Nonce
	}
	if t.Audience != "" {
		p.audience = t.Audience
	}
	if !t.IssuedAt.IsZero() {
		p.issuedAt = t.IssuedAt
	}
	if t.ResponseURI != "" && p.session.responseURI != "" {
		p.session.responseURI = t.ResponseURI
	}
	if t.OtherThumbprint {
		p.session.thumbprint = make([]byte, 32)
	}
	p.bare = p.bare || t.OmitHolderBinding
	p.faults.Altered, p.faults.DocType = t.AlterElement, t.DocType
	p.breakKB, p.breakIssuer, p.breakHash, p.otherKey = t.BreakKBSignature, t.BreakIssuerSignature, t.BreakSDHash, t.OtherKey
	p.breakTransactions, p.dropTransactions = t.BreakTransactionHash, t.OmitTransactionHashes
	return p
}

// keyFor is the holder's key, or another one when that is what is wrong.
func (by presenter) keyFor(h *holding, p presentation) (*ecdsa.PrivateKey, error) {
	if !p.otherKey {
		return h.key, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), by.random)
	if err != nil {
		return nil, fmt.Errorf("making another key: %w", err)
	}
	return key, nil
}
