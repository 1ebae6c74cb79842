// Package claims decides which claims a client receives. It parses the `claims` parameter of an authorization request
// (OpenID Connect Core 1.0 §5.5), maps scopes to claims (OpenID Connect Core 1.0 §5.4), and answers requests for verified
// claims (OpenID Connect for Identity Assurance 1.0). It is pure: available claims in, released claims out.
//
// Its rule is data minimisation: a claim that was not requested is never released, a requested claim that is not available,
// or that no granted scope, no registration and no matched attribute permits, is omitted without an error, and `verified_claims` is omitted as a whole if its verification does not meet the request.
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

// Target is the place where a claim is delivered.
type Target string

// The two targets of the claims parameter.
const (
	UserInfo Target = "userinfo"
	IDToken  Target = "id_token"
)

// Wants holds the requests of one target: claim names, each with nil (null: voluntary, any value) or its conditions.
type Wants map[string]any

// Request is a parsed claims parameter.
type Request map[Target]Wants

// verifiedClaims is the member with requests of OpenID Connect for Identity Assurance.
const verifiedClaims = "verified_claims"

// ErrMalformed means that a claims parameter is malformed: invalid_request.
var ErrMalformed = errors.New("claims parameter is malformed")

// Parse parses a claims parameter; the empty string requests nothing. Members other than userinfo and id_token are
// ignored (OpenID Connect Core 1.0 §5.5).
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
		member := members[string(target)]
		if member == nil {
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

// checkConditions checks the structure of one claim's request (OpenID Connect Core 1.0 §5.5.1). Unknown members are
// ignored.
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

// checkVerified checks what OpenID Connect for Identity Assurance 1.0 §5 requires of a request: a verification with
// trust_framework, and claims. An array contains several requests.
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

// Essential returns the values of which a claim must have one for the authentication to succeed: those of an
// essential acr (OpenID Connect Core 1.0 §5.5.1.1), or of a requested sub. demanded is false if there is no such
// requirement.
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
