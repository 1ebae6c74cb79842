package contract

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"regain/internal/strictjson"
	"regain/provider/claims"
)

// The vocabulary of Okta's contract.
const (
	oktaFramework = "IDV-DELEGATED" // the guide's text has IDV_DELEGATED in places; the wire has this
	oktaVerified  = "VERIFIED"
	oktaFailed    = "FAILED"
)

// oktaClaims are the supported claims: Okta fails an evaluation that returns any other one. Those of the address are
// members of `address`.
func oktaClaims() []string {
	return []string{
		"given_name", "family_name", "middle_name", "email", "birthdate", "phone_number",
		"address.street_address", "address.locality", "address.region", "address.postal_code", "address.country",
	}
}

// RequestedClaim is one claim that the vendor wants verified: its name, `address.` before the members of the address, and the
// value in the user's profile.
type RequestedClaim struct {
	Name  string
	Value string
	Fuzzy bool // was sent with the claim, and is sent back
}

// ErrOkta means that a request is not as the contract has it: invalid_request.
var ErrOkta = errors.New("request is not as okta-idv has it")

// ReadOkta returns what the claims parameter of a pushed request wants verified.
func ReadOkta(wanted claims.Request) ([]RequestedClaim, error) {
	list, ok := wanted[claims.IDToken]["verified_claims"].([]any)
	if !ok || len(list) != 1 {
		return nil, fmt.Errorf("%w: claims.id_token.verified_claims must be an array of one", ErrOkta)
	}
	request, _ := list[0].(map[string]any)
	verification, _ := request["verification"].(map[string]any)
	if valueOf(verification["trust_framework"]) != oktaFramework {
		return nil, fmt.Errorf("%w: the trust_framework must be %s", ErrOkta, oktaFramework)
	}
	if valueOf(verification["assurance_level"]) != oktaVerified {
		return nil, fmt.Errorf("%w: the assurance_level must be %s", ErrOkta, oktaVerified)
	}
	members, _ := request["claims"].(map[string]any)
	asked, err := readAsked(members, "")
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return nil, fmt.Errorf("%w: no claims are asked for", ErrOkta)
	}
	slices.SortFunc(asked, func(a, b RequestedClaim) int { return strings.Compare(a.Name, b.Name) })
	return asked, nil
}

func readAsked(members map[string]any, prefix string) ([]RequestedClaim, error) {
	var asked []RequestedClaim
	for name, member := range members {
		if name == "address" && prefix == "" {
			parts, ok := member.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%w: address is not an object", ErrOkta)
			}
			inner, err := readAsked(parts, "address.")
			if err != nil {
				return nil, err
			}
			asked = append(asked, inner...)
			continue
		}
		if !slices.Contains(oktaClaims(), prefix+name) {
			return nil, fmt.Errorf("%w: the claim %.40q is not supported", ErrOkta, prefix+name)
		}
		conditions, _ := member.(map[string]any)
		value, ok := conditions["value"].(string)
		if !ok || value == "" {
			return nil, fmt.Errorf("%w: the claim %s has no value", ErrOkta, prefix+name)
		}
		_, fuzzy := conditions["fuzzy"]
		asked = append(asked, RequestedClaim{Name: prefix + name, Value: value, Fuzzy: fuzzy})
	}
	return asked, nil
}

// valueOf reads a plain value or an object with a value.
func valueOf(want any) string {
	if object, ok := want.(map[string]any); ok {
		want = object["value"]
	}
	text, _ := want.(string)
	return text
}

// OktaResult is the outcome of a recovery in the words of the contract.
type OktaResult struct {
	Approved    bool
	Verified    func(name, value string) bool // was this value of this claim held against the evidence? Asked after an approval only
	Time        time.Time                     // of the decision
	Transaction string
}

// VerifiedClaims is the verified_claims of the ID token: VERIFIED when the person was approved and every claim that was
// asked for was verified, and FAILED with a null for each claim that was not. It tells nothing that Okta did not say.
func (r OktaResult) VerifiedClaims(asked []RequestedClaim) []any {
	level, said, address := oktaVerified, make(map[string]any), make(map[string]any)
	for _, a := range asked {
		var value any = a.Value
		if !r.Approved || !r.Verified(a.Name, a.Value) {
			level, value = oktaFailed, nil
		}
		if a.Fuzzy {
			value = map[string]any{"fuzzy": true, "value": value}
		}
		if part, ok := strings.CutPrefix(a.Name, "address."); ok {
			address[part] = value
		} else {
			said[a.Name] = value
		}
	}
	if len(address) > 0 {
		said["address"] = address
	}
	if !r.Approved || len(asked) == 0 {
		level = oktaFailed
	}
	return []any{map[string]any{
		"verification": map[string]any{
			"trust_framework": oktaFramework, "assurance_level": level,
			"time": r.Time.UTC().Format(time.RFC3339), "verification_process": r.Transaction,
		},
		"claims": said,
	}}
}

// OktaForm turns a pushed request in JSON, as the guide shows it, into the form that RFC 9126 has: members that are not
// text, which is the claims, become their JSON text.
func OktaForm(body []byte) (url.Values, error) {
	const depth = 16
	members, err := strictjson.Object(body, depth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOkta, err)
	}
	form := make(url.Values, len(members))
	for name, member := range members {
		text, ok := member.(string)
		if !ok {
			if text, err = encode(member); err != nil {
				return nil, err
			}
		}
		form.Set(name, text)
	}
	return form, nil
}
