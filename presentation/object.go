package presentation

import (
	"errors"
	"fmt"
	"time"

	"regain/presentation/identity"
)

const (
	// audience of a wallet that was not discovered (§5.8).
	audience     = "https://self-issued.me/v2"
	responseType = "vp_token"
	usual        = 3 << 9 // bytes of a request, rarely more
)

// ContentType is that of a request object on the wire.
const ContentType = "application/" + identity.RequestType

// RequestObjectParams are what one fetch of the request URI adds to the request.
type RequestObjectParams struct {
	WalletNonce string     // from the wallet's POST; empty on GET
	WalletKey   *WalletKey // from the wallet's POST: encrypt the request object to it; nil: don't
	Now         time.Time
}

// RequestObject signs the request (RFC 9101 §4): the body of an answer with [ContentType]. It may be
// fetched any number of times until the request expires, and always asks the same. ErrExpired when
// the request is over.
//
// The payload holds what OpenID4VP 1.0 §5 names for this mode and nothing else; iss, which wallets
// have to ignore, is left out, and so is everything that belongs to another mode.
func (p Profile) RequestObject(r Request, params RequestObjectParams) ([]byte, error) {
	object, err := p.requestObject(r, params)
	if err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	return object, nil
}

func (p Profile) requestObject(r Request, params RequestObjectParams) ([]byte, error) {
	if r.Mode.Browser() {
		return nil, errors.New("the request is for a browser")
	}
	if err := p.ready(r, params.Now); err != nil {
		return nil, err
	}
	if params.WalletNonce != "" && !isWalletNonce(params.WalletNonce) {
		return nil, fmt.Errorf("%w: wallet_nonce", ErrMalformed)
	}
	o := p.payload(r)
	if params.WalletNonce != "" {
		o.text("wallet_nonce", params.WalletNonce)
	}
	payload, err := o.close()
	if err != nil {
		return nil, err
	}
	object, err := p.Identity.Sign(payload)
	if err != nil || params.WalletKey == nil {
		return object, err
	}
	return params.WalletKey.encrypt(object)
}

// ready refuses to sign or show what cannot be answered any more: a request that is over, or that was made under another
// identity, as before a certificate was renewed, since its client_id is the audience of the answer.
func (p Profile) ready(r Request, now time.Time) error {
	if err := r.usable(now); err != nil {
		return err
	}
	if r.ClientID != p.clientID(r.Mode, r.ResponseURI) {
		return fmt.Errorf("%w: it was made under another client_id", ErrExpired)
	}
	return p.Identity.Usable(now)
}

// payload is everything that a request says that one party signs, but for the wallet's nonce.
func (p Profile) payload(r Request) *object {
	o := p.shared(r)
	o.text("client_id", r.ClientID)
	o.optional("verifier_info", p.VerifierInfo)
	return o
}

// shared is what a signed request says whoever signs it.
func (p Profile) shared(r Request) *object {
	o := newObject(usual)
	o.own("aud", audience)
	if r.Mode.Browser() {
		o.value("expected_origins", []string{r.Origin}) // no other page may hand this request on (Appendix A.2)
	}
	p.ask(o, r)
	o.number("iat", r.IssuedAt.Unix())
	o.number("exp", r.ExpiresAt.Unix())
	if !p.registered() {
		o.raw("client_metadata", r.clientMetadata())
	}
	return o
}

// ask writes what every request says, signed or not, whichever way it goes.
func (p Profile) ask(o *object, r Request) {
	o.own("response_type", responseType)
	o.own("response_mode", string(r.Mode))
	if !r.Mode.Browser() {
		o.text("response_uri", r.ResponseURI)
		o.own("state", r.State)
	}
	o.own("nonce", r.Nonce)
	o.value("dcql_query", r.Query)
	if len(r.TransactionData) > 0 {
		o.value("transaction_data", r.TransactionData)
	}
}
