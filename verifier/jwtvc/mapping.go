package jwtvc

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"regain/verifier/internal/jws"
)

// mapClaims returns the VC in a JWT's payload with the JWT claims copied to its properties (VCDM 1.1 §6.3.1). If the
// JWT claim and the property are both there they must be equal, because parsers would disagree about which one counts.
func mapClaims(payload map[string]any) (map[string]any, error) {
	vc, ok := payload["vc"].(map[string]any)
	if _, both := payload["vp"]; !ok || both {
		return nil, fmt.Errorf("%w: it is not a JWT with vc and without vp", ErrMalformed)
	}
	claims := maps.Clone(vc)
	subject, ok := claims["credentialSubject"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: credentialSubject is not an object", ErrMalformed) // an array could be about several people
	}
	subject = maps.Clone(subject)
	claims["credentialSubject"] = subject
	if err := placeIssuer(claims, payload["iss"]); err != nil {
		return nil, err
	}
	if err := place(claims, "id", payload, "jti"); err != nil {
		return nil, err
	}
	if err := place(subject, "id", payload, "sub"); err != nil {
		return nil, err
	}
	if _, _, err := numericDate(payload, "iat"); err != nil { // validated only: iat has no VC property
		return nil, err
	}
	for _, date := range dates() {
		if err := placeDate(claims, date, payload); err != nil {
			return nil, err
		}
	}
	return claims, placeStatus(claims, payload)
}

func place(object map[string]any, property string, payload map[string]any, claim string) error {
	value, there := payload[claim]
	text, _ := value.(string)
	present, stands := object[property]
	switch {
	case there && text == "":
		return fmt.Errorf("%w: %s is not a string", ErrMalformed, claim)
	case there && stands && present != text:
		return fmt.Errorf("%w: %s is not what the VC says", ErrMalformed, claim)
	case there:
		object[property] = text
	case stands:
		if text, _ := present.(string); text == "" {
			return fmt.Errorf("%w: %s is not a string", ErrMalformed, property)
		}
	}
	return nil
}

// placeIssuer copies iss to issuer, which may be an object with an id and more (VCDM 1.1 §4.5).
func placeIssuer(claims map[string]any, iss any) error {
	text, _ := iss.(string)
	if text == "" {
		return fmt.Errorf("%w: iss is missing", ErrMalformed)
	}
	value, stands := claims["issuer"]
	id, named := idOf(value)
	if stands && named && id != text {
		return fmt.Errorf("%w: iss is not what the VC says", ErrMalformed)
	}
	object, ok := value.(map[string]any)
	switch {
	case ok:
		object = maps.Clone(object)
		object["id"] = text
		claims["issuer"] = object
	case stands && !named:
		return fmt.Errorf("%w: issuer is neither a string nor an object", ErrMalformed)
	default:
		claims["issuer"] = text
	}
	return nil
}

// idOf returns an identifier: a string, or the id of an object. named is true also for an id of another type, which
// then equals no string and is refused by the caller's comparison.
func idOf(value any) (id any, named bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case map[string]any:
		id, named = value["id"]
		return id, named
	}
	return nil, false
}

// date is a JWT claim and the VC property that it stands for.
type date struct{ claim, property string }

func dates() []date { return []date{{"nbf", "issuanceDate"}, {"exp", "expirationDate"}} }

// placeDate copies a NumericDate to a property that is an RFC 3339 date. If both are there they are compared in whole
// seconds.
func placeDate(claims map[string]any, d date, payload map[string]any) error {
	seconds, there, err := numericDate(payload, d.claim)
	if err != nil {
		return err
	}
	at, stands, err := dateIn(claims, d.property)
	switch {
	case err != nil:
		return err
	case there && stands && at != seconds:
		return fmt.Errorf("%w: %s is not what the VC says", ErrMalformed, d.claim)
	case there && !stands:
		claims[d.property] = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	return nil
}

func numericDate(payload map[string]any, claim string) (seconds int64, there bool, err error) {
	value, there := payload[claim]
	if !there {
		return 0, false, nil
	}
	if seconds, err = jws.NumericDate(value); err != nil {
		return 0, true, fmt.Errorf("%w: %s is not a NumericDate", ErrMalformed, claim)
	}
	return seconds, true, nil
}

func dateIn(claims map[string]any, property string) (seconds int64, there bool, err error) {
	value, there := claims[property]
	if !there {
		return 0, false, nil
	}
	text, _ := value.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Unix() < 0 {
		return 0, true, fmt.Errorf("%w: %s is not a date", ErrMalformed, property)
	}
	return at.Unix(), true, nil
}

// Time returns when the VC was issued ("iat"), is valid from ("nbf") or until ("exp"), in seconds since 1970, from the
// JWT claim or the VC property.
func (c *Credential) Time(name string) (seconds int64, there bool, err error) {
	for _, d := range dates() {
		if d.claim == name { // placeDate has copied the JWT claim to the property
			return dateIn(c.claims, d.property)
		}
	}
	return numericDate(c.signed.Payload, name)
}

// placeStatus checks that a credentialStatus has a type, and copies the JWT's status to the VC. A malformed or
// ambiguous status is an error, never ignored: without a status a revoked credential would be accepted.
func placeStatus(claims, payload map[string]any) error {
	if value, there := claims["credentialStatus"]; there {
		entry, _ := value.(map[string]any)
		if kind, _ := entry["type"].(string); kind == "" {
			return fmt.Errorf("%w: credentialStatus is not an object with a type", ErrMalformed)
		}
	}
	_, stands := claims["status"]
	if status, there := payload["status"]; there {
		if stands {
			return fmt.Errorf("%w: status stands twice", ErrMalformed)
		}
		claims["status"] = status
	}
	return nil
}

// baseContext must be the first context of a VC (VCDM 1.1 §4.1). Another context could give the properties another
// meaning.
const baseContext = "https://www.w3.org/2018/credentials/v1"

func checkContext(value any) error {
	list, _ := value.([]any)
	if len(list) == 0 || list[0] != baseContext {
		return fmt.Errorf("%w: @context is not that of the data model 1.1", ErrMalformed)
	}
	return nil
}

const maxTypes = 16

// typesOf reads type: an array of strings that contains must, or the string must alone.
func typesOf(value any, must string) ([]string, error) {
	if value == must {
		return []string{must}, nil
	}
	list, ok := value.([]any)
	if !ok || len(list) > maxTypes {
		return nil, fmt.Errorf("%w: type is not an array of up to %d", ErrMalformed, maxTypes)
	}
	types := make([]string, 0, len(list))
	for _, element := range list {
		text, _ := element.(string)
		if text == "" {
			return nil, fmt.Errorf("%w: a type is not a string", ErrMalformed)
		}
		types = append(types, text)
	}
	if !slices.Contains(types, must) {
		return nil, fmt.Errorf("%w: type has no %s", ErrMalformed, must)
	}
	return types, nil
}
