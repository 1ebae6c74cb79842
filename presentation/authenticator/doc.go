// Package authenticator speaks to wallets like Microsoft Authenticator: the JWT VC Presentation Profile, which is SIOPv2
// and OpenID4VP as they were in 2022, before DCQL and direct_post.
//
//	Profile.NewRequest     fresh nonce and state; stored with the transaction
//	Profile.Link           openid-vc://?request_uri=…
//	Profile.RequestObject  what the request URI serves: a JWT signed by the key of our DID
//	Request.Open           what the wallet posted: an ID token of its own issue, and a presentation of JWT VCs
//
// What is asked comes as DCQL, like everywhere in this house, and is put into Presentation Exchange here, as far as these
// wallets understand it: a schema for the type, the issuers that will do, the claims that must be there.
//
// These wallets know us by a DID, and the person by its linked domain: did:web:recover.example.org, whose document and
// domain linkage credential package identity writes. Everything that they send is signed with keys of DIDs, which
// package verifier looks up; here it is only taken apart.
//
// What differs from a wallet of OpenID4VP 1.0, and is the reason to prefer one: the answer is not encrypted, a person who
// declines sends nothing, and nothing stops a relayed link but what the pages say.
package authenticator
