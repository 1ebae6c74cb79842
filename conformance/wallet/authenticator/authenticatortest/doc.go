// Package authenticatortest is an issuer and a verifier for tests of the authenticator, written from
// the JWT VC Presentation Profile, Sidetree and OpenID4VCI with as little help as possible: JWTs are
// taken apart by hand, and signatures made and verified with go-jose and with decred's secp256k1
// alone, so that an error of the wallet cannot hide behind the same error here.
//
// Everything starts in order, each party under a name of its own at one TLS server. A test breaks
// one thing by setting a hook, and the parties keep what they received for it to look at.
package authenticatortest
