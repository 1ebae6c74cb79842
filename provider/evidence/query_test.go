package evidence_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regain/presentation/dcql"
	"regain/provider/evidence"
	"regain/recovery"
)

// ids are what is asked for, each with its format.
func ids(q dcql.Query) (all []string) {
	for _, c := range q.Credentials {
		all = append(all, c.ID+" "+c.Format)
	}
	return all
}

// Of the profile's alternatives those are asked for that the protocol has, each with the receipt that goes with it.
func TestQuery(t *testing.T) {
	s := newScene(t)
	for name, row := range map[string]struct {
		formats []string
		want    []string
		options int
	}{
		"a newer wallet": {newer(), []string{"verified_id dc+sd-jwt", "verified_id_2 mso_mdoc", "face_check dc+sd-jwt"}, 2},
		"an older one":   {[]string{dcql.FormatJWTVC}, []string{"verified_id jwt_vc_json", "face_check jwt_vc_json"}, 0},
		"one of all": {every(), []string{
			"verified_id jwt_vc_json", "verified_id_2 dc+sd-jwt", "verified_id_3 mso_mdoc", "face_check jwt_vc_json", "face_check_2 dc+sd-jwt",
		}, 3},
	} {
		q, err := s.rules.Query(s.profile, row.formats)
		if err != nil || !slices.Equal(ids(q), row.want) {
			t.Errorf("%s: %v, %v", name, ids(q), err)
		}
		options := 0
		for _, set := range q.CredentialSets {
			for _, option := range set.Options {
				options++
				if len(option) != 2 || dcql.Role(option[0]) != dcql.VerifiedID || dcql.Role(option[1]) != dcql.FaceCheck {
					t.Errorf("%s: a wallet may do with %v", name, option)
				}
			}
		}
		if options != row.options {
			t.Errorf("%s: %d options", name, options)
		}
	}
	q, err := s.rules.Query(s.profile, []string{dcql.FormatSDJWT})
	raw, _ := json.Marshal(q)
	if err != nil || strings.Contains(string(raw), "portrait") || strings.Contains(string(raw), "birthdate") || !strings.Contains(string(raw), `["family_name"]`) {
		t.Errorf("asked for more than is matched, or less: %s, %v", raw, err)
	}
}

// A query that was prepared is the one that is made otherwise, and belongs to its formats alone.
func TestPrepare(t *testing.T) {
	s := newScene(t)
	made, err := s.rules.Query(s.profile, newer())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a mistake would show the second time
		if err := s.rules.Prepare(s.profile, newer()); err != nil {
			t.Fatal(err)
		}
	}
	prepared, err := s.rules.Query(s.profile, newer())
	if err != nil || !reflect.DeepEqual(made, prepared) {
		t.Errorf("%v, %v", ids(prepared), err)
	}
	if other, err := s.rules.Query(s.profile, []string{dcql.FormatJWTVC}); err != nil || len(other.Credentials) != 2 {
		t.Errorf("for other formats: %v, %v", ids(other), err)
	}
}

// Each row is a profile that could be asked for in vain, or that a holder could answer to their liking.
func TestWhatIsNotAsked(t *testing.T) {
	for says, change := range map[string]func(s *scene){
		"no credential of it": func(s *scene) { s.profile.Credentials = s.profile.Credentials[2:] },
		"is empty":            func(s *scene) { s.rules = evidence.New(nil, []string{receiptTypes}) },
		"the rest moves up":   func(s *scene) { s.profile.Credentials[1].Bindings[0].Claim = "given_names/0" },
		"holder shows what":   func(s *scene) { s.profile.Credentials[1].Bindings[0].Claim = "given_names/*" },
		"portrait":            func(s *scene) { s.profile.Credentials[1].Bindings[0].Claim = "portrait" },
		"reading the claim":   func(s *scene) { s.profile.Credentials[1].Bindings[0].Claim = "/given_name" },
	} {
		s := newScene(t)
		change(s)
		if _, err := s.rules.Query(s.profile, []string{dcql.FormatSDJWT}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
		if err := s.rules.Prepare(s.profile, []string{dcql.FormatSDJWT}); err == nil {
			t.Errorf("%s: prepared", says)
		}
	}
}

// In evaluation a profile may ask for no Face Check, and then needs no receipts.
func TestWithoutAFaceCheck(t *testing.T) {
	s := newScene(t)
	s.rules = evidence.New(nil, nil)
	s.profile.FaceCheck = recovery.FaceCheckRule{NotAsked: true}
	q, err := s.rules.Query(s.profile, newer())
	if err != nil || !slices.Equal(ids(q), []string{"verified_id dc+sd-jwt", "verified_id_2 mso_mdoc"}) {
		t.Fatalf("%v, %v", ids(q), err)
	}
	found, err := s.weigh(t, newer(), s.answer(map[string]string{"verified_id": s.present(t, s.id)}))
	if err != nil || found.FaceCheck.Source != "" || found.Claims["family_name"] != "Lovelace" || found.Rule != 1 {
		t.Errorf("%d, %v", found.Rule, err)
	}
}
