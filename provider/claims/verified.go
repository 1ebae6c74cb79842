package claims

import (
	"encoding/json"
	"time"
)

// releaseVerified answers a request for verified claims: with an object for an object, an array for an array (OpenID
// Connect for Identity Assurance 1.0 §5). nil means that none is released.
func releaseVerified(want any, s Subject) any {
	switch request := want.(type) {
	case map[string]any:
		for _, v := range s.Verified {
			if released := v.release(request, s.Now); released != nil {
				return released
			}
		}
	case []any:
		var list []any
		for _, one := range request {
			if released := releaseVerified(one, s); released != nil {
				list = append(list, released)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// release returns the requested part of v, or nil if its verification does not meet the request, or it has none of
// the requested claims (OpenID Connect for Identity Assurance 1.0 §5.7).
func (v Verified) release(request map[string]any, now time.Time) any {
	verification, ok := cut(request["verification"], v.Verification, now)
	if !ok {
		return nil
	}
	asked, _ := request["claims"].(map[string]any)
	claims := make(map[string]any)
	for name, want := range asked {
		if value, there := v.Claims[name]; there && fits(want, value) {
			claims[name] = value
		}
	}
	if len(claims) == 0 {
		return nil
	}
	return map[string]any{"verification": verification, "claims": claims}
}

// cut returns the part of have that want requests, and whether have meets every condition in it. want is null (any
// value), a string (exactly this value), an object of conditions on a value, or an object or array with the structure
// of have.
func cut(want, have any, now time.Time) (any, bool) {
	switch value := have.(type) {
	case map[string]any:
		return cutObject(want, value, now)
	case []any:
		return cutArray(want, value, now)
	}
	switch wanted := want.(type) {
	case nil:
		return have, true
	case map[string]any:
		return have, fits(wanted, have) && withinMaxAge(wanted["max_age"], have, now)
	}
	return have, same(want, have)
}

func cutObject(want any, have map[string]any, now time.Time) (any, bool) {
	wanted, ok := want.(map[string]any)
	if !ok {
		return have, want == nil
	}
	part := make(map[string]any)
	for name, condition := range wanted {
		value, there := have[name]
		if !there {
			if isConstrained(condition) {
				return nil, false
			}
			continue
		}
		kept, ok := cut(condition, value, now)
		if !ok {
			return nil, false
		}
		part[name] = kept
	}
	return part, true
}

// cutArray returns, for each element of want, the elements of have that meet it. It fails if an element of want is
// met by none, since the client wants all of them (OpenID Connect for Identity Assurance 1.0 §5.7.3).
func cutArray(want any, have []any, now time.Time) (any, bool) {
	wanted, ok := want.([]any)
	if !ok {
		return have, want == nil
	}
	var part []any
	for _, condition := range wanted {
		met := false
		for _, element := range have {
			if kept, ok := cut(condition, element, now); ok {
				part, met = append(part, kept), true
			}
		}
		if !met {
			return nil, false
		}
	}
	return part, true
}

// isConstrained reports whether a request for an unavailable element must fail: it requires a value or an age somewhere.
func isConstrained(want any) bool {
	switch wanted := want.(type) {
	case map[string]any:
		for name, member := range wanted {
			if name == "value" || name == "values" || name == "max_age" || name != "essential" && isConstrained(member) {
				return true
			}
		}
	case []any:
		for _, member := range wanted {
			if isConstrained(member) {
				return true
			}
		}
	case string:
		return true
	}
	return false
}

// withinMaxAge reports whether a time or date is at most maxAge seconds before now (OpenID Connect for Identity Assurance
// 1.0 §5.5.2).
func withinMaxAge(maxAge, value any, now time.Time) bool {
	if maxAge == nil {
		return true
	}
	number, _ := maxAge.(json.Number)
	text, _ := value.(string)
	seconds, err := number.Int64()
	if err != nil || seconds < 0 {
		return false
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return now.Sub(at).Seconds() <= float64(seconds)
		}
	}
	return false
}
