package directory

import (
	"maps"
	"slices"
)

// AttributeNames returns the names of the attributes that some account has, sorted: what provider metadata can promise.
func (d *Directory) AttributeNames() []string {
	names := make(map[string]bool)
	for _, account := range d.accounts {
		for name := range account.Attributes {
			names[string(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
