// Package presentation is the verifier's side of OpenID4VP 1.0: it makes presentation requests and opens the responses.
// It makes no trust decision: package verifier decides whether a presentation is genuine, current and held by its
// presenter, package recovery whether it recovers an account.
//
// A [Profile] describes one kind of wallet: our client identifier (package identity), how the wallet gets the request,
// and how it responds. A request goes through four steps, all of them methods of the profile or the request:
//
//	NewRequest                    new nonce, state and encryption key; stored with the transaction
//	Link, LinkWith                the link or QR code that invokes a wallet, with a request_uri or with the whole request
//	RequestObject                 what the request URI serves, by GET or, after ParseRequestURIPost and Check, by POST
//	Open                          what the wallet posted to the response URI: presentations, or its error
//
// With the Digital Credentials API the page makes the request, without a link and a response URI:
//
//	BrowserRequests, OpenBrowser  what the page passes to the browser, and what it gets back
//
// Most wallets follow HAIP 1.0: the request is signed with a certificate whose hash is our client_id (x509_hash,
// OpenID4VP 1.0 §5.9.3), and the response is posted (direct_post.jwt), encrypted to a P-256 key that is used for this
// request only. The caller first finds the request of a response: by the response URI if it is unique per request, or
// by [KeyID], since state is inside the encryption.
//
// Encryption does not authenticate the sender (OpenID4VP 1.0 §14.6): anyone who has seen the QR code can respond. The
// response is bound to the person by the presentations, and by the browser session that started the transaction.
//
// Errors are sentinels. [ErrorBody] maps each to what a wallet may see. Types that hold secrets or presentations keep
// them out of logs.
package presentation
