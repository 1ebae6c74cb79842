// Package authenticator speaks to wallets like Microsoft Authenticator: the JWT VC Presentation Profile, which builds
// on the first implementer's drafts of SIOPv2 and OpenID4VP, before DCQL and direct_post.
//
//	Profile.NewRequest     fresh nonce and state; stored with the transaction
//	Profile.Link           openid-vc://?request_uri=…
//	Profile.RequestObject  what the request URI serves: a JWT signed by the key of our DID
//	Request.Open           what the wallet posted: a self-issued ID token, and a presentation of JWT VCs
//
// The query is DCQL, as everywhere in this module. This package translates it to DIF Presentation Exchange, as far as
// these wallets support it: a schema for the type, the accepted issuers, the required claims.
//
// These wallets identify us by a DID, such as did:web:recover.example.org, and show the person its linked domain.
// Package identity makes the DID document and the Domain Linkage Credential. Everything that a wallet sends is signed
// with keys of DIDs. This package only parses it; package verifier resolves the DIDs and verifies the signatures.
//
// A wallet of OpenID4VP 1.0 is better for three reasons: here the response is not encrypted, a person who declines
// sends nothing, and only the text on the pages protects against a relayed link (cross-device consent phishing).
package authenticator
