// Package provider is Regain's HTTP face: the OpenID provider that a main IdP federates with, the pages that a person
// walks through, and the two OpenID4VP endpoints that a wallet calls. It decides nothing: each handler reads a request,
// calls one step of recovery.Service, and renders the transaction that comes back.
//
//	GET       /.well-known/openid-configuration    metadata (also /.well-known/oauth-authorization-server)
//	GET       /jwks                                keys
//	POST      /par                                 pushed authorization request
//	GET POST  /authorize                           opens a transaction → /recover/{txn}
//	POST      /authorize/account                   the person says which account, where the client did not
//	POST      /token                               code → tokens, recovery token: issues the pass
//	POST      /introspect                          what a token of the client's stands for
//	POST      /revoke                              ends a token of the client's
//	GET POST  /userinfo
//	GET POST  /logout                              ends the browser's session, and tells the clients
//	POST      /register                            a client registers itself, where the operator lets it
//	GET PUT DELETE /register/{client}              and manages its registration
//	POST      /pass/verify                         verify and consume a pass, for the main IdP
//	GET       /healthz                             200 while the server answers
//
//	GET       /recover/{txn}                       the page for the transaction's state
//	POST      /recover/{txn}/proofing              leave for the proofing provider
//	GET       /recover/{txn}/proofed               come back from there
//	POST      /recover/{txn}/ask                   ask the wallet (again)
//	GET       /recover/{txn}/qr.svg                the QR code
//	GET       /recover/{txn}/events                live progress, server-sent events
//	GET       /recover/{txn}/return                same device: the wallet sends the browser here
//	GET       /recover/{txn}/confirmation          cross device: the wallet's browser is shown six digits
//	POST      /recover/{txn}/confirm               cross device: the starting browser types them
//	POST      /recover/{txn}/proceed               a wallet that does not come back: the person says that it was theirs
//	POST      /recover/{txn}/digital-credentials/request   what the page asks through the browser
//	POST      /recover/{txn}/digital-credentials/response  what it got
//	POST      /recover/{txn}/cancel
//	POST      /recover/{txn}/pass                  shows the pass, once, where the client cannot receive it
//	POST      /recover/{txn}/finish                back to the main IdP, with a code or an error
//
//	GET POST  /openid4vp/request/{handle}          the request object, of whichever protocol the wallet speaks
//	POST      /openid4vp/response/{handle}         the response
//	GET       /.well-known/did.json                our DID, where wallets know us by one
//	GET       /.well-known/did-configuration.json  and that it is this domain's
//
// The law of the journey: what a person sees next is decided by the stored state of the transaction, in one place
// (pageFor), and never by the URL they came from. Every step under /recover needs the cookie of the browser that
// started; the wallet's endpoints need the unguessable handle of the open request.
package provider
