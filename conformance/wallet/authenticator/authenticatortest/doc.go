// Package authenticatortest is an issuer and a verifier for tests of the authenticator, written from
// the JWT VC Presentation Profile, Sidetree and OpenID4VCI.
//
// Everything starts in order, each party under a name of its own at one TLS server. A test breaks
// one thing by setting a hook, and the parties keep what they received for it to look at.
package authenticatortest
