package contract_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/provider/claims"
	"regain/provider/contract"
)

const request = `{"id_token":{"verified_claims":[{"verification":{"trust_framework":{"value":"IDV-DELEGATED","essential":true},"assurance_level":{"value":"VERIFIED","essential":true}},` +
	`"claims":{"given_name":{"value":"Ada","fuzzy":true},"family_name":{"value":"Lindqvist"},"address":{"country":{"value":"Sweden","fuzzy":true}}}}]}}`

func read(t *testing.T, text string) ([]contract.RequestedClaim, error) {
	t.Helper()
	wanted, err := claims.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return contract.ReadOkta(wanted)
}

func TestReadOkta(t *testing.T) {
	asked, err := read(t, request)
	want := []contract.RequestedClaim{{Name: "address.country", Value: "Sweden", Fuzzy: true}, {Name: "family_name", Value: "Lindqvist"}, {Name: "given_name", Value: "Ada", Fuzzy: true}}
	if err != nil || len(asked) != len(want) || asked[0] != want[0] || asked[1] != want[1] || asked[2] != want[2] {
		t.Fatalf("%v %v", asked, err)
	}
	for name, change := range map[string][2]string{
		"another framework":  {"IDV-DELEGATED", "IDV_DELEGATED"},
		"another level":      {`"VERIFIED"`, `"FAILED"`},
		"an unknown claim":   {"given_name", "nickname"},
		"no value":           {`"value":"Ada",`, ``},
		"a number":           {`"Ada"`, `7`},
		"an unknown part":    {"country", "planet"},
		"no address at all":  {`{"country":{"value":"Sweden","fuzzy":true}}`, `null`},
		"nothing asked for":  {`"given_name":{"value":"Ada","fuzzy":true},"family_name":{"value":"Lindqvist"},"address":{"country":{"value":"Sweden","fuzzy":true}}`, ``},
		"two verified":       {`}}}}]`, `}}}},{"verification":{"trust_framework":null},"claims":null}]`},
		"address in address": {`"country":{"value":"Sweden","fuzzy":true}`, `"address":{"country":{"value":"Sweden"}}`},
	} {
		broken := strings.Replace(request, change[0], change[1], 1)
		if broken == request {
			t.Errorf("%s: changes nothing", name)
		}
		if asked, err := read(t, broken); !errors.Is(err, contract.ErrOkta) {
			t.Errorf("%s: %v %v", name, asked, err)
		}
	}
	if _, err := read(t, `{"userinfo":{"verified_claims":[]}}`); !errors.Is(err, contract.ErrOkta) {
		t.Error("a request for userinfo")
	}
}

// VERIFIED needs an approval and every claim; what was not verified is null and nothing else.
func TestOktaVerdict(t *testing.T) {
	asked, err := read(t, request)
	if err != nil {
		t.Fatal(err)
	}
	all := func(string, string) bool { return true }
	none := func(string, string) bool { return false }
	for name, c := range map[string]struct {
		approved bool
		verified func(string, string) bool
		asked    []contract.RequestedClaim
		level    string
		nulls    int
	}{
		"approved":                {true, all, asked, "VERIFIED", 0},
		"not approved":            {false, all, asked, "FAILED", 3},
		"approved, one unproven":  {true, func(name, _ string) bool { return name != "address.country" }, asked, "FAILED", 1},
		"approved, nothing so":    {true, none, asked, "FAILED", 3},
		"approved, nothing asked": {true, all, nil, "FAILED", 0},
	} {
		result := contract.OktaResult{Approved: c.approved, Verified: c.verified, Time: time.Unix(0, 0), Transaction: "txn"}
		text, err := json.Marshal(result.VerifiedClaims(c.asked))
		if err != nil || !strings.Contains(string(text), `"assurance_level":"`+c.level+`"`) || strings.Count(string(text), "null") != c.nulls {
			t.Errorf("%s: %s %v", name, text, err)
		}
	}
}

func FuzzOktaForm(f *testing.F) {
	f.Add([]byte(`{"response_type":"code","claims":` + request + `}`))
	f.Add([]byte(`{"a":1,"b":null,"c":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		form, err := contract.OktaForm(body)
		if err != nil {
			return
		}
		for name, values := range form {
			if len(values) != 1 {
				t.Errorf("%q has %d values", name, len(values))
			}
		}
		wanted, err := claims.Parse(form.Get("claims"))
		if err != nil {
			return
		}
		if asked, err := contract.ReadOkta(wanted); err == nil {
			if len(asked) == 0 {
				t.Error("a request for nothing is a request")
			}
			text, err := json.Marshal(contract.OktaResult{}.VerifiedClaims(asked))
			if err != nil || strings.Contains(string(text), "VERIFIED\"") {
				t.Errorf("%s %v", text, err)
			}
		}
		if acr, amr, err := contract.ChooseEntra(wanted); err == nil && (acr == "" || amr != "face" && amr != "pop") {
			t.Errorf("acr %q, amr %q", acr, amr)
		}
	})
}
