// Package jwtvc is the verifier's half of JWT VCs: verifiable credentials of the W3C data model 1.1 in JWTs (VCDM 1.1
// §6.3.1), as presented in the format `jwt_vc_json` (OpenID4VP 1.0 Appendix B.1.3.1) and by wallets of the JWT VC
// Presentation Profile. Package trust decides whether the issuer is trusted.
//
// A presentation (VP) is a JWT signed by the holder that contains a JWT signed by the issuer (VC):
//
//	VP  kid of the holder, nonce, aud, iat   vp: {type: VerifiablePresentation, verifiableCredential: [VC]}
//	VC  kid of the issuer, iss, sub, nbf     vc: {type: [VerifiableCredential, …], credentialSubject: {…}}
//
// kid is a DID URL that names a key in the DID document of `iss` (package did). The issuer's key may be in an x5c chain
// instead, the holder's in the VC's `cnf`.
//
//	ParseInsecure   syntax, sizes, JWT claims mapped to VC properties; verifies nothing
//	VerifyHolder    the holder's signature over nonce, audience and time, and that the VC is bound to this holder
//	VerifyIssuer    the issuer's signature, with the key in its DID document
//	VerifyChain     the issuer's signature, with a key that the caller trusts (x5c)
//
// A VP may hold several VCs. The caller parses and verifies them one at a time, each by its index, with the whole VP.
package jwtvc

import (
	"errors"
	"fmt"

	"regain/verifier/internal/jws"
)

// Errors of this package. Their messages name rules and members, never values. If a DID document cannot be fetched the
// error is a did.ErrUnresolvable and none of these, since an outage says nothing about the presentation.
var (
	ErrMalformed = jws.ErrMalformed
	ErrHolder    = errors.New("not presented by the holder for this request")
	ErrIssuer    = errors.New("not signed by the issuer that it names")
)

const maxLength = 256 << 10 // characters

// form is the form of both JWTs. typ is JWT or absent: the profile of 2022 prescribes none. The algorithms are those of
// the JWT VC Presentation Profile (Cryptographic Signature) except ES384, and Ed25519, the newer name of EdDSA.
func form() jws.Form {
	return jws.Form{Types: []string{"JWT", ""}, Algorithms: []jws.Algorithm{jws.ES256, jws.ES256K, jws.EdDSA, jws.Ed25519}}
}

// Parsed is a presentation that is parsed but not verified. Only ParseInsecure makes one.
type Parsed struct {
	*Credential
	presentation jws.JWS
}

// maxCredentials bounds the VCs in a VP: a Verified ID, a Face Check receipt, and some that a wallet may add.
const maxCredentials = 4

// ParseInsecure parses a VP and the VC at index at, from 0. It verifies nothing: anybody could have written the result.
func ParseInsecure(raw string, at int) (*Parsed, error) {
	if len(raw) > maxLength {
		return nil, fmt.Errorf("%w: longer than %d characters", ErrMalformed, maxLength)
	}
	presentation, err := form().ParseInsecure(raw)
	if err != nil {
		return nil, fmt.Errorf("VP: %w", err)
	}
	if len(presentation.Certificates) > 0 {
		return nil, fmt.Errorf("%w: VP has certificates, but the holder's key is in its DID document or in cnf", ErrMalformed)
	}
	compact, err := credentialAt(presentation.Payload, at)
	if err != nil {
		return nil, fmt.Errorf("VP: %w", err)
	}
	credential, err := ParseCredentialInsecure(compact)
	if err != nil {
		return nil, err
	}
	return &Parsed{Credential: credential, presentation: presentation}, nil
}

// credentialAt validates the payload of a VP and returns the VC at index at. It refuses a payload with `vc`: a VC that
// the holder signed as an issuer must not pass for a presentation (cross-JWT confusion, RFC 8725 §2.8).
func credentialAt(payload map[string]any, at int) (string, error) {
	vp, ok := payload["vp"].(map[string]any)
	if _, both := payload["vc"]; !ok || both {
		return "", fmt.Errorf("%w: it is not a JWT with vp and without vc", ErrMalformed)
	}
	if err := checkContext(vp["@context"]); err != nil {
		return "", err
	}
	if _, err := typesOf(vp["type"], "VerifiablePresentation"); err != nil {
		return "", err
	}
	iss, there := payload["iss"]
	if holder, named := idOf(vp["holder"]); named && there && holder != iss { // iss is the holder (VCDM 1.1 §6.3.1)
		return "", fmt.Errorf("%w: holder is not iss", ErrMalformed)
	}
	list, _ := vp["verifiableCredential"].([]any)
	if len(list) > maxCredentials || at < 0 || at >= len(list) {
		return "", fmt.Errorf("%w: verifiableCredential is not an array, is too long, or has no credential %d", ErrMalformed, at)
	}
	vc, ok := list[at].(string)
	if !ok {
		return "", fmt.Errorf("%w: verifiableCredential is not a JWT", ErrMalformed)
	}
	return vc, nil
}
