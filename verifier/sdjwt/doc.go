// Package sdjwt reads and verifies SD-JWT VCs that a holder presents (RFC 9901, SD-JWT-based Verifiable Credentials).
//
// A presentation is one line of text:
//
//	<issuer's JWT> ~ <Disclosure> ~ … ~ <Disclosure> ~ <holder's Key Binding JWT>
//
// The issuer signs digests instead of claims (`_sd`). Each Disclosure is `[salt, name, value]` in base64url, and opens
// the claim whose digest is its SHA-256. The holder sends the Disclosures of the claims they want to show, and signs
// the whole with the key that the issuer certified in `cnf`, together with our nonce and audience (`sd_hash`, `nonce`,
// `aud`). So three questions are answered apart:
//
//   - did the key in x5c sign this? [ParseAndVerify]
//   - does the holder, now, show this to us and nobody else? [ParseAndVerify]
//   - may the key in x5c issue this type of credential? Package trust, with [Credential.Chain]
//
// Every Disclosure must be referenced exactly once, and none may replace a claim that the issuer wrote in the open:
// otherwise a holder could add claims that were never signed, or put one in another's place.
package sdjwt

import (
	"errors"

	"regain/verifier/internal/strict"
)

// Bounds of what is read. A presentation of ours has about 3 KiB and five Disclosures; a portrait may come along.
const (
	MaxSize        = 256 << 10 // bytes of one presentation
	MaxDisclosures = 128
	maxNesting     = 2 * strict.MaxDepth // of the claims once Disclosures are put in place
)

const (
	typeCredential = "dc+sd-jwt" // SD-JWT VC §2.2.1
	typeBinding    = "kb+jwt"    // RFC 9901 §4.3
)

// Errors of this package. Messages name what is wrong and never quote a value.
var (
	ErrMalformed = errors.New("malformed SD-JWT")            // not an SD-JWT VC that we read
	ErrIssuer    = errors.New("issuer signature is wrong")   // not signed by the key in x5c
	ErrBinding   = errors.New("holder binding is not given") // any fault of the Key Binding JWT
)
