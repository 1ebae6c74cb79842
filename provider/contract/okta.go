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

const (
	oktaFramework = "IDV-DELEGATED" // the guide's text also spells it IDV_DELEGATED; requests use this value
	oktaVerified  = "VERIFIED"
	oktaFailed    = "FAILED"
)

// oktaClaims returns the supported claims: Okta rejects a response with any other claim. The parts of the address are
// members of `address`.
func oktaClaims() []string {
	return []string{
		"given_name", "family_name", "middle_name", "email", "birthdate", "phone_number",
		"address.street_address", "address.locality", "address.region", "address.postal_code", "address.country",
	}
}

// RequestedClaim is a claim that Okta asks to verify: its name, with the prefix `address.` for members of the
// address, and its value in the user's profile.
type RequestedClaim struct {
	Name  string
	Value string
	Fuzzy bool // Okta's member fuzzy was present; the response repeats it
}

// ErrOkta means that a request does not conform to the contract: invalid_request.
var ErrOkta = errors.New("request is not as okta-idv has it")

// ReadOkta returns the claims that the claims parameter of a pushed request asks to verify.
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
	asked, err := readRequestedClaims(members, "")
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return nil, fmt.Errorf("%w: no claims are asked for", ErrOkta)
	}
	slices.SortFunc(asked, func(a, b RequestedClaim) int { return strings.Compare(a.Name, b.Name) })
	return asked, nil
}

func readRequestedClaims(members map[string]any, prefix string) ([]RequestedClaim, error) {
	var asked []RequestedClaim
	for name, member := range members {
		if name == "address" && prefix == "" {
			parts, ok := member.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%w: address is not an object", ErrOkta)
			}
			inner, err := readRequestedClaims(parts, "address.")
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

// valueOf returns a plain value, or the member value of an object.
func valueOf(want any) string {
	if object, ok := want.(map[string]any); ok {
		want = object["value"]
	}
	text, _ := want.(string)
	return text
}

// OktaResult is the outcome of a recovery.
type OktaResult struct {
	Approved    bool
	Verified    func(name, value string) bool // reports whether this value of the claim was matched against the evidence; called after an approval only
	Time        time.Time                     // time of the decision
	Transaction string
}

// VerifiedClaims returns the verified_claims of the ID token: VERIFIED if the person was approved and every requested
// claim was verified, otherwise FAILED with null for each claim that was not. It contains no value that Okta did not
// send.
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

// OktaForm converts a pushed request in JSON, as in Okta's guide, to the form of RFC 9126. A member that is not a
// string, which is claims, becomes its JSON text.
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
