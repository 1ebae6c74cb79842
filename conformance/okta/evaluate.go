package okta

import (
	"strings"
	"time"
)

// evaluate is "Okta completes the policy evaluation".
func evaluate(claims map[string]any, profile Profile) Result {
	r := Result{Claims: claims}
	list, _ := claims["verified_claims"].([]any)
	if len(list) != 1 {
		r.Reason = "MISSING_VERIFIED_CLAIMS"
		return r
	}
	verified, _ := list[0].(map[string]any)
	verification, _ := verified["verification"].(map[string]any)
	said, ok := verified["claims"].(map[string]any)
	at, _ := verification["time"].(string)
	r.Process, _ = verification["verification_process"].(string)
	if _, err := time.Parse(time.RFC3339, at); err != nil || !ok {
		r.Reason = "PARSING_ERROR"
		return r
	}
	if verification["trust_framework"] != "IDV-DELEGATED" || verification["assurance_level"] != "VERIFIED" {
		r.Reason = "CLAIMS_NOT_VERIFIED"
		return r
	}
	for name, value := range flatten(said) {
		if wanted, asked := profile[name]; !asked || value != wanted && value != "MATCHED" {
			r.Reason = "CLAIM_" + strings.ToUpper(name) + "_NOT_VERIFIED"
			return r
		}
	}
	r.Allow, r.Reason = true, "CLAIMS_VERIFIED"
	return r
}

// flatten reads each claim's value, whether plain or beside fuzzy, under the names of a Profile.
func flatten(said map[string]any) map[string]any {
	flat := make(map[string]any)
	for name, value := range said {
		if address, ok := value.(map[string]any); ok && name == "address" {
			for part, value := range flatten(address) {
				flat["address."+part] = value
			}
			continue
		}
		if object, ok := value.(map[string]any); ok {
			if object["fuzzy"] != true { // what was asked for with fuzzy comes back with it
				value = nil
			} else {
				value = object["value"]
			}
		}
		flat[name] = value
	}
	return flat
}
