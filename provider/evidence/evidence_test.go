package evidence_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/recovery"
	"regain/verifier"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// What came is evidence under the rule that it answers, wherever that stands in the profile.
func TestEvidence(t *testing.T) {
	s := newScene(t)
	for name, row := range map[string]struct {
		shown  map[string]string
		rule   int
		claims map[recovery.ClaimName]string
	}{
		"an SD-JWT VC": {
			map[string]string{"verified_id": s.present(t, s.id), "face_check": s.present(t, s.issuer.Receipt(s.id, 86.31))},
			1, map[recovery.ClaimName]string{"given_name": "Ada", "family_name": "Lovelace"},
		},
		"an mdoc": {
			map[string]string{"verified_id_2": s.presentLicence(t), "face_check": s.present(t, s.issuer.MDocReceipt(s.holder, s.licence, 86.31))},
			2, map[recovery.ClaimName]string{"org.iso.18013.5.1/given_name": "Ada", "org.iso.18013.5.1/family_name": "Lovelace"},
		},
	} {
		found, err := s.weigh(t, newer(), s.answer(row.shown))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		check := found.FaceCheck
		if found.Rule != row.rule || found.ValidationFailure != recovery.ReasonNone || !maps.Equal(found.Claims, row.claims) {
			t.Errorf("%s: rule %d, failure %q, %d claims", name, found.Rule, found.ValidationFailure, len(found.Claims))
		}
		if check.Source != recovery.FaceCheckReceipt || !check.Bound || check.Score != 86.31 || !check.At.Equal(s.clock.Now()) || check.ValidationFailure != recovery.ReasonNone {
			t.Errorf("%s: %+v", name, check)
		}
	}
}

func TestEvidenceOfAJWTVC(t *testing.T) {
	s := newScene(t)
	authority, owner := verifiertest.NewJWKIdentity(t, "ES256"), verifiertest.NewIONIdentity(t, "ES256K")
	vc := verifiertest.NewVC(authority, owner, s.clock.Now())
	receipt := verifiertest.NewFaceCheckVC(authority, owner, vc, 86.31, s.clock.Now())
	answer := s.answer(map[string]string{})
	vp := verifiertest.NewVP(owner, s.clock.Now(), vc.Sign(t), receipt.Sign(t)).Sign(t)
	for id, at := range map[string]int{"verified_id": 0, "face_check": 1} {
		shown := answer.Presentations[id]
		shown.Text, shown.At = vp, at
		answer.Presentations[id] = shown
	}
	s.trust = append(s.trust, trust.Rule{Types: []string{verifiertest.VCType, "FaceCheckReceipt"}, DIDs: []string{authority.DID}, StatusOptional: true})
	found, err := s.weigh(t, []string{dcql.FormatJWTVC}, answer)
	if err != nil || found.Rule != 0 || found.ValidationFailure != recovery.ReasonNone || found.Claims["credentialSubject/lastName"] != "Lovelace" || !found.FaceCheck.Bound {
		t.Errorf("rule %d, failure %q, %v", found.Rule, found.ValidationFailure, err)
	}
	// Nobody is trusted for it: nothing of the VC has been verified, so it must not be able to decide anything but a denial.
	s.trust = s.trust[:len(s.trust)-1]
	found, err = s.weigh(t, []string{dcql.FormatJWTVC}, answer)
	if err != nil || found.ValidationFailure != recovery.ReasonCredentialUntrusted {
		t.Fatalf("failure %q, %v", found.ValidationFailure, err)
	}
	account := recovery.Account{Name: "ada@example.org", Enabled: true, Attributes: map[recovery.AttributeName]string{"given_name": "Ada", "family_name": "Lovelace"}}
	s.profile.Mode, s.profile.FaceCheck.Threshold = recovery.ModeProduction, 50
	for _, ineligible := range []recovery.Reason{recovery.ReasonNone, recovery.ReasonAccountUnknown} {
		verdict := recovery.Decide(recovery.DecisionInput{Profile: s.profile, Account: account, Ineligible: ineligible, Evidence: found, StartedAt: s.clock.Now(), Now: s.clock.Now()})
		if verdict.Outcome != recovery.OutcomeDenied || verdict.Reason.Public() != recovery.PublicCredential {
			t.Errorf("%s, %s: it tells of the account, or worse", verdict.Outcome, verdict.Reason)
		}
	}
}

