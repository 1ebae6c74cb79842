// Package jwa says which signature algorithms (JSON Web Algorithms, RFC 7518) there are between clients and us: what is
// taken from them, what is signed for them, and what FAPI leaves out of it. Discovery, checks, refusals and their cures are
// all made of it.
//
// All are asymmetric: with an HMAC the client's secret would sign for the server too. What wallets sign with is for
// packages verifier and presentation to say.
package jwa

import (
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// All lists the algorithms that are taken from clients, and that ID tokens and responses can be signed with, in the order
// of preference: ES256 and RS256 (OpenID Connect Core 1.0 §15.1), PS256, and EdDSA with Ed25519 (RFC 8037 §3.1).
func All() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256, jose.EdDSA}
}

// FAPI lists those that FAPI 2.0 Security Profile §5.4.1 leaves: RS256 is not among them. DPoP proofs (RFC 9449 §4.2) are
// signed with one of these by every client, as there is no old software to be kind to.
func FAPI() []jose.SignatureAlgorithm {
	return slices.DeleteFunc(All(), func(a jose.SignatureAlgorithm) bool { return a == jose.RS256 })
}

// Vendor is what both contracts of vendors document, and the only one that Entra ID verifies.
const Vendor = jose.RS256

// Known reports whether an algorithm is one of All.
func Known(alg jose.SignatureAlgorithm) bool { return slices.Contains(All(), alg) }

// InFAPI reports whether an algorithm is one of FAPI.
func InFAPI(alg jose.SignatureAlgorithm) bool { return slices.Contains(FAPI(), alg) }

// Cure names algorithms as a sentence does: ES256, PS256 or EdDSA.
func Cure(list []jose.SignatureAlgorithm) string {
	if len(list) == 0 {
		return ""
	}
	last := len(list) - 1
	if last == 0 {
		return string(list[0])
	}
	return words(list[:last], ", ") + " or " + string(list[last])
}

// Challenge names algorithms as the algs parameter of WWW-Authenticate does (RFC 9449 §7.1).
func Challenge(list []jose.SignatureAlgorithm) string { return words(list, " ") }

func words(list []jose.SignatureAlgorithm, between string) string {
	names := make([]string, len(list))
	for i, alg := range list {
		names[i] = string(alg)
	}
	return strings.Join(names, between)
}
