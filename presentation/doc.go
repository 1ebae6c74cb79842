// Package presentation is OpenID4VP 1.0 on the verifier's side: what we ask a wallet, and how its
// answer is opened. It takes no decision of trust: whether a presentation is genuine, current and
// held by its presenter is for package verifier to say, whether it opens an account for package
// recovery.
//
// One request lives through four moments:
//
//	NewRequest            fresh nonce, state and encryption key; stored with the transaction
//	WalletURL             the link or QR code that sends a wallet to the request URI
//	Signer.RequestObject  what the request URI serves, by GET or, after ParseRequestURIPost, by POST
//	Request.Open          what the wallet posted to the response URI: presentations, or its error
//
// The request is signed with the key of an X.509 certificate whose hash is our client_id
// (x509_hash, §5.9.3), and asks for response_mode direct_post.jwt: the answer comes by POST,
// encrypted to a P-256 key that belongs to this request alone (HAIP 1.0 §5). So the first thing to
// do with an answer is to find the request: by the response URI if it is the request's own, or by
// [KeyID], since state is inside the encryption.
//
// Encryption proves nothing about who answered (§14.6): anyone who saw the QR code could have. What
// binds the answer to the person is in the presentations, and in the browser session that started.
//
// Errors are sentinels; [ErrorBody] turns each into what a wallet may see. Types that hold secrets
// or presentations write nothing of them to logs.
package presentation
