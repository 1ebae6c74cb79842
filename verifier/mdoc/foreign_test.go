package mdoc_test

import (
	"bytes"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"regain/verifier/mdoc"
	"regain/verifier/trust"
)

//go:embed testdata/foreign.txt
var foreign string

// TestForeign verifies what other implementations made: both signatures, for its own session and for no other, and a
// signer that is trusted because it is pinned. The suite's is a CA, and its certificate ends before its MSO does.
func TestForeign(t *testing.T) {
	sessions := map[string]mdoc.Session{
		"owf-redirect": {
			ClientID: "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk", Nonce: "n-0S6_WzA2Mj",
			ResponseURI: "https://regain.example/response", Thumbprint: bytes.Repeat([]byte{7}, 32),
		},
		"owf-page":       {Origin: "https://regain.example", Nonce: "n-0S6_WzA2Mj"},
		"suite-redirect": vectorRedirect(t),
		"suite-page":     vectorPage(t),
	}
	for name := range sessions {
		t.Run(name, func(t *testing.T) {
			p, err := mdoc.ParseInsecure(vector(t, foreign, name))
			if err != nil {
				t.Fatal(err)
			}
			signer, err := x509.ParseCertificate(p.Certificates()[0])
			if err != nil {
				t.Fatal(err)
			}
			rules, err := trust.New([]trust.Rule{{Types: []string{p.DocType()}, Signers: []*x509.Certificate{signer}}})
			if err != nil {
				t.Fatal(err)
			}
			signed, _, _ := p.Validity()
			if err := rules.CheckDocument(p.Certificates(), p.DocType(), signed, signed); err != nil {
				t.Error(err)
			}
			if key, err := rules.Leaf(p.Certificates(), p.DocType()); err != nil || p.VerifyIssuer(key) != nil {
				t.Errorf("issuer: %v", err)
			}
			for other, session := range sessions {
				if _, err := p.VerifyHolder(session); (other == name) != (err == nil) || err != nil && !errors.Is(err, mdoc.ErrHolder) {
					t.Errorf("for %s: %v", other, err)
				}
			}
		})
	}
}

func TestForeignClaims(t *testing.T) {
	privilege := func(category, issued, expires string) any {
		return map[string]any{"vehicle_category_code": category, "issue_date": issued, "expiry_date": expires}
	}
	for name, want := range map[string]map[string]any{
		"owf-redirect": {
			"family_name": "Lovelace", "given_name": "Ada", "birth_date": "1990-12-10", "age_in_years": json.Number("40"), "age_over_18": true,
			"driving_privileges": []any{map[string]any{"vehicle_category_code": "B", "issue_date": "2028-12-10"}},
		},
		"suite-redirect": {
			"family_name": "Mustermann", "given_name": "Erika", "birth_date": "1971-09-01", "age_over_18": true, "document_number": "987654321",
			"height": json.Number("175"), "sex": json.Number("2"),
			"driving_privileges": []any{privilege("A", "2018-08-09", "2028-09-01"), privilege("B", "2017-02-23", "2028-09-01")},
		},
		"suite-page": {"family_name": "Mustermann", "given_name": "Erika", "birth_date": "1971-09-01"},
	} {
		p, err := mdoc.ParseInsecure(vector(t, foreign, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Claims(); len(got) != 1 || !reflect.DeepEqual(got["org.iso.18013.5.1"], any(want)) {
			t.Errorf("%s: got %v", name, got["org.iso.18013.5.1"])
		}
	}
}
