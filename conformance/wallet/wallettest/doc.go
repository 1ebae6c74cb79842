// Package wallettest is an issuer and a verifier for tests of the wallet, written from OpenID4VCI 1.0,
// OpenID4VP 1.0 and RFC 9901: SD-JWTs and mdocs are written by hand, so that a test can break any part
// of them. Whether the wallet's own answers are right, Regain says in the journeys of package provider.
//
// Everything starts in order. A test breaks one thing by setting a hook, and the parties keep what
// they received for it to look at.
package wallettest
