// Package dcql is the verifier's half of the Digital Credentials Query Language: it builds a query that a wallet can
// answer, and checks that an answer satisfies it (OpenID4VP 1.0 §6 and §7).
//
// A query lists credentials, each with an id that the verifier chooses, a type and claims. Optional credential_sets
// list the combinations that are enough; without them every credential is required. A claim is named by a path of
// names, indexes, and null for "every element" (OpenID4VP 1.0 §7).
//
//	{"credentials": [{"id": "verified_id", "format": "dc+sd-jwt",
//	   "meta": {"vct_values": ["urn:regain:verified-identity:1"]},
//	   "claims": [{"path": ["given_name"]}, {"path": ["address", "locality"]}]}]}
//
// The package is used in four steps:
//
//	ParsePointer               when the configuration is read: which claim does address/locality name?
//	Recovery, Query.Validate   before the request is signed: is the query valid?
//	Query.Missing              when the response is opened: is the set of presentations complete?
//	Query.Evaluate             when the presentations are verified: do they match the query?
//
// The verifier must not rely on the wallet to have followed the query (OpenID4VP 1.0 §14.11), so Evaluate checks
// everything again. It returns an [Evaluation], which explains every mismatch without quoting a claim value: a wallet
// maker sees what to fix, an operator which claim the issuer left out. This package does not decide whether an issuer
// is trusted: trusted_authorities is only a hint to the wallet (OpenID4VP 1.0 §6.1.1), and a note in the evaluation.
//
// An answer is evaluated from the inside out:
//
//	claim         matches if its path selects a value and, if the claim has values, one of them is selected
//	presentation  matches if format, type and holder binding are right and every claim matches, or with claim_sets
//	              every claim of one set; one that does not match is discarded (OpenID4VP 1.0 §8.6)
//	credential    matches if one of its presentations does
//	answer        satisfies the query if every credential matches, or with credential_sets every credential of one
//	              option in each required set
//
// format.go has the four formats of OpenID4VP 1.0 Appendix B, with the member of [Meta] and the path rules of each. The
// claims of an mdoc are its namespaces, an object of objects, so that the same path selection serves every format.
package dcql
