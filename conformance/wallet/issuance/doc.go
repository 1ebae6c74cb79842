// Package issuance is OpenID4VCI 1.0 as a wallet speaks it: from the link with an offer to what the
// issuer hands over. What is inside a credential is none of its business; whoever calls it looks.
//
//	Read     an issuer's link becomes an Offer, with the metadata needed to take it up (§4, §12)
//	Redeem   the offer's pre-authorized code becomes a Session, which holds the access token (§6)
//	Request  proofs of fresh keys become credentials, at once or later (§7 to §10)
//	Notify   the issuer hears what became of them (§11)
//
// The issuer's metadata decides how much of this is used: DPoP (RFC 9449) where its authorization
// server knows ES256, encryption where it has a key for requests, several copies where it issues in
// batches. Nothing follows an HTTP redirect.
package issuance
