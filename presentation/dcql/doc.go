// Package dcql is the verifier's half of the Digital Credentials Query Language: building a query
// that a wallet can answer, and checking that an answer satisfies it (OpenID4VP 1.0 §6 and §7).
//
// A query lists credentials, each under an id of the verifier's choosing, with the type and the
// claims wanted of it. Optional credential_sets say which combinations are enough; without them
// every credential is wanted. A claim is named by a path: names, indexes, and null for "every
// element" (§7).
//
//	{"credentials": [{"id": "verified_id", "format": "dc+sd-jwt",
//	   "meta": {"vct_values": ["urn:regain:verified-identity:1"]},
//	   "claims": [{"path": ["given_name"]}, {"path": ["address", "locality"]}]}]}
//
// Three moments use this package:
//
//	Recovery, Query.Validate   before the request is signed: is this query right?
//	Query.Missing              when the response is opened: is the set of presentations complete?
//	Credential.Missing         when a presentation has been verified: does it hold what was asked?
//
// The wallet is never trusted to have followed the query (§14.11); nor does this package decide
// whether an issuer is trusted: trusted_authorities is only a hint to the wallet (§6.1.1).
//
// The four formats of the specification are in format.go, each with the member of [Meta] that
// belongs to it and what it wants of a path. An mdoc's claims are its namespaces: an object of
// objects, so that one way of walking serves every format.
package dcql
