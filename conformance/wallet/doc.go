// Package wallet is the other side of OpenID4VCI 1.0 and OpenID4VP 1.0: a holder's wallet, written
// from the specifications alone so that it can be held against an issuer and a verifier. It holds
// SD-JWT VCs and mdocs.
//
// The life of a credential, each step one method:
//
//	ReadOffer, Add   an issuer's offer becomes a credential, bound to a key made for it
//	                 (Accept does both; OpenID4VCI 1.0, pre-authorized code); Import takes one as it is
//	Review, Scan     a verifier's link becomes a Request that is authenticated and understood:
//	                 who asks, what for, which claims would be shared (OpenID4VP 1.0 §5, §6)
//	FaceCheck        a selfie against the portrait in the credential becomes a receipt
//	                 (docs/protocols.md, part 3)
//	Share, Decline   the Request is answered (OpenID4VP 1.0 §8)
//	Report           a verifier that is known hears why its request was turned down (OpenID4VP 1.0 §8.5)
//
// ReviewDigital, ShareDigital and Respond are the same over the Digital Credentials API
// (OpenID4VP 1.0 Appendix A), where the answer is handed to the page instead of being posted.
//
// Below it: request reads what verifiers ask, dcql their queries; issuance takes up offers; agent
// calls other parties, at an address; store keeps credentials. phone is the wallet as a person
// sees it, headless one without a person in front of it. Beside it, shared with the other
// counterparts: sdjwt and mdoc, the two formats, and jose, did and chain.
//
// The wallet is strict where the specification lets it be: a verifier that works with it works
// with wallets that forgive more. It refuses a request that it cannot authenticate unless its
// Policy takes some, discloses only what was asked for, and never follows an HTTP redirect.
//
// ShareOptions.Tamper lets a test send an answer with exactly one thing wrong with it. Nothing
// else in the package can produce a wrong answer.
package wallet
