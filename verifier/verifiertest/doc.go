// Package verifiertest is a virtual issuer and holder for tests: a CA, an issuer certified by it, Verified IDs, mdocs
// and Face Check receipts, key binding, and a status list served over HTTP on loopback; and for JWT VCs, issuers and
// holders with DIDs, and a web site for did:web, served over HTTPS on loopback.
//
// It leaves out the issuance protocol (OpenID4VCI), revocation of certificates, and every transport of a presentation.
//
// It is written from the specifications with the standard library (and a secp256k1 library), and shares no code with
// the parsers of package verifier, so that the same mistake on both sides cannot cancel out.
//
// Every object starts valid; a test breaks one thing. Drafts are plain maps until they are signed:
//
//	issuer := verifiertest.New(t, clock.Now)
//	holder := verifiertest.NewHolder(t)
//	id := issuer.VerifiedID(holder)
//	id.Claims["exp"] = 0 // the one thing
//	receipt := issuer.Receipt(id, 86.31)
//	p := verifier.Presentation{VerifiedID: holder.Present(t, id, binding), FaceCheck: holder.Present(t, receipt, binding)}
//
// mdocs work the same way; their maps keep their order:
//
//	id := issuer.MDoc(holder)
//	id.MSO.Set("version", "2.0") // the one thing
//	text := holder.PresentMDoc(t, id, verifiertest.NewDevice())
package verifiertest

// The default types, nonce and audience of tests.
const (
	IdentityType = "urn:regain:verified-identity:1"
	ReceiptType  = "urn:regain:face-check-receipt:1"
	Nonce        = "n-0S6_WzA2Mj-for-this-request-only"
	Audience     = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk"
)
