package claims

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// Subject holds the claims about a person: plain claims and verified claims, in their JSON types.
type Subject struct {
	Claims   map[string]any
	Verified []Verified
	Now      time.Time // for max_age
}

// Verified are claims with their verification (OpenID Identity Assurance Schema 1.0 §5), in their JSON types.
type Verified struct {
	Verification map[string]any
	Claims       map[string]any
}

// ofScope returns the claims that a scope requests (OpenID Connect Core 1.0 §5.4).
func ofScope(scope string) []string {
	switch scope {
	case "profile":
		return []string{
			"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at",
		}
	case "email":
		return []string{"email", "email_verified"}
	case "address":
		return []string{"address"}
	case "phone":
		return []string{"phone_number", "phone_number_verified"}
	}
	return nil
}

// Standard returns the claims that scopes request, for claims_supported.
func Standard() []string {
	var all []string
	for _, scope := range []string{"profile", "email", "address", "phone"} {
		all = append(all, ofScope(scope)...)
	}
	return all
}

// Release returns the claims that scopes and a target's wants request, without those of the protocol itself (sub, acr
// …). Pass no scopes for an ID token of the code flow: scopes release claims at userinfo (OpenID Connect Core 1.0
// §5.4).
func Release(wants Wants, scopes []string, s Subject) map[string]any {
	released := make(map[string]any)
	for _, scope := range scopes {
		for _, name := range ofScope(scope) {
			if value, there := s.Claims[name]; there {
				released[name] = value
			}
		}
	}
	for name, want := range wants {
		if name == verifiedClaims {
			continue
		}
		if value, there := s.Claims[name]; there && fits(want, value) {
			released[name] = value
		}
	}
	if verified := releaseVerified(wants[verifiedClaims], s); verified != nil {
		released[verifiedClaims] = verified
	}
	return released
}

// fits reports whether a value meets the conditions of a claim's request. A claim with another value is omitted
// (OpenID Connect Core 1.0 §5.5.1).
func fits(want, value any) bool {
	conditions, ok := want.(map[string]any)
	if !ok {
		return true
	}
	if wanted, there := conditions["value"]; there && !same(wanted, value) {
		return false
	}
	list, there := conditions["values"].([]any)
	if !there {
		return true
	}
	for _, wanted := range list {
		if same(wanted, value) {
			return true
		}
	}
	return false
}

// same compares two JSON values, independent of their Go types.
func same(a, b any) bool {
	left, err1 := normal(a)
	right, err2 := normal(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(left, right)
}

func normal(value any) (any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode claim: %w", err)
	}
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		return nil, fmt.Errorf("decode claim: %w", err)
	}
	return decoded, nil
}
