package dcql_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

const spec = "testdata/spec"

// TestSpecExamples reads every query that the specification shows, and writes it back as the same JSON.
func TestSpecExamples(t *testing.T) {
	read := 0
	err := filepath.WalkDir(spec, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" || strings.Contains(path, "credentials"+string(filepath.Separator)) {
			return err
		}
		read++
		raw := load(t, strings.TrimPrefix(filepath.ToSlash(path), spec+"/"))
		q, err := dcql.Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		written, err := json.Marshal(q)
		var got, want any
		if err := errors.Join(err, json.Unmarshal(written, &got), json.Unmarshal(raw, &want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, written as\n%s", path, err, written)
		}
		return nil
	})
	if err != nil || read != 11 {
		t.Errorf("%v, and %d queries, want 11", err, read)
	}
}

// The examples of trusted authorities (§6.1.1.1 to §6.1.1.3).
func TestSpecAuthorities(t *testing.T) {
	for _, example := range []string{
		`{"type":"aki","values":["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}`,
		`{"type":"etsi_tl","values":["https://lotl.example.com"]}`,
		`{"type":"openid_federation","values":["https://trustanchor.example.com"]}`,
	} {
		raw := strings.Replace(full, `{"type":"aki","values":["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}`, example, 1)
		if written, err := json.Marshal(parse(t, raw).Credentials[0].TrustedAuthorities[0]); err != nil || string(written) != example {
			t.Errorf("%s is written %s, %v", example, written, err)
		}
	}
}

// The example of type_values, and the credentials that match it or nearly do (Appendix B.1.1). The contexts named there
// expand the types as they are written here.
func TestSpecTypeValues(t *testing.T) {
	const vc, examples = "https://www.w3.org/2018/credentials#", "https://example.org/examples#"
	m := dcql.Meta{TypeValues: [][]string{
		{vc + "VerifiableCredential", examples + "AlumniCredential", examples + "BachelorDegree"},
		{vc + "VerifiableCredential", examples + "UniversityDegreeCredential"},
		{"IdentityCredential"},
	}}
	for _, row := range []struct {
		types []string
		want  bool
	}{
		{[]string{vc + "VerifiableCredential", examples + "UniversityDegreeCredential"}, true},
		{[]string{vc + "VerifiableCredential", examples + "BachelorDegree", examples + "AlumniCredential"}, true},
		{[]string{vc + "VerifiableCredential", "IdentityCredential"}, true}, // in no context, so it stays
		{[]string{"VerifiableCredential", "IdentityCredential"}, true},
		{[]string{"VerifiableCredential", examples + "UniversityDegreeCredential"}, true},
		{[]string{"VerifiableCredential", "UniversityDegreeCredential"}, false}, // its context was not applied
		{[]string{vc + "VerifiableCredential", examples + "BachelorDegree"}, false},
		{[]string{vc + "VerifiableCredential"}, false},
		{nil, false},
	} {
		if got := m.Accepts(row.types...); got != row.want {
			t.Errorf("accepts %v: %t", row.types, got)
		}
	}
}

// TestSpecCredentials answers queries of the specification with its credentials.
func TestSpecCredentials(t *testing.T) {
	jwtvc := object(t, string(load(t, "credentials/jwt_vc.json")))["vc"].(map[string]any)
	ldp := object(t, string(load(t, "credentials/ldp_vc.json")))
	sdjwt := object(t, string(load(t, "credentials/sd_jwt_vc_unsecured.json")))
	mdl := map[string]any{"org.iso.18013.5.1": map[string]any{"given_name": "x", "family_name": "x", "portrait": "x", "resident_address": "x"}}
	pid := []string{"https://credentials.example.com/identity_credential"}
	types := []string{"VerifiableCredential", "IDCredential"}
	card := dcql.Presentation{CredentialFormat: dcql.FormatSDJWT, Types: pid, Claims: sdjwt, HolderBound: true}
	moved := card
	moved.Claims = object(t, `{"family_name":"Doe","postal_code":"90210","date_of_birth":"1940-01-01"}`)
	rewards := dcql.Presentation{
		CredentialFormat: dcql.FormatSDJWT, Types: []string{"https://company.example/company_rewards"}, Claims: object(t, `{"rewards_number":1}`), HolderBound: true,
	}
	address := dcql.Presentation{CredentialFormat: dcql.FormatMdoc, Types: []string{"org.iso.18013.5.1.mDL"}, Claims: mdl, HolderBound: true}
	for _, row := range []struct {
		query  string
		answer answer
		want   string
	}{
		{"request/dcql_jwt_vc.json", answer{"example_jwt_vc": {{CredentialFormat: dcql.FormatJWTVC, Types: types, Claims: jwtvc, HolderBound: true}}}, ""},
		{"request/dcql_ldp_vc.json", answer{"example_ldp_vc": {{CredentialFormat: dcql.FormatLDPVC, Types: types, Claims: ldp, HolderBound: true}}}, ""},
		{"inline/request_object.json", answer{"some_identity_credential": {card}}, ""},
		{"query_lang/simple.json", answer{"my_credential": {card}},
			`my_credential[0] claims ["address","street_address"]: expected value at address`},
		{"query_lang/value_matching_simple.json", answer{"my_credential": {card}},
			`my_credential[0] claims ["address","street_address"]: expected value at address` + "\n" +
				`my_credential[0] claims ["postal_code"]: expected value at postal_code`},
		{"query_lang/claims_alternatives.json", answer{"pid": {moved}}, ""}, // the second option of claim_sets
		{"query_lang/credentials_alternatives.json", answer{"nice_to_have": {rewards}}, // nice, and not enough
			`set 0 lacks pid, or other_pid, or pid_reduced_cred_1 and pid_reduced_cred_2`},
		{"query_lang/complex_mdoc.json", answer{"mdl-id": {address}}, ""},
		{"query_lang/complex_mdoc.json", answer{"mdl-id": {address}, "mdl-address": {address}}, // optional, and discarded
			`~mdl-address[0] claims ["org.iso.18013.5.1","resident_country"]: expected value at org.iso.18013.5.1/resident_country`},
	} {
		e, err := parse(t, string(load(t, row.query))).Evaluate(row.answer)
		if got := lines(e); got != row.want {
			t.Errorf("%s says\n%s\nwant\n%s", row.query, got, row.want)
		}
		checkVerdict(t, e, err, row.want == "" || everyLine(row.want, "~"))
	}
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(spec, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
