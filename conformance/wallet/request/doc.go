// Package request reads what verifiers ask (OpenID4VP 1.0 §5, Appendix A): finds the request,
// makes sure of who asks, and holds it against every rule that needs no credential.
//
// A request comes to a wallet in one of these ways:
//
//	link with request_uri   a request object by reference, fetched by GET or POST    Read
//	link with request       a request object by value                                Read
//	link with parameters    no request object at all                                 Read
//	openid4vp-v1-unsigned   parameters, over the Digital Credentials API             ReadDigital
//	openid4vp-v1-signed, -multisigned   request objects, likewise                    ReadDigital
//
// The prefix of its client_id says how its sender is known (OpenID4VP 1.0 §5.9.3): by a certificate, a DID, an
// attestation, a registration, or, with redirect_uri, not at all beyond where the answer goes.
//
// The law of the flow: nothing of a request is used before its sender was authenticated, and
// nobody is told of an error who was not, or at an address that the sender may not name. Where the
// verifier may be told, Error.To says how.
package request
