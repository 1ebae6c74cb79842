// Package status finds out whether a credential is still valid, by Token Status Lists (JWT form): the credential names
// a list and its place in it, the list is a signed, compressed array of a few bits each.
//
// Lists are fetched through the hardened fetcher, once for however many ask at the same time, and believed for as long
// as their ttl says, within bounds of ours. A list that cannot be had is an error, never a yes: recovery fails closed.
package status

import (
	"encoding/json"
	"errors"
)

// Status is a credential's entry in its list (Token Status List §7.1).
type Status uint8

// The two statuses that mean something to everybody. Everything but Valid is not valid.
const (
	Valid   Status = 0
	Invalid Status = 1
)

// ErrUnavailable means that the status could not be found out.
var ErrUnavailable = errors.New("status is not available")

// Reference is where a credential's status is: `status.status_list`.
type Reference struct {
	URI   string
	Index int64
}

// ReferenceIn reads the reference of a credential's claims. It returns false when the credential has no status.
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
