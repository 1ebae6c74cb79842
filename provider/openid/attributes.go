package openid

import (
	"strconv"
	"strings"
	"time"

	"regain/provider/claims"
	"regain/provider/clients"
	"regain/recovery"
)

// subject is what there is to tell about a person who was verified under a profile: the directory's attributes as they
// are now, and of these as verified the ones that the profile held against the evidence. Nothing of the evidence is kept.
// A claim that the client has by registration is the attribute that it is mapped to.
func (t *tokens) subject(client *clients.Client, account recovery.Account, profile recovery.ProfileName, at time.Time) claims.Subject {
	s := claims.Subject{Claims: claimsOf(account), Now: t.clock()}
	confirmed := make(map[string]any)
	matched, document := t.recovery.Profiles().Verified(profile)
	for _, attribute := range matched {
		if value, there := s.Claims[string(attribute)]; there {
			confirmed[string(attribute)] = value
		}
	}
	if len(confirmed) > 0 {
		s.Verified = []claims.Verified{{Verification: verificationAt(at, document), Claims: confirmed}}
	}
	for claim, attribute := range client.Claims { // after what was verified, which goes by the attribute's own name
		delete(s.Claims, claim)
		if value, ok := claimValue(claim, account.Attributes[recovery.AttributeName(attribute)]); ok {
			s.Claims[claim] = value
		}
	}
	return s
}

// The vocabulary of our own verification, as Identity Assurance asks of values outside its registry; the check methods
// are registered ones: cryptographic verification, and comparison of a face by machine, attended by nobody.
const (
	trustFramework   = "urn:regain:trust-framework:verified-id"
	recordVerifiedID = "urn:regain:record:verified-id"
	checkSignature   = "vcrypt"
	checkFace        = "bvr"
)

// verificationAt is how a person was verified at a time: by the Verified ID, an electronic record, and by the document
// that stands behind it, if the operator says so. What the document says is not known here.
func verificationAt(at time.Time, document recovery.Document) map[string]any {
	when := at.UTC().Format(time.RFC3339)
	evidence := []any{map[string]any{
		"type":   "electronic_record",
		"record": map[string]any{"type": recordVerifiedID},
		"check_details": []any{
			map[string]any{"check_method": checkSignature, "time": when}, map[string]any{"check_method": checkFace, "time": when},
		},
	}}
	if document != (recovery.Document{}) {
		check := map[string]any{"check_method": document.CheckMethod}
		if document.Organization != "" {
			check["organization"] = document.Organization
		}
		evidence = append(evidence, map[string]any{
			"type": "document", "document_details": map[string]any{"type": document.Type}, "check_details": []any{check},
		})
	}
	return map[string]any{"trust_framework": trustFramework, "time": when, "evidence": evidence}
}

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
	addNames(claims, account)
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
