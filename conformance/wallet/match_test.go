package wallet_test

import (
	"slices"
	"testing"
	"time"

	"regain/conformance/wallet/wallettest"
)

func TestReviewMatchesWhatIsHeld(t *testing.T) {
	receiptOnly := func(q map[string]any) { q["credentials"] = q["credentials"].([]any)[1:] }
	identity := func(q map[string]any) map[string]any { return q["credentials"].([]any)[0].(map[string]any) }
	for name, test := range map[string]struct {
		prepare func(*testing.T, *wallettest.Env)
		query   func(map[string]any)
		shares  []string // query ids
		missing []string
		check   bool // a Face Check is wanted
	}{
		"everything held": {query: func(map[string]any) {}, shares: []string{"verified_id", "face_check"}, check: true},
		"receipt alone":   {query: receiptOnly, shares: []string{"face_check"}, check: true},
		"empty wallet": {prepare: func(t *testing.T, w *wallettest.Env) { w.Remake(t) }, query: func(map[string]any) {},
			missing: []string{wallettest.IdentityType, wallettest.ReceiptType}},
		"another type": {query: func(q map[string]any) { identity(q)["meta"] = map[string]any{"vct_values": []string{"urn:other"}} },
			shares: []string{"face_check"}, missing: []string{"urn:other"}, check: true},
		"another format": {query: func(q map[string]any) { identity(q)["format"], identity(q)["meta"] = "jwt_vc_json", map[string]any{} },
			shares: []string{"face_check"}, missing: []string{"jwt_vc_json"}, check: true},
		"a claim that is not there": {query: func(q map[string]any) { identity(q)["claims"] = []any{map[string]any{"path": []any{"iban"}}} },
			shares: []string{"face_check"}, missing: []string{wallettest.IdentityType}, check: true},
		"another value": {query: func(q map[string]any) {
			identity(q)["claims"] = []any{map[string]any{"path": []any{"given_name"}, "values": []any{"Grace"}}}
		}, shares: []string{"face_check"}, missing: []string{wallettest.IdentityType}, check: true},
		"one of the sets": {query: func(q map[string]any) {
			q["credential_sets"] = []any{map[string]any{"options": []any{[]string{"verified_id"}}}}
		}, shares: []string{"verified_id"}},
		"expired": {prepare: func(_ *testing.T, w *wallettest.Env) {
			w.Now = w.Now.Add(25 * time.Hour)
			w.Verifier.Claims = func(c map[string]any) { c["iat"], c["exp"] = w.Now.Unix(), w.Now.Add(time.Minute).Unix() }
		}, query: func(map[string]any) {}, missing: []string{wallettest.IdentityType, wallettest.ReceiptType}},
		"no Face Check offered": {prepare: func(t *testing.T, w *wallettest.Env) {
			w.Remake(t)
			w.Issuer.Metadata = unset("face_check_endpoint")
			w.Accept(t)
		}, query: func(map[string]any) {}, shares: []string{"verified_id"}, missing: []string{wallettest.ReceiptType}},
		"one of two offers it": {prepare: func(t *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = unset("face_check_endpoint")
			w.Accept(t)
		}, query: func(map[string]any) {}, shares: []string{"verified_id", "face_check"}, check: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			if test.prepare != nil {
				test.prepare(t, w)
			}
			test.query(w.Verifier.Query)
			r := w.Review(t)
			var shares []string
			for _, s := range r.Shares {
				shares = append(shares, s.Query)
			}
			if !slices.Equal(shares, test.shares) || !slices.Equal(r.Missing, test.missing) || (r.FaceCheckFor() != "") != test.check {
				t.Errorf("shares %v, missing %v, Face Check for %q", shares, r.Missing, r.FaceCheckFor())
			}
		})
	}
}

func TestReviewTakesTheNewestOfTwo(t *testing.T) {
	w := wallettest.WithCredential(t)
	newest := w.Accept(t)
	if got := w.Review(t).Shares[0].Credential.ID; got != newest.ID {
		t.Errorf("took %s, not %s", got, newest.ID)
	}
}

func TestReviewUnderstandsAuthorities(t *testing.T) {
	for name, test := range map[string]struct {
		aki     string
		missing int
	}{"the issuer's": {wallettest.Encode([]byte("Issuer Root")), 0}, "another": {wallettest.Encode([]byte("Other")), 1}} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			w.Verifier.Query = wallettest.IdentityQuery()
			w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["trusted_authorities"] = []any{
				map[string]any{"type": "aki", "values": []string{test.aki}}}
			if r := w.Review(t); len(r.Missing) != test.missing {
				t.Errorf("missing %v", r.Missing)
			}
		})
	}
}
