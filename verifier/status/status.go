// Package status looks up whether a credential is revoked in a Token Status List in JWT form (Token Status List §5.1):
// the credential names a list and an index in it, the list is a signed, compressed array of entries of 1 to 8 bits.
//
// Lists are fetched through the hardened fetcher, once for all concurrent lookups, and cached for their ttl, within
// configured bounds. A list that cannot be fetched is an error, never "valid": recovery fails closed.
package status

import (
	"encoding/json"
	"errors"
)

// Status is a credential's entry in its list (Token Status List §7.1).
type Status uint8

// The statuses that this package names (Token Status List §7.1). Every value except Valid means "not valid".
const (
	Valid   Status = 0
	Invalid Status = 1
)

// ErrUnavailable means that the status could not be determined.
var ErrUnavailable = errors.New("status is not available")

// Reference names the entry of a credential in a list: `status.status_list` (Token Status List §6.2).
type Reference struct {
	URI   string
	Index int64
}

// ReferenceIn reads the reference from a credential's claims. It returns false when the credential has no status.
func ReferenceIn(claims map[string]any) (Reference, bool, error) {
	value, there := claims["status"]
	if !there {
		return Reference{}, false, nil
	}
	status, _ := value.(map[string]any)
	list, ok := status["status_list"].(map[string]any)
	if !ok {
		return Reference{}, true, errors.New("status has no status_list")
	}
	uri, _ := list["uri"].(string)
	number, _ := list["idx"].(json.Number)
	index, err := number.Int64()
	if uri == "" || err != nil || index < 0 {
		return Reference{}, true, errors.New("status_list has no uri, or its idx is not a whole number")
	}
	return Reference{URI: uri, Index: index}, true, nil
}
