// Package jwa defines the signature algorithms (JSON Web Algorithms, RFC 7518) between clients and this server: those
// accepted from clients, those that the server signs with, and the subset that FAPI allows. Metadata, checks and error
// messages all use it.
//
// All are asymmetric: under an HMAC, any holder of the client's secret could sign in the server's name. The algorithms of
// wallets are defined in packages verifier and presentation.
package jwa

import (
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// All returns the algorithms that are accepted from clients and that ID tokens and responses can be signed with, in
// order of preference: ES256, PS256, RS256 (required by OpenID Connect Core 1.0 §15.1), and EdDSA with Ed25519 (RFC
// 8037 §3.1).
func All() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256, jose.EdDSA}
}

// FAPI returns the algorithms that FAPI 2.0 Security Profile §5.4.1 allows: all but RS256. DPoP proofs (RFC 9449
// §4.2) must use one of these for every client, since no older software needs RS256 there.
func FAPI() []jose.SignatureAlgorithm {
	return slices.DeleteFunc(All(), func(a jose.SignatureAlgorithm) bool { return a == jose.RS256 })
}

// Vendor is the algorithm that both vendors' contracts document, and the only one that Entra ID verifies.
const Vendor = jose.RS256

// Known reports whether an algorithm is one of All.
func Known(alg jose.SignatureAlgorithm) bool { return slices.Contains(All(), alg) }

// InFAPI reports whether an algorithm is one of FAPI.
func InFAPI(alg jose.SignatureAlgorithm) bool { return slices.Contains(FAPI(), alg) }

// Cure formats algorithms for a sentence: ES256, PS256 or EdDSA.
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

// Challenge formats algorithms for the algs parameter of WWW-Authenticate (RFC 9449 §7.1).
func Challenge(list []jose.SignatureAlgorithm) string { return words(list, " ") }

func words(list []jose.SignatureAlgorithm, between string) string {
	names := make([]string, len(list))
	for i, alg := range list {
		names[i] = string(alg)
	}
	return strings.Join(names, between)
}
