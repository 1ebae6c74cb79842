// Package provider is Regain's HTTP face, in five parts that mount themselves on one router:
//
//	web       what every part needs once: forms, cookies, the event record, pages, errors, the way out of our origin
//	binding   the browser that started a recovery, and no other
//	wallet    what wallets call
//	journey   the person's pages
//	openid    what clients and brokers call
//
// None of them decides anything: each handler reads a request, calls one step of recovery.Service, and renders the
// transaction that comes back. Arrows between them run one way: web ← binding ← wallet ← journey, and web, binding ← openid.
// A client's recovery starts and ends in openid and is walked in journey, which never meet but in the stored transaction.
//
//	GET            /.well-known/openid-configuration              openid: metadata
//	GET            /.well-known/oauth-authorization-server        openid: the same
//	GET            /jwks                                          openid: keys
//	POST           /par                                           openid: pushed authorization request
//	GET POST       /authorize                                     openid: opens a transaction → /recover/{txn}
//	POST           /authorize/account                             openid: the person says which account
//	POST           /token                                         openid: code → tokens, recovery token: issues the pass
//	POST           /introspect                                    openid
//	POST           /revoke                                        openid
//	GET POST       /userinfo                                      openid
//	GET POST       /logout                                        openid
//	POST           /register                                      openid, where clients may register themselves
//	GET PUT DELETE /register/{client}                             openid, likewise
//	POST           /pass/verify                                   openid: verify and consume a pass, for the main IdP
//
//	GET            /recover/{txn}                                 journey: the page for the transaction's state
//	POST           /recover/{txn}/proofing                        journey: leave for the proofing provider
//	GET            /recover/{txn}/proofed                         journey: come back from there
//	POST           /recover/{txn}/ask                             journey: ask the wallet (again)
//	GET            /recover/{txn}/qr.svg                          journey: the QR code
//	GET            /recover/{txn}/events                          journey: live progress, server-sent events
//	GET            /recover/{txn}/return                          journey: the wallet sends the browser here
//	GET            /recover/{txn}/confirmation                    journey: the wallet's browser is shown six digits
//	POST           /recover/{txn}/confirm                         journey: the starting browser types them
//	POST           /recover/{txn}/proceed                         journey: the person says that the wallet was theirs
//	POST           /recover/{txn}/cancel                          journey
//	POST           /recover/{txn}/pass                            journey: shows the pass, where the client cannot receive it
//	POST           /recover/{txn}/digital-credentials/request     wallet: what the page asks through the browser
//	POST           /recover/{txn}/digital-credentials/response    wallet: what it got
//	POST           /recover/{txn}/finish                          openid: back to the client, with a code or an error
//
//	GET POST       /openid4vp/request/{handle}                    wallet: the request object
//	POST           /openid4vp/response/{handle}                   wallet: the response
//	GET            /.well-known/did.json                          wallet: our DID, where wallets know us by one
//	GET            /.well-known/did-configuration.json            wallet: and that it is this domain's
//
//	GET            /livez                                         200 while the process serves
//	GET            /readyz                                        200 while recoveries can be recorded and stored, else 503
//	GET            /healthz                                       the same
//	GET            /                                              web: where a recovery starts
//	GET            /static/{file}                                 web: style sheet and scripts
package provider
