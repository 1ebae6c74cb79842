// Package issuance is OpenID4VCI 1.0 as a wallet speaks it: from the link with an offer to what the
// issuer hands over. It does not look into a credential; its caller does.
//
//	Read     an issuer's link becomes an Offer, with the metadata needed to take it up (OpenID4VCI 1.0 §4, §12)
//	Redeem   the offer's pre-authorized code becomes a Session, which holds the access token (OpenID4VCI 1.0 §6)
//	Request  proofs of fresh keys become credentials, at once or later (OpenID4VCI 1.0 §7 to §10)
//	Notify   the issuer hears what became of them (OpenID4VCI 1.0 §11)
//
// The issuer's metadata decides how much of this is used: DPoP (RFC 9449) where its authorization
// server knows ES256, encryption where it has a key for requests, several copies where it issues in
// batches. Nothing follows an HTTP redirect.
package issuance
