// Package authenticator is a wallet of the kind of Microsoft Authenticator, which speaks not
// OpenID4VP 1.0 but the JWT VC Presentation Profile: SIOPv2 and OpenID4VP of 2022, JWT VCs,
// Presentation Exchange, and DIDs on either side. It is written from the profile and from what the
// public wallet library for Android sends and accepts, to be held against a verifier.
//
//	Import           a JWT VC comes into the wallet, from wherever it was issued
//	Review, Scan     a link openid-vc://?request_uri=… becomes a Request: who asks, whether the
//	                 domain they name is theirs, which credentials would be shared
//	FaceCheck        a selfie against the portrait in a credential becomes a receipt, a JWT VC
//	Share            the Request is answered: a form with id_token, vp_token and state
//
// There is no way to say no: such a wallet tells the verifier nothing.
//
// The wallet checks what the profile and the library check, and where one is stricter the stricter
// of the two, so that a verifier that works with it works with either. A JWT VC has no selective
// disclosure: all of a credential is shared, or none of it.
//
// ShareOptions has both the other ways of answering rightly that real wallets have, and Tamper, for
// an answer with exactly one thing wrong with it.
package authenticator
