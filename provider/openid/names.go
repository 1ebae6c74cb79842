package openid

import (
	"slices"
	"strings"

	"regain/recovery"
)

// has reports whether a directory with these attributes has a claim of OpenID Connect Core 1.0 §5.1.
func has(attributes []string, claim string) bool {
	switch claim {
	case "preferred_username": // the account's own name, at least
		return true
	case "name":
		return slices.Contains(attributes, "name") || slices.Contains(attributes, "given_name") && slices.Contains(attributes, "family_name")
	case "address":
		return slices.ContainsFunc(attributes, func(a string) bool { return strings.HasPrefix(a, "address.") })
	}
	return slices.Contains(attributes, claim)
}

// addNames adds the names that stock clients show, where the directory has no attributes for them: the account's name as
// preferred_username, and the parts of a person's name together. Both go with the scope profile, and neither is unique
// or a key (OpenID Connect Core 1.0 §5.7): that is sub.
func addNames(claims map[string]any, account recovery.Account) {
	if _, there := claims["preferred_username"]; !there {
		claims["preferred_username"] = string(account.Name)
	}
	given, _ := claims["given_name"].(string)
	family, _ := claims["family_name"].(string)
	if _, there := claims["name"]; !there && given != "" && family != "" {
		claims["name"] = given + " " + family
	}
}
