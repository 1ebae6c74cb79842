package config

import (
	"errors"
	"fmt"
	"slices"
)

// Problems collects mistakes, so that an operator is told all of them at once. The zero value has none.
type Problems struct{ list []error }

// Add notes err, and each of its parts if it joins several. It reports whether there was none.
func (p *Problems) Add(err error) bool {
	if err == nil {
		return true
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && isJoined(err, joined.Unwrap()) {
		for _, part := range joined.Unwrap() {
			p.Add(part)
		}
		return false
	}
	p.list = append(p.list, err)
	return false
}

// isJoined reports whether err says nothing but what its parts say: fmt.Errorf with several %w has words of its own.
func isJoined(err error, parts []error) bool { return err.Error() == errors.Join(parts...).Error() }

// Err returns all mistakes, sorted by their keys, or nil.
func (p *Problems) Err() error {
	slices.SortStableFunc(p.list, func(a, b error) int {
		if a.Error() < b.Error() {
			return -1
		}
		return 1
	})
	return errors.Join(slices.CompactFunc(p.list, func(a, b error) bool { return a.Error() == b.Error() })...)
}

// Keyed puts the configuration key before an error; nil stays nil.
func Keyed(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}
