// Package wallet is the other side of OpenID4VCI 1.0 and OpenID4VP 1.0: a holder's wallet, written
// from the specifications alone so that it can be held against an issuer and a verifier.
//
// The life of a credential, each step one method:
//
//	ReadOffer, Add   an issuer's offer becomes a credential, bound to a key made for it
//	                 (Accept does both; OpenID4VCI 1.0, pre-authorized code)
//	Review, Scan     a verifier's link becomes a Request that is authenticated and understood:
//	                 who asks, what for, which claims would be shared (OpenID4VP 1.0 §5, §6)
//	FaceCheck        a selfie against the portrait in the credential becomes a receipt
//	                 (docs/protocols.md, part 3)
//	Share, Decline   the Request is answered (§8)
//
// The wallet is strict where the specification lets it be: a verifier that works with it works
// with wallets that forgive more. It refuses a request that it cannot authenticate, discloses only
// what was asked for, and never follows an HTTP redirect.
//
// ShareOptions.Tamper lets a test send an answer with exactly one thing wrong with it. Nothing
// else in the package can produce a wrong answer.
package wallet
