// Package jwtvc is the verifier's half of JWT VCs: verifiable credentials of the W3C data model 1.1 in JWTs (VCDM 1.1
// §6.3.1), as OpenID4VP 1.0 presents them under `jwt_vc_json` (§B.1.3.1) and as wallets of the JWT VC Presentation
// Profile do. Who the issuer is, and whether anybody trusts it, is for others to say.
//
// A presentation is a JWT of the holder around a JWT of the issuer:
//
//	VP  kid of the holder, nonce, aud, iat   vp: {type: VerifiablePresentation, verifiableCredential: [VC]}
//	VC  kid of the issuer, iss, sub, nbf     vc: {type: [VerifiableCredential, …], credentialSubject: {…}}
//
// Keys are found by kid, which is a URL into the DID document of `iss` (package did); the issuer's may stand in an x5c
// chain instead, and the holder's in the VC's `cnf`.
//
//	ParseInsecure   form, sizes, the JWTs' claims in their places in the VC; nothing is verified yet
//	VerifyHolder    the holder's signature over nonce, audience and time, and that the credential is the holder's
//	VerifyIssuer    the issuer's signature, by the key in its DID document
//	VerifyChain     the issuer's signature, by a key that the caller trusts (x5c)
//
// A VP can hold several credentials, as those of wallets of the profile do. They are read one at a time, each as if it
// stood alone: then who signed the VP, whom the credential is about, and what was asked for are one question each.
package jwtvc

import (
	"errors"
	"fmt"

	"regain/verifier/internal/jws"
)

// Errors of this package. Their messages name rules and members, never values. A DID document that cannot be had is a
// did.ErrUnresolvable and none of these: that says nothing about the presentation.
var (
	ErrMalformed = jws.ErrMalformed
	ErrHolder    = errors.New("not presented by the holder for this request")
	ErrIssuer    = errors.New("not signed by the issuer that it names")
)

// maxLength is what a wallet's answer may be as a whole.
const maxLength = 256 << 10 // characters

// form is what both JWTs are: of typ JWT or none, as in 2022.
func form() jws.Form {
	return jws.Form{Types: []string{"JWT", ""}, Algorithms: []jws.Algorithm{jws.ES256, jws.ES256K, jws.EdDSA, jws.Ed25519}}
}

// Parsed is a presentation that was read and not verified. Only ParseInsecure makes one.
type Parsed struct {
	*Credential
	presentation jws.JWS
}

// maxCredentials is how many a VP may hold: a Verified ID, a Face Check receipt, and what a wallet adds.
const maxCredentials = 4

// ParseInsecure reads a VP and the VC at a place in it, from 0. Nothing about either is verified: not even who wrote it.
func ParseInsecure(raw string, at int) (*Parsed, error) {
	if len(raw) > maxLength {
		return nil, fmt.Errorf("%w: longer than %d characters", ErrMalformed, maxLength)
	}
	presentation, err := form().ParseInsecure(raw)
	if err != nil {
		return nil, fmt.Errorf("VP: %w", err)
	}
	if len(presentation.Certificates) > 0 {
		return nil, fmt.Errorf("%w: VP brings certificates; its key is the holder's", ErrMalformed)
	}
	inside, err := insideOf(presentation.Payload, at)
	if err != nil {
		return nil, fmt.Errorf("VP: %w", err)
	}
	credential, err := ParseCredentialInsecure(inside)
	if err != nil {
		return nil, err
	}
	return &Parsed{Credential: credential, presentation: presentation}, nil
}

// insideOf checks what a VP's payload says of itself and returns the VC at a place in it. A VC is no VP: without that, whatever
// the holder ever signed as an issuer would be a presentation (RFC 8725 §2.8).
func insideOf(payload map[string]any, at int) (string, error) {
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
		return "", fmt.Errorf("%w: verifiableCredential is no array, too long, or has no credential %d", ErrMalformed, at)
	}
	vc, ok := list[at].(string)
	if !ok {
		return "", fmt.Errorf("%w: verifiableCredential is not a JWT", ErrMalformed)
	}
	return vc, nil
}
