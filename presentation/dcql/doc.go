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
// Four moments use this package:
//
//	ParsePointer               when a configuration is read: which claim is meant by address/locality?
//	Recovery, Query.Validate   before the request is signed: is this query right?
//	Query.Missing              when the response is opened: is the set of presentations complete?
//	Query.Evaluate             when the presentations have been verified: do they hold what was asked?
//
// The wallet is never trusted to have followed the query (§14.11), so the last of them looks at
// everything again. It answers with an [Evaluation], which explains all that does not fit and
// quotes nothing of the person's: a wallet maker reads from it what to mend, an operator which
// claim the issuer forgot. Nothing here decides whether an issuer is trusted: trusted_authorities
// is only a hint to the wallet (§6.1.1), and a note in the evaluation.
//
// How much of an answer counts is decided from the inside out:
//
//	claim         its path selects something, and with values one of those values
//	presentation  format, type and holder binding are right, and every claim is there, or with
//	              claim_sets every claim of one set; one that is wrong is discarded (§8.6)
//	credential    one presentation is left
//	answer        every credential is there, or with credential_sets one option of each required set
//
// The four formats of the specification are in format.go, each with the member of [Meta] that
// belongs to it and what it wants of a path. An mdoc's claims are its namespaces: an object of
// objects, so that one way of walking serves every format.
package dcql
