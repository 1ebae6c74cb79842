// Package presentation is OpenID4VP 1.0 on the verifier's side: what we ask a wallet, and how its
// answer is opened. It takes no decision of trust: whether a presentation is genuine, current and
// held by its presenter is for package verifier to say, whether it opens an account for package
// recovery.
//
// A [Profile] is how one kind of wallet is spoken to: who we are to it (package identity), how it gets the request, how
// its answer comes back. One request lives through four moments, all of them methods of the profile or the request:
//
//	NewRequest                    fresh nonce, state and encryption key; stored with the transaction
//	Link, LinkWith                the link or QR code that calls a wallet: with a request_uri, or with the request in it
//	RequestObject                 what the request URI serves, by GET or, after ParseRequestURIPost and Check, by POST
//	Open                          what the wallet posted to the response URI: presentations, or its error
//
// Where the browser has the Digital Credentials API, the page asks, and neither link nor response URI is there:
//
//	BrowserRequests, OpenBrowser  what the page hands to the browser, and what came back
//
// The profile of most wallets is HAIP 1.0's: signed by the owner of a certificate whose hash is our client_id
// (x509_hash, §5.9.3), answered by POST (direct_post.jwt), encrypted to a P-256 key that belongs to this request alone.
// So the first thing to do with an answer is to find the request: by the response URI if it is the request's own, or by
// [KeyID], since state is inside the encryption.
//
// Encryption proves nothing about who answered (§14.6): anyone who saw the QR code could have. What
// binds the answer to the person is in the presentations, and in the browser session that started.
//
// Errors are sentinels; [ErrorBody] turns each into what a wallet may see. Types that hold secrets
// or presentations write nothing of them to logs.
package presentation
