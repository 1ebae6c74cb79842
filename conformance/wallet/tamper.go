package wallet

import (
	"net/url"
	"time"
)

// ShareOptions change how Share answers. The zero value answers honestly.
type ShareOptions struct {
	Tamper Tamper
}

// Tamper makes an answer wrong, for tests of verifiers: each member that is not zero breaks one
// thing and leaves everything else right, signatures made anew over what was broken before them.
type Tamper struct {
	Only string // the one credential query whose presentation is broken; empty breaks them all

	Nonce                string    // another nonce in the Key Binding JWT
	Audience             string    // another aud in it
	IssuedAt             time.Time // another iat in it
	BreakKBSignature     bool      // one bit of its signature is flipped
	BreakIssuerSignature bool      // one bit of the issuer's signature is flipped; sd_hash is over the result
	BreakSDHash          bool      // sd_hash is over other characters than were sent
	Receipt              string    // ID of another receipt in the wallet, sent for the Face Check asked for

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
	p.breakKB, p.breakIssuer, p.breakHash = t.BreakKBSignature, t.BreakIssuerSignature, t.BreakSDHash
	return p
}
