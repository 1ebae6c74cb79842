package dcql_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

func TestRecovery(t *testing.T) {
	params := dcql.RecoveryParams{
		VerifiedIDTypes:    []string{"urn:regain:verified-identity:1"},
		FaceCheckTypes:     []string{"urn:regain:face-check-receipt:1"},
		Claims:             []dcql.Path{dcql.Names("given_name"), dcql.Names("family_name")},
		TrustedAuthorities: []dcql.TrustedAuthority{{Type: "aki", Values: []string{"abc"}}},
	}
	const want = `{"credentials":[{"id":"verified_id","format":"dc+sd-jwt","meta":{"vct_values":["urn:regain:verified-identity:1"]},` +
		`"trusted_authorities":[{"type":"aki","values":["abc"]}],"claims":[{"path":["given_name"]},{"path":["family_name"]}]},` +
		`{"id":"face_check","format":"dc+sd-jwt","meta":{"vct_values":["urn:regain:face-check-receipt:1"]}}]}`
	q, err := dcql.Recovery(params)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(q); err != nil || string(got) != want {
		t.Errorf("Recovery =\n%s, %v\nwant\n%s", got, err, want)
	}
	alone := params
	alone.FaceCheckTypes = nil
	if q, err := dcql.Recovery(alone); err != nil || len(q.Credentials) != 1 {
		t.Errorf("without receipt: %+v, %v, want one credential", q, err)
	}
	for name, row := range map[string]struct {
		edit func(*dcql.RecoveryParams)
		why  string
	}{
		"the portrait":                          {func(p *dcql.RecoveryParams) { p.Claims = append(p.Claims, dcql.Names("portrait")) }, "the portrait is never asked for"},
		"a claim twice":                         {func(p *dcql.RecoveryParams) { p.Claims = append(p.Claims, dcql.Names("given_name")) }, "claim [\"given_name\"] is asked for twice"},
		"an empty path":                         {func(p *dcql.RecoveryParams) { p.Claims = append(p.Claims, nil) }, "a claims path has 0 steps"},
		"no Verified ID":                        {func(p *dcql.RecoveryParams) { p.VerifiedIDTypes = nil }, "verified_id: meta.vct_values has 0 entries"},
		"empty receipt":                         {func(p *dcql.RecoveryParams) { p.FaceCheckTypes = []string{""} }, "face_check: meta.vct_values: a value is empty"},
		"a claim with vct":                      {func(p *dcql.RecoveryParams) { p.Claims = append(p.Claims, dcql.Names("vct")) }, "claim [\"vct\"] is always sent"},
		"a new format":                          {func(p *dcql.RecoveryParams) { p.Format = "vc+sd-jwt" }, "format \"vc+sd-jwt\" is not known"},
		"an mdoc of claims without a namespace": {func(p *dcql.RecoveryParams) { p.Format = dcql.FormatMdoc }, "the path of an mdoc is a namespace and an element"},
		"two doctypes": {func(p *dcql.RecoveryParams) {
			p.Format, p.Claims, p.VerifiedIDTypes = dcql.FormatMdoc, nil, []string{"a", "b"}
		}, "an mdoc has one doctype, not 2"},
		"a receipt of two doctypes": {func(p *dcql.RecoveryParams) {
			p.FaceCheckFormat, p.FaceCheckTypes = dcql.FormatMdoc, []string{"a", "b"}
		}, "an mdoc has one doctype, not 2"},
		"a set without types": {func(p *dcql.RecoveryParams) { p.Format, p.VerifiedIDTypes = dcql.FormatJWTVC, []string{" "} }, "a set of meta.type_values has 0 entries"},
	} {
		broken := params
		row.edit(&broken)
		if q, err := dcql.Recovery(broken); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: Recovery = %+v, %v", name, q, err)
		}
	}
}

// wanted are a Verified ID in each of three formats, with the receipts that belong to them.
func wanted() (sdjwt, mdoc, jwtvc dcql.RecoveryParams) {
	sdjwt = dcql.RecoveryParams{
		VerifiedIDTypes: []string{"urn:id"}, FaceCheckTypes: []string{"urn:face"}, Claims: []dcql.Path{dcql.Names("given_name")},
	}
	mdoc = dcql.RecoveryParams{
		Format: dcql.FormatMdoc, VerifiedIDTypes: []string{"org.iso.18013.5.1.mDL"}, FaceCheckTypes: []string{"urn:face"},
		Claims:             []dcql.Path{dcql.Names("org.iso.18013.5.1", "given_name")},
		TrustedAuthorities: []dcql.TrustedAuthority{{Type: dcql.AuthorityKey, Values: []string{"AQID"}}},
	}
	jwtvc = dcql.RecoveryParams{
		Format: dcql.FormatJWTVC, VerifiedIDTypes: []string{"VerifiableCredential VerifiedEmployee", "urn:id"},
		FaceCheckFormat: dcql.FormatJWTVC, FaceCheckTypes: []string{"VerifiableCredential FaceCheckReceipt"},
		Claims: []dcql.Path{dcql.Names("credentialSubject", "firstName")},
	}
	return sdjwt, mdoc, jwtvc
}

