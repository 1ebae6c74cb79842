package dcql

import (
	"encoding/json"
	"math"
	"slices"
)

// accepts reports whether one of the selected values equals one of the requested ones, in type and value (OpenID4VP 1.0
// §6.3).
func (c Claim) accepts(selected []any) bool {
	if c.Values == nil {
		return true
	}
	return slices.ContainsFunc(selected, func(held any) bool {
		return slices.ContainsFunc(c.Values, func(want any) bool { return same(want, held) })
	})
}

func same(a, b any) bool {
	x, ok := scalar(a)
	if !ok {
		return false
	}
	y, ok := scalar(b)
	return ok && x == y
}

// scalar converts a value to string, bool or int64, so that == compares type and value. Integers of 2^53 and more are
// refused, because JSON parsers disagree about them (RFC 7493 §2.2). 42.0 is the integer 42, because some JSON parsers
// do not distinguish the two.
func scalar(v any) (any, bool) {
	const exact = 1<<53 - 1
	switch v := v.(type) {
	case string, bool:
		return v, true
	case int:
		return int64(v), int64(v) <= exact && int64(v) >= -exact
	case int64:
		return v, v <= exact && v >= -exact
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) <= exact
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return scalar(n)
		}
		f, err := v.Float64()
		scalar, whole := scalar(f)
		return scalar, err == nil && whole
	}
	return nil, false
}

// kind returns the JSON type of a value, without revealing the value.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case int, int64, float64, json.Number:
		if _, whole := scalar(v); whole {
			return "integer"
		}
		return "number"
	}
	return "something that is not JSON"
}

func kinds(values []any) []string {
	var names []string
	for _, v := range values {
		names = append(names, kind(v))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
