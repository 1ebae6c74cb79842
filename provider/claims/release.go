package claims

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
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

// Permit is what a client may be told. A request for anything else releases nothing: the claims parameter is a choice
// among what is permitted, and not a permission.
type Permit struct {
	Scopes []string // granted by the authorization
	Own    []string // claims that the client has by registration, which it gets without asking
	// UserInfo: the target is the userinfo endpoint, where scopes release their claims. In an ID token of the code flow
	// they only permit them (OpenID Connect Core 1.0 §5.4).
	UserInfo bool
}

// allows reports whether a claim may be released: a granted scope has it, or it was matched with the Verified ID. The
// claim may be in a language (OpenID Connect Core 1.0 §5.2).
func (p Permit) allows(claim string, s Subject) bool {
	name, _, _ := strings.Cut(claim, "#")
	if slices.ContainsFunc(p.Scopes, func(scope string) bool { return slices.Contains(ofScope(scope), name) }) {
		return true
	}
	return slices.ContainsFunc(s.Verified, func(v Verified) bool {
		_, matched := v.Claims[name]
		return matched
	})
}

// Release returns the claims that a client gets at a target, without those of the protocol itself (sub, acr …): its own,
// those of its scopes at userinfo, and of those that it wants the permitted ones.
func Release(wants Wants, permit Permit, s Subject) map[string]any {
	released := make(map[string]any)
	add := func(name string) {
		if value, there := s.Claims[name]; there {
			released[name] = value
		}
	}
	for _, name := range permit.Own {
		add(name)
	}
	if permit.UserInfo {
		for _, scope := range permit.Scopes {
			for _, name := range ofScope(scope) {
				add(name)
			}
		}
	}
	for name, want := range wants {
		if name != verifiedClaims && permit.allows(name, s) && fits(want, s.Claims[name]) {
			add(name)
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