func TestRecoveryAlternatives(t *testing.T) {
	sdjwt, mdoc, jwtvc := wanted()
	const want = `{"credentials":[{"id":"verified_id","format":"dc+sd-jwt","meta":{"vct_values":["urn:id"]},"claims":[{"path":["given_name"]}]},` +
		`{"id":"verified_id_2","format":"mso_mdoc","meta":{"doctype_value":"org.iso.18013.5.1.mDL"},"trusted_authorities":[{"type":"aki","values":["AQID"]}],` +
		`"claims":[{"path":["org.iso.18013.5.1","given_name"],"intent_to_retain":false}]},` +
		`{"id":"verified_id_3","format":"jwt_vc_json","meta":{"type_values":[["VerifiableCredential","VerifiedEmployee"],["urn:id"]]},` +
		`"claims":[{"path":["credentialSubject","firstName"]}]},` +
		`{"id":"face_check","format":"dc+sd-jwt","meta":{"vct_values":["urn:face"]}},` +
		`{"id":"face_check_2","format":"jwt_vc_json","meta":{"type_values":[["VerifiableCredential","FaceCheckReceipt"]]}}],` +
		`"credential_sets":[{"options":[["verified_id","face_check"],["verified_id_2","face_check"],["verified_id_3","face_check_2"]]}]}`
	q, err := dcql.Recovery(sdjwt, mdoc, jwtvc)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(q); err != nil || string(got) != want {
		t.Errorf("Recovery =\n%s, %v\nwant\n%s", got, err, want)
	}
	for _, row := range []struct {
		present []string
		chosen  string // the Verified ID to go on with
	}{
		{[]string{"face_check", "verified_id"}, "verified_id"},
		{[]string{"face_check", "verified_id_2"}, "verified_id_2"},
		{[]string{"face_check_2", "verified_id_3"}, "verified_id_3"},
		{[]string{"face_check", "verified_id", "verified_id_2"}, "verified_id"},
		{[]string{"face_check", "verified_id_3"}, ""}, // the receipt is not one for it
		{[]string{"verified_id", "verified_id_2", "verified_id_3"}, ""},
	} {
		chosen, err := q.Choose(row.present)
		if row.chosen == "" {
			if !errors.Is(err, dcql.ErrMissing) {
				t.Errorf("Choose(%v) = %v, %v", row.present, chosen, err)
			}
			continue
		}
		if err != nil || len(chosen) != 2 || chosen[0] != row.chosen || dcql.Role(chosen[0]) != dcql.VerifiedID || dcql.Role(chosen[1]) != dcql.FaceCheck {
			t.Errorf("Choose(%v) = %v, %v, want %s and its receipt", row.present, chosen, err, row.chosen)
		}
	}
}

// Each format alone, with and without a receipt.
func TestRecoveryFormats(t *testing.T) {
	sdjwt, mdoc, jwtvc := wanted()
	ldp := jwtvc
	ldp.Format, ldp.FaceCheckFormat = dcql.FormatLDPVC, dcql.FormatLDPVC
	for _, p := range []dcql.RecoveryParams{sdjwt, mdoc, jwtvc, ldp} {
		q, err := dcql.Recovery(p)
		if err != nil || len(q.Credentials) != 2 || q.CredentialSets != nil {
			t.Errorf("%s: %+v, %v", p.Format, q, err)
		}
		p.FaceCheckTypes = nil
		if q, err := dcql.Recovery(p); err != nil || len(q.Credentials) != 1 {
			t.Errorf("%s without a receipt: %+v, %v", p.Format, q, err)
		}
	}
	mdoc.FaceCheckTypes = nil
	if q, err := dcql.Recovery(sdjwt, mdoc); err == nil || !strings.Contains(err.Error(), "a receipt of a Face Check comes with some Verified IDs only") {
		t.Errorf("a wallet may choose to go without a Face Check: %+v", q)
	}
}

func TestRecoveryNeverAsksForThePortrait(t *testing.T) {
	sdjwt, mdoc, jwtvc := wanted()
	for _, row := range []struct {
		params  dcql.RecoveryParams
		pointer string
		ok      bool
	}{
		{sdjwt, "portrait", false}, {sdjwt, "photo", false}, {sdjwt, "picture", false}, {sdjwt, "portrait/0", false}, {sdjwt, "person/portrait", false},
		{sdjwt, "portrait_capture_date", true}, {sdjwt, "birthdate", true},
		{mdoc, "org.iso.18013.5.1/portrait", false}, {mdoc, "org.iso.23220.1/portrait", false}, {mdoc, "org.iso.18013.5.1/family_name", true},
		{jwtvc, "credentialSubject/photo", false}, {jwtvc, "credentialSubject/portrait", false}, {jwtvc, "credentialSubject/*/photo", false},
		{jwtvc, "credentialSubject", false}, {jwtvc, "credentialSubject/*", false}, {jwtvc, "credentialSubject/*/lastName", true},
	} {
		path, err := dcql.ParsePointer(row.pointer)
		if err != nil {
			t.Fatal(err)
		}
		p := row.params
		p.Claims = []dcql.Path{path}
		if _, err := dcql.Recovery(p); (err == nil) != row.ok {
			t.Errorf("%s of %s: %v, want it asked for: %t", row.pointer, p.Format, err, row.ok)
		}
	}
}

func TestRole(t *testing.T) {
	for id, want := range map[string]string{
		"verified_id": dcql.VerifiedID, "verified_id_2": dcql.VerifiedID, "verified_id_10": dcql.VerifiedID,
		"face_check": dcql.FaceCheck, "face_check_2": dcql.FaceCheck,
		"verified_id_1": "", "verified_id_": "", "verified_id_x": "", "verified_ids": "", "": "", "passport": "",
	} {
		if got := dcql.Role(id); got != want {
			t.Errorf("Role(%q) = %q, want %q", id, got, want)
		}
	}
}
