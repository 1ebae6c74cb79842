// Package wallettest is an issuer and a verifier for tests of the wallet, written from OpenID4VCI 1.0,
// OpenID4VP 1.0 and RFC 9901 with as little help as possible: presentations are taken apart by hand
// and answers decrypted with the standard library, so that an error of the wallet cannot hide
// behind the same error here.
//
// Everything starts in order. A test breaks one thing by setting a hook, and the parties keep what
// they received for it to look at.
package wallettest
