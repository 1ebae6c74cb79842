// Package verifiertest is a whole virtual issuer and holder for tests: a certification authority, a signer under it,
// Verified IDs, mdocs and Face Check receipts, key binding, and a status list that is really served; and for JWT VCs,
// issuers and holders with DIDs, one of them on a web site that is really served.
//
// It is written from the specifications with the standard library alone and imports nothing of the verifier's reading
// side, so that a mistake there cannot hide behind the same mistake here.
//
// Everything starts in order; a test breaks one thing. Drafts are plain maps until they are signed:
//
//	issuer := verifiertest.New(t, clock.Now)
//	holder := verifiertest.NewHolder(t)
//	id := issuer.VerifiedID(holder)
//	id.Claims["exp"] = 0 // the one thing
//	receipt := issuer.Receipt(id, 86.31)
//	p := verifier.Presentation{VerifiedID: holder.Present(t, id, binding), FaceCheck: holder.Present(t, receipt, binding)}
//
// So it is with mdocs, whose maps keep their order:
//
//	id := issuer.MDoc(holder)
//	id.MSO.Set("version", "2.0") // the one thing
//	text := holder.PresentMDoc(t, id, verifiertest.NewDevice())
package verifiertest

// The types, the nonce and the audience that tests use when they have no reason for others.
const (
	IdentityType = "urn:regain:verified-identity:1"
	ReceiptType  = "urn:regain:face-check-receipt:1"
	Nonce        = "n-0S6_WzA2Mj-for-this-request-only"
	Audience     = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk"
)
