package presentation

import (
	"fmt"
	"slices"
	"time"

	"regain/presentation/dcql"
	"regain/presentation/identity"
)

const (
	// audience of a wallet that was not discovered (§5.8).
	audience     = "https://self-issued.me/v2"
	responseType = "vp_token"
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
	if r.ClientID != p.Identity.ClientID(r.ResponseURI) {
		return fmt.Errorf("%w: it was made under another client_id", ErrExpired)
	}
	return p.Identity.Usable(now)
}

// payload is everything that a signed request for a wallet holds, but for the wallet's nonce.
func (p Profile) payload(r Request) *object {
	const usual = 2 << 10
	o := newObject(usual)
	o.own("aud", audience)
	o.text("client_id", r.ClientID)
	if r.Mode.Browser() {
		o.value("expected_origins", []string{r.Origin})
	}
	p.common(o, r)
	o.number("iat", r.IssuedAt.Unix())
	o.number("exp", r.ExpiresAt.Unix())
	if p.VerifierInfo != nil {
		o.raw("verifier_info", p.VerifierInfo)
	}
	return o
}

// common is what every request holds, signed or not, whichever way it goes.
func (p Profile) common(o *object, r Request) {
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
	if p.Identity.Prefix() != identity.None || r.Mode.Browser() { // a wallet that knows the client takes none (§5.1)
		o.raw("client_metadata", r.clientMetadata())
	}
}

// clientMetadata says how to answer: nothing else may stand there (§5.1), so neither a name nor a logo of ours.
//
// Every JWK says alg, kid and use (§8.3). HAIP 1.0 §5 wants both content encryptions offered; wallets that do not choose
// take the first, which is the specification's default.
func (r Request) clientMetadata() []byte {
	const usual = 512
	o := newObject(usual)
	if r.Key != nil {
		o.raw("jwks", []byte(`{"keys":[{"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES","kid":"`+r.Key.ID+`","x":"`+r.Key.x()+`","y":"`+r.Key.y()+`"}]}`))
		o.raw("encrypted_response_enc_values_supported", []byte(`["A128GCM","A256GCM"]`))
	}
	formats := newObject(usual)
	for _, format := range r.formats() {
		formats.raw(format, []byte(algorithmsOf(format)))
	}
	written, _ := formats.close() // constants only
	o.raw("vp_formats_supported", written)
	whole, _ := o.close()
	return whole
}

// formats lists the formats that the query asks for, each once.
func (r Request) formats() []string {
	var found []string
	for _, c := range r.Query.Credentials {
		if !slices.Contains(found, c.Format) {
			found = append(found, c.Format)
		}
	}
	return found
}

// algorithmsOf is what package verifier verifies, in the words of each format (Appendix B.1.3.1.3, B.2.2, B.3.4): JWS
// names, or COSE's numbers for ES256, registered twice.
func algorithmsOf(format string) string {
	switch format {
	case dcql.FormatSDJWT:
		return `{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256"]}`
	case dcql.FormatMdoc:
		return `{"issuerauth_alg_values":[-7,-9],"deviceauth_alg_values":[-7,-9]}`
	case dcql.FormatJWTVC:
		return `{"alg_values":["ES256","ES256K","EdDSA"]}`
	}
	return `{}`
}