// Of several that came the preferred one counts, alone: the verifier is not even shown the other, and which receipt
// belongs to it is not for the wallet to say.
func TestTheChosenOneCounts(t *testing.T) {
	s := newScene(t)
	receipt := s.present(t, s.issuer.Receipt(s.id, 86.31))
	both := s.answer(map[string]string{"verified_id": s.present(t, s.id), "verified_id_2": s.presentLicence(t), "face_check": receipt})
	shown, expect, err := s.rules.Input(s.submission(newer(), both))
	if err != nil || shown.VerifiedID != both.Presentations["verified_id"].Text || expect.VerifiedID.Format != verifier.FormatSDJWT {
		t.Fatalf("%s, %v", expect.VerifiedID.Format, err)
	}
	if found, err := s.weigh(t, newer(), both); err != nil || found.Rule != 1 || !found.FaceCheck.Bound {
		t.Errorf("rule %d, %v", found.Rule, err)
	}
	// A receipt of the one with the other: shown, and not about it.
	mixed := s.answer(map[string]string{"verified_id_2": s.presentLicence(t), "face_check": receipt})
	if found, err := s.weigh(t, newer(), mixed); err != nil || found.Rule != 2 || found.FaceCheck.Bound {
		t.Errorf("rule %d, bound %t, %v", found.Rule, found.FaceCheck.Bound, err)
	}
	// The first one spoiled: the second is no way out.
	spoiled := s.answer(maps.Clone(map[string]string{"verified_id": receipt, "verified_id_2": s.presentLicence(t), "face_check": receipt}))
	if _, err := s.weigh(t, newer(), spoiled); !errors.Is(err, verifier.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// A Verified ID of one format goes with receipts of its own: with a weaker kind of receipt than was asked for it is none.
func TestReceiptsGoWithTheirFormat(t *testing.T) {
	s := newScene(t)
	receipt := s.present(t, s.issuer.Receipt(s.id, 86.31))
	for name, shown := range map[string]map[string]string{
		"the JWT VC's with an SD-JWT": {"verified_id_2": s.present(t, s.id), "face_check": receipt},
		"the SD-JWT's with a JWT VC":  {"verified_id": "a.b.c", "face_check_2": receipt},
		"a Verified ID alone":         {"verified_id_2": s.present(t, s.id)},
		"a receipt alone":             {"face_check_2": receipt},
		"nothing":                     {},
		"what nobody asked for":       {"verified_id_9": s.present(t, s.id), "face_check_2": receipt},
	} {
		if _, _, err := s.rules.Input(s.submission(every(), s.answer(shown))); !errors.Is(err, presentation.ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An SD-JWT in the place of a JWT VC receipt, or a Verified ID in a receipt's.
	for name, shown := range map[string]map[string]string{
		"an SD-JWT as a JWT VC":      {"verified_id": "a.b.c", "face_check": receipt},
		"a Verified ID as receipt":   {"verified_id_2": s.present(t, s.id), "face_check_2": s.present(t, s.id)},
		"a receipt as a Verified ID": {"verified_id_2": receipt, "face_check_2": receipt},
	} {
		if _, err := s.weigh(t, every(), s.answer(shown)); !errors.Is(err, verifier.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A wallet that left out what was asked for is refused, whatever it is worth otherwise.
func TestCompare(t *testing.T) {
	s := newScene(t)
	s.id.Withhold("family_name")
	shown := s.answer(map[string]string{"verified_id": s.present(t, s.id), "face_check": s.present(t, s.issuer.Receipt(s.id, 86.31))})
	if _, err := s.weigh(t, newer(), shown); !errors.Is(err, presentation.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

// Each validation failure has a reason, and one that nobody knows is no trust.
func TestValidationFailures(t *testing.T) {
	for want, change := range map[recovery.Reason]func(s *scene){
		recovery.ReasonNone:                func(*scene) {},
		recovery.ReasonCredentialUntrusted: func(s *scene) { s.trust = s.trust[1:] },
		recovery.ReasonCredentialExpired:   func(s *scene) { s.id.Claims["exp"] = s.clock.Now().Unix() },
		recovery.ReasonCredentialRevoked:   func(s *scene) { s.issuer.Status.Set(s.id.Index, 1) },
		recovery.ReasonStatusUnavailable:   func(s *scene) { delete(s.id.Claims, "status") },
	} {
		s := newScene(t)
		change(s)
		found, err := s.weigh(t, newer(), s.answer(map[string]string{"verified_id": s.present(t, s.id), "face_check": s.present(t, s.issuer.Receipt(s.id, 86.31))}))
		if err != nil || found.ValidationFailure != want {
			t.Errorf("%q, %v; want %q", found.ValidationFailure, err, want)
		}
	}
	s := newScene(t)
	found, err := s.rules.OfNothing(s.submission(newer(), s.answer(map[string]string{"verified_id": "x", "face_check": "y"})))
	if err != nil {
		t.Fatal(err)
	}
	if found.ValidationFailure != recovery.ReasonCredentialUntrusted || found.FaceCheck.Source != "" || len(found.Claims) != 0 {
		t.Errorf("nothing verified is %q with %d claims", found.ValidationFailure, len(found.Claims))
	}
}

// claims are a credential's, with values of every kind.
func claims() map[string]any {
	return map[string]any{
		"name": "Ada", "empty": "", "number": json.Number("7"), "yes": true, "nothing": nil, "list": []any{"Ada", "Bob"}, "one": []any{"Ada"}, "object": map[string]any{"name": "Ada"},
	}
}

// A claim is one text: whatever else a path leads to is as if it were not there.
func TestAClaimIsOneText(t *testing.T) {
	found := func(name string) bool { _, ok := claimAt(claims(), name); return ok }
	for _, name := range []string{"name", "empty", "object/name", "list/0", "one/*"} {
		if !found(name) {
			t.Errorf("%s is not there", name)
		}
	}
	for _, name := range []string{"number", "yes", "nothing", "list", "list/*", "list/2", "object", "name/0", "name/name", "", "/name", "~", "missing"} {
		if found(name) {
			t.Errorf("%s is a claim", name)
		}
	}
}

// FuzzInput has a wallet answer whatever queries it likes.
func FuzzInput(f *testing.F) {
	f.Add("verified_id,face_check", 0)
	f.Add("verified_id_2,face_check,verified_id", 3)
	f.Add("face_check_2,verified_id_9", -1)
	s := newScene(f)
	f.Fuzz(func(t *testing.T, list string, at int) {
		answer := s.answer(nil)
		for _, id := range slices.Compact(splitOn(list)) {
			located := answer.Presentations[id]
			located.Text, located.At = id, at
			answer.Presentations[id] = located
		}
		shown, expect, err := s.rules.Input(s.submission(every(), answer))
		if err != nil {
			if !errors.Is(err, presentation.ErrMissing) {
				t.Fatal(err)
			}
			return
		}
		if dcql.Role(shown.VerifiedID) != dcql.VerifiedID || dcql.Role(shown.FaceCheck) != dcql.FaceCheck {
			t.Fatalf("%q is shown as a Verified ID and %q as a receipt", shown.VerifiedID, shown.FaceCheck)
		}
		if jwt := shown.VerifiedID == "verified_id"; jwt != (expect.FaceCheck.Format == dcql.FormatJWTVC) || jwt != (shown.FaceCheck == "face_check") {
			t.Fatalf("%s goes with %s as %s", shown.VerifiedID, shown.FaceCheck, expect.FaceCheck.Format)
		}
	})
}

// FuzzClaimAt walks any path through anything that JSON can say.
func FuzzClaimAt(f *testing.F) {
	f.Add(`{"a":{"b":["c"]}}`, "a/b/0")
	f.Add(`{"a":"b"}`, "a")
	f.Add(`{"":{"*":"x"}}`, "~=/~=*")
	f.Fuzz(func(t *testing.T, text, name string) {
		var from map[string]any
		if json.Unmarshal([]byte(text), &from) != nil {
			return
		}
		if value, ok := claimAt(from, name); !ok && value != "" {
			t.Fatalf("%q, which is not there", value)
		}
	})
}
