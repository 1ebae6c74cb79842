package dcql_test

import (
	"testing"

	"regain/presentation/dcql"
)

// BenchmarkEvaluate measures what a recovery adds for every answer: nothing beside the signatures that were checked.
func BenchmarkEvaluate(b *testing.B) {
	sdjwt, mdoc, jwtvc := wanted()
	one, err := dcql.Recovery(sdjwt)
	if err != nil {
		b.Fatal(err)
	}
	several, err := dcql.Recovery(jwtvc, sdjwt, mdoc)
	if err != nil {
		b.Fatal(err)
	}
	id := dcql.Presentation{CredentialFormat: dcql.FormatSDJWT, Types: []string{"urn:id"}, HolderBound: true, Claims: object(b, arthur)}
	id.Claims["given_name"] = "Arthur"
	receipt := dcql.Presentation{CredentialFormat: dcql.FormatSDJWT, Types: []string{"urn:face"}, HolderBound: true, Claims: map[string]any{}}
	mdl := dcql.Presentation{
		CredentialFormat: dcql.FormatMdoc, Types: []string{"org.iso.18013.5.1.mDL"}, HolderBound: true, AuthorityKeyIDs: []string{"AQID"},
		Claims: object(b, `{"org.iso.18013.5.1":{"given_name":"Arthur"}}`),
	}
	for name, run := range map[string]struct {
		query  dcql.Query
		answer answer
		ok     bool
	}{
		"recovery":     {one, answer{"verified_id": {id}, "face_check": {receipt}}, true},
		"alternatives": {several, answer{"verified_id_3": {mdl}, "face_check_2": {receipt}}, true},
		"everything":   {parse(b, everything), everythingHeld(b), true},
		"mismatch":     {one, answer{"verified_id": {receipt}, "face_check": {id}}, false},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if e, err := run.query.Evaluate(run.answer); e.Satisfied != run.ok {
					b.Fatal(err)
				}
			}
		})
	}
}
