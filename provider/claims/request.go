// Package claims decides which claims a client is told. It reads the `claims` parameter of an authorization request
// (OpenID Connect Core 1.0 §5.5), knows what each scope stands for (§5.4), and answers requests for verified claims
// (OpenID Connect for Identity Assurance 1.0). It is pure: what there is comes in, what is released goes out.
//
// Its law is minimisation: nothing that was not asked for is ever released, what is asked for and not there is left out
// without an error, and a `verified_claims` is left out as a whole when its verification is not as the client wants it.
package claims

import (
	"errors"
	"fmt"

	"regain/internal/strictjson"
)

const (
	maxLength = 16 << 10
	maxDepth  = 16
)

// Target is where a claim is delivered.
type Target string

// The two targets of the claims parameter.
const (
	UserInfo Target = "userinfo"
	IDToken  Target = "id_token"
)

// Wants is what one target's member asks for: claim names, each with nil (null: voluntary, any value) or its conditions.
type Wants map[string]any

// Request is a claims parameter.
type Request map[Target]Wants

// verifiedClaims is the member that holds requests of OpenID Identity Assurance.
const verifiedClaims = "verified_claims"

// ErrMalformed means that a claims parameter is not one: invalid_request.
var ErrMalformed = errors.New("claims parameter is malformed")

// Parse reads a claims parameter; "" is the request that asks for nothing. Members that are neither userinfo nor
// id_token are ignored (OpenID Connect Core 1.0 §5.5).
func Parse(text string) (Request, error) {
	if text == "" {
		return Request{}, nil
	}
	if len(text) > maxLength {
		return nil, fmt.Errorf("%w: is too long", ErrMalformed)
	}
	members, err := strictjson.Object([]byte(text), maxDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	request := make(Request)
	for _, target := range []Target{UserInfo, IDToken} {
		member, there := members[string(target)]
		if !there || member == nil {
			continue
		}
		wants, ok := member.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: %s is not an object", ErrMalformed, target)
		}
		if err := checkWants(wants); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, target, err)
		}
		request[target] = wants
	}
	return request, nil
}

func checkWants(wants Wants) error {
	for name, want := range wants {
		if name == verifiedClaims {
			if err := checkVerified(want); err != nil {
				return fmt.Errorf("verified_claims: %w", err)
			}
			continue
		}
		if err := checkConditions(want); err != nil {
			return fmt.Errorf("claim %.40q: %w", name, err)
		}
	}
	return nil
}

// checkConditions holds the shape of one claim's request (OpenID Connect Core 1.0 §5.5.1). Unknown members are ignored.
func checkConditions(want any) error {
	if want == nil {
		return nil
	}
	conditions, ok := want.(map[string]any)
	if !ok {
		return errors.New("is neither null nor an object")
	}
	if essential, there := conditions["essential"]; there {
		if _, ok := essential.(bool); !ok {
			return errors.New("essential is not true or false")
		}
	}
	if values, there := conditions["values"]; there {
		if _, ok := values.([]any); !ok {
			return errors.New("values is not an array")
		}
	}
	return nil
}

// checkVerified holds what OpenID Connect for Identity Assurance 1.0 §5 requires of a request: verification with
// trust_framework, and claims. Several may be asked for in an array.
func checkVerified(want any) error {
	if list, ok := want.([]any); ok {
		for _, one := range list {
			if err := checkVerified(one); err != nil {
				return err
			}
		}
		return nil
	}
	request, ok := want.(map[string]any)
	if !ok {
		return errors.New("is neither an object nor an array of objects")
	}
	verification, ok := request["verification"].(map[string]any)
	if !ok {
		return errors.New("verification is missing")
	}
	if _, there := verification["trust_framework"]; !there {
		return errors.New("verification does not ask for trust_framework")
	}
	if _, there := request["claims"]; !there {
		return errors.New("claims is missing")
	}
	if asked := request["claims"]; asked != nil {
		if _, ok := asked.(map[string]any); !ok {
			return errors.New("claims is not an object")
		}
	}
	return nil
}

// Essential returns the values that a claim must have one of for the authentication to succeed (§5.5.1.1): those of an
// essential acr, or of a requested sub. It reports whether there is such a demand.
func (w Wants) Essential(name string) (values []string, demanded bool) {
	conditions, ok := w[name].(map[string]any)
	if !ok || name != "sub" && conditions["essential"] != true {
		return nil, false
	}
	list, _ := conditions["values"].([]any)
	if value, there := conditions["value"]; there {
		list = append(list, value)
	}
	for _, value := range list {
		if text, ok := value.(string); ok {
			values = append(values, text)
		}
	}
	return values, len(list) > 0
}
