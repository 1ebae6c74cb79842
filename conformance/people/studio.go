package people

import "sync"

// Studio draws and compares pictures as this package does, and keeps what came of it. The same person under the same
// conditions gives the same bytes, so tests that start a hundred proofing providers need each picture only once. It
// never forgets: it is nothing for a server that runs on. A nil Studio keeps nothing.
type Studio struct{ kept sync.Map }

// Portrait is Person.Portrait. The bytes must not be changed.
func (s *Studio) Portrait(p Person) ([]byte, error) {
	return kept(s, p.face, p.Portrait)
}

// Selfie is Person.Selfie. The bytes must not be changed.
func (s *Studio) Selfie(p Person, c Conditions) ([]byte, error) {
	type key struct {
		face       face
		conditions Conditions
	}
	return kept(s, key{p.face, c}, func() ([]byte, error) { return p.Selfie(c) })
}

// Compare is Compare.
func (s *Studio) Compare(photo, selfie []byte) (Comparison, error) {
	type key struct{ photo, selfie string }
	return kept(s, key{string(photo), string(selfie)}, func() (Comparison, error) { return Compare(photo, selfie) })
}

// kept makes a value, once for each key if all goes well.
func kept[V any](s *Studio, key any, make func() (V, error)) (V, error) {
	if s == nil {
		return make()
	}
	if value, ok := s.kept.Load(key); ok {
		return value.(V), nil //nolint:forcetypeassert // each method has keys of its own type
	}
	value, err := make()
	if err == nil {
		s.kept.Store(key, value)
	}
	return value, err
}
