package presentation

import (
	"errors"
	"fmt"
	"time"

	"regain/presentation/identity"
)

const (
	// audience is the aud of a request object when the wallet's metadata are not discovered (OpenID4VP 1.0 §5.8).
	audience     = "https://self-issued.me/v2"
	responseType = "vp_token"
	usualSize    = 3 << 9 // the usual size of a request in bytes, the initial capacity of its buffer
)

// ContentType is the media type of a request object.
const ContentType = "application/" + identity.RequestType

// RequestObjectParams has the parameters of one fetch of the request URI.
type RequestObjectParams struct {
	WalletNonce string     // from the wallet's POST; empty for a GET
	WalletKey   *WalletKey // from the wallet's POST: the key to encrypt the request object to; nil for no encryption
	Now         time.Time
}

// RequestObject returns the signed request object (RFC 9101 §4), the body of a response with [ContentType]. A wallet
// may fetch it any number of times until the request expires; it always asks for the same. After that the error is
// ErrExpired.
//
// The payload has exactly the parameters that OpenID4VP 1.0 §5 defines for the response mode. It leaves out iss, which
// wallets must ignore.
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

// ready returns ErrExpired for a request that cannot be answered any more: it has expired, or its client_id is not that
// of the profile, for example because the certificate was renewed. The client_id is the audience of the response, so a
// request object under the new one would get a response that does not verify.
func (p Profile) ready(r Request, now time.Time) error {
	if err := r.usable(now); err != nil {
		return err
	}
	if r.ClientID != p.clientID(r.Mode, r.ResponseURI) {
		return fmt.Errorf("%w: it was made under another client_id", ErrExpired)
	}
	return p.Identity.Usable(now)
}

// payload writes a request with one signer, except wallet_nonce.
func (p Profile) payload(r Request) *object {
	o := p.shared(r)
	o.text("client_id", r.ClientID)
	o.optional("verifier_info", p.VerifierInfo)
	return o
}

// shared writes the part of a signed request that does not depend on the signer.
func (p Profile) shared(r Request) *object {
	o := newObject(usualSize)
	o.unescaped("aud", audience)
	if r.Mode.Browser() {
		// The wallet refuses the request from another origin, so no other page can relay it (OpenID4VP 1.0 Appendix
		// A.2).
		o.value("expected_origins", []string{r.Origin})
	}
	p.writeRequest(o, r)
	o.number("iat", r.IssuedAt.Unix())
	o.number("exp", r.ExpiresAt.Unix())
	if !p.registered() {
		o.raw("client_metadata", r.clientMetadata())
	}
	return o
}

// writeRequest writes the parameters that every request has, signed or unsigned, in each response mode.
func (p Profile) writeRequest(o *object, r Request) {
	o.unescaped("response_type", responseType)
	o.unescaped("response_mode", string(r.Mode))
	if !r.Mode.Browser() {
		o.text("response_uri", r.ResponseURI)
		o.unescaped("state", r.State)
	}
	o.unescaped("nonce", r.Nonce)
	o.value("dcql_query", r.Query)
	if len(r.TransactionData) > 0 {
		o.value("transaction_data", r.TransactionData)
	}
}
