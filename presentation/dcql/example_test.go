package dcql_test

import (
	"fmt"

	"regain/presentation/dcql"
)

// A verifier reads its query when it starts, not when a wallet answers: what is wrong is said with its place.
func ExampleParse() {
	query, err := dcql.Parse([]byte(`{"credentials": [{
		"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:eudi:pid:1"]},
		"claims": [{"path": ["given_name"]}, {"path": ["nationalities", null], "values": ["SE", "NO"]}]
	}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, claim := range query.Credentials[0].Claims {
		fmt.Println(claim.Path.Pointer(), claim.Values)
	}
	_, err = dcql.Parse([]byte(`{"credentials": [{"id": "pid", "format": "dc+sd-jwt", "meta": {}}]}`))
	fmt.Println(err)
	// Output:
	// given_name []
	// nationalities/* [SE NO]
	// invalid DCQL query: credential pid: meta.vct_values has 0 entries, want 1 to 64
}

// The signatures of an answer have been checked. Evaluate says whether it holds what was asked for, and where it does
// not: with paths, and without a value of the person's.
func ExampleQuery_Evaluate() {
	query, err := dcql.Parse([]byte(`{"credentials": [{
		"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:eudi:pid:1"]},
		"claims": [{"path": ["given_name"]}, {"path": ["address", "locality"]}]
	}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	shown := dcql.Presentation{
		CredentialFormat: dcql.FormatSDJWT, Types: []string{"urn:eudi:pid:1"}, HolderBound: true,
		Claims: map[string]any{"given_name": "Ada", "address": map[string]any{"locality": "London"}},
	}
	evaluation, err := query.Evaluate(map[string][]dcql.Presentation{"pid": {shown}})
	fmt.Println(evaluation.Satisfied, evaluation.Chosen, err)

	shown.Claims = map[string]any{"given_name": "Ada", "address": "London"} // an issuer's mistake
	evaluation, err = query.Evaluate(map[string][]dcql.Presentation{"pid": {shown}})
	fmt.Println(evaluation.Satisfied)
	fmt.Println(err)
	// Output:
	// true [pid] <nil>
	// false
	// answer does not satisfy the query: credential pid: claims ["address","locality"]: expected object at address
}
