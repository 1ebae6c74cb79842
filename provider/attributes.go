package provider

import (
	"strconv"
	"strings"

	"regain/recovery"
)

// claimsOf puts an account's directory attributes into the shapes of OpenID Connect Core 1.0 §5.1: attributes are text,
// by the claim's name; those of the address are `address.street_address` and so on.
func claimsOf(account recovery.Account) map[string]any {
	claims := make(map[string]any, len(account.Attributes)+1)
	address := make(map[string]any)
	for attribute, text := range account.Attributes {
		name := string(attribute)
		if part, ok := strings.CutPrefix(name, "address."); ok {
			address[part] = text
			continue
		}
		if value, ok := claimValue(name, text); ok {
			claims[name] = value
		}
	}
	if len(address) > 0 {
		claims["address"] = address
	}
	return claims
}

// claimValue returns the claim's value in its JSON type. A text that does not have that type is no claim.
func claimValue(name, text string) (any, bool) {
	switch name {
	case "email_verified", "phone_number_verified":
		yes, err := strconv.ParseBool(text)
		return yes, err == nil
	case "updated_at":
		seconds, err := strconv.ParseInt(text, 10, 64)
		return seconds, err == nil
	}
	return text, text != ""
}
